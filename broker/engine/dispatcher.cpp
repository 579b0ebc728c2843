#include "broker/engine/dispatcher.hpp"

#include "broker/engine/message_headers.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace engine {

namespace {

/// A class is given so many candidates at a time.
constexpr std::size_t candidates_wanted = 256;

std::string_view group_of(const Message& message) {
    const std::string_view group = message.find("JMSXGroupID");
    return group.empty() ? message.find("message_group") : group;
}

bool takes(const ConsumerClass& consumers, const Message& message) {
    if (consumers.not_from != 0 && consumers.not_from == message.publisher()) { return false; }
    return selects(consumers.selector, message);
}

bool selects_same(const SelectorRef& a, const SelectorRef& b) {
    if (!a || !b) { return a == b; }
    if (a->text() == b->text()) { return true; }
    const auto& one = a->equality();
    const auto& other = b->equality();
    return one && other && one->name == other->name && one->literal == other->literal;
}

}  // namespace

Dispatcher::Dispatcher(Shard& shard, Backlog& backlog, bool is_single, DispatchBounds bounds)
    : shard_(shard),
      backlog_(backlog),
      is_always_single_(is_single),
      bounds_(bounds),
      prune_at_(bounds.prune_min),
      is_single_(is_single) {}

Dispatcher::~Dispatcher() = default;

template <class F>
void Dispatcher::for_each_class(F visit) {
    visit(all_);
    for (ConsumerClass& consumers : choosy_) {
        visit(consumers);
    }
}

Consumer& Dispatcher::attach(Consumer consumer) {
    shard_.assert_current();
    consumers_.push_back(std::make_unique<Consumer>(std::move(consumer)));
    Consumer& attached = *consumers_.back();
    attached.type = &class_for(attached);
    ++attached.type->consumers;
    elect();
    refresh(attached);
    return attached;
}

void Dispatcher::detach(Consumer& consumer) {
    shard_.assert_current();
    leave_ring(consumer);
    release_groups(consumer);
    if (consumer.bound) { unrank(*consumer.bound); }
    leave_class(*consumer.type);
    if (active_ == &consumer) { active_ = nullptr; }
    std::erase_if(consumers_, [&](const auto& other) { return other.get() == &consumer; });
    elect();
    const bool is_needed = !choosy_.empty() || !groups_.empty();
    if (is_matching_ && !is_needed && backlog_.empty()) { stop_matching(); }
}

// The class that a consumer belongs to, made if it is new.
ConsumerClass& Dispatcher::class_for(const Consumer& consumer) {
    const std::uint64_t not_from = consumer.no_local ? consumer.publisher : 0;
    if (!consumer.selector && not_from == 0) { return all_; }
    const auto is_same = [&](const ConsumerClass& other) {
        return selects_same(consumer.selector, other.selector) && other.not_from == not_from;
    };
    const auto found = std::find_if(choosy_.begin(), choosy_.end(), is_same);
    if (found != choosy_.end()) { return *found; }
    choosy_.emplace_back();
    ConsumerClass& made = choosy_.back();
    made.selector = consumer.selector;
    made.not_from = not_from;
    if (made.selector && made.selector->equality() && not_from == 0) {
        join_header(made);
    } else {
        made.unseen_from = Place{};
        if (made.selector) { join_selectors(made); }
    }
    if (!is_matching_) { start_matching(); }
    return made;
}

void Dispatcher::join_selectors(ConsumerClass& made) {
    made.selector_id = selectors_.add(made.selector);
    if (by_selector_.size() <= *made.selector_id) { by_selector_.resize(*made.selector_id + 1); }
    by_selector_[*made.selector_id].push_back(&made);
}

// With what has been found already of the value that it asks for.
void Dispatcher::join_header(ConsumerClass& made) {
    const Selector::Equality& equality = *made.selector->equality();
    made.header = &header_for(equality.name);
    ++made.header->classes;
    made.header->wanted.emplace(equality.literal, &made);
    auto others = made.header->others.extract(equality.literal);
    if (made.header->is_partial) {
        made.unseen_from = Place{};
        if (!others.empty()) { entries_ -= others.mapped().size(); }
    } else if (!others.empty()) {
        made.candidates = std::move(others.mapped());
    }
}

void Dispatcher::leave_class(ConsumerClass& consumers) {
    if (--consumers.consumers != 0) { return; }
    unrank(consumers);
    if (consumers.header == nullptr) {
        entries_ -= consumers.candidates.size();
        consumers.candidates.clear();
    }
    if (&consumers == &all_) {
        all_.unseen_from = Place{};
        return;
    }
    if (consumers.header != nullptr) { leave_header(consumers); }
    if (consumers.selector_id) {
        std::erase(by_selector_[*consumers.selector_id], &consumers);
        selectors_.remove(*consumers.selector_id);
    }
    choosy_.remove_if([&](const ConsumerClass& other) { return &other == &consumers; });
}

HeaderIndex& Dispatcher::header_for(const std::string& name) {
    for (HeaderIndex& header : headers_) {
        if (header.name == name) { return header; }
    }
    headers_.emplace_back();
    headers_.back().name = name;
    return headers_.back();
}

// What the class has found is kept for the next one that wants the same.
void Dispatcher::leave_header(ConsumerClass& consumers) {
    HeaderIndex& header = *consumers.header;
    const std::string& literal = consumers.selector->equality()->literal;
    header.wanted.erase(literal);
    if (consumers.unseen_from && !consumers.candidates.empty()) { header.is_partial = true; }
    if (header.is_partial) {
        entries_ -= consumers.candidates.size();
    } else if (!consumers.candidates.empty()) {
        header.others.emplace(literal, std::move(consumers.candidates));
    }
    if (--header.classes != 0) { return; }
    for (const auto& [value, places] : header.others) {
        entries_ -= places.size();
    }
    headers_.remove_if([&](const HeaderIndex& other) { return &other == &header; });
}

// Single active consumer: the one that is there stays until it has gone and everything it held is
// settled, so that what follows is not delivered before.
void Dispatcher::elect() {
    const auto wants_all = [](const auto& each) { return each->wants_all && !each->is_closed; };
    const bool is_any_exclusive = std::any_of(consumers_.begin(), consumers_.end(), wants_all);
    const Consumer* const before = active_;
    const bool was_single = is_single_;
    if (active_ != nullptr) {
        const bool has_left = active_->is_closed && active_->unsettled == 0;
        const bool is_ousted = is_any_exclusive && !active_->wants_all && !is_always_single_;
        if (has_left || is_ousted) { active_ = nullptr; }
    }
    is_single_ =
        is_always_single_ || is_any_exclusive || (active_ != nullptr && active_->wants_all);
    if (!is_single_) { active_ = nullptr; }
    if (is_single_ && active_ == nullptr) { choose_active(is_any_exclusive); }
    if (active_ == before && is_single_ == was_single) { return; }
    for (const auto& each : consumers_) {
        refresh(*each);
    }
}

void Dispatcher::choose_active(bool is_any_exclusive) {
    for (const auto& each : consumers_) {
        if (each->is_closed || (is_any_exclusive && !each->wants_all)) { continue; }
        const bool is_better =
            active_ == nullptr || each->window.priority > active_->window.priority;
        if (is_better) { active_ = each.get(); }
    }
}

bool Dispatcher::may_get(const Consumer& consumer, std::size_t size) const {
    if (consumer.is_closed || consumer.is_blocked || (is_single_ && &consumer != active_) ||
        consumer.unsettled >= consumer.window.messages) {
        return false;
    }
    // One message larger than the window is sent alone (P-SUB-07).
    return consumer.unsettled == 0 || consumer.unsettled_bytes + size <= consumer.window.bytes;
}

void Dispatcher::refresh(Consumer& consumer) {
    shard_.assert_current();
    if (consumer.is_closed && consumer.unsettled == 0) {
        if (consumer.groups != 0) { release_groups(consumer); }
        if (&consumer == active_) { elect(); }
    }
    const bool is_ready = may_get(consumer, 0);
    if (is_ready == consumer.is_ready) { return; }
    if (is_ready) {
        std::list<Consumer*>& ring = consumer.type->ready[consumer.window.priority];
        consumer.ring_position = ring.insert(ring.end(), &consumer);
        consumer.is_ready = true;
        ++ready_;
    } else {
        leave_ring(consumer);
    }
    if (!is_matching_) { return; }
    rank(*consumer.type);
    if (consumer.bound) { rank(*consumer.bound); }
}

void Dispatcher::leave_ring(Consumer& consumer) {
    if (!consumer.is_ready) { return; }
    auto& ready = consumer.type->ready;
    const auto ring = ready.find(consumer.window.priority);
    ring->second.erase(consumer.ring_position);
    consumer.is_ready = false;
    --ready_;
    // Kept where most consumers are, so that their coming and going allocates nothing.
    if (ring->second.empty() && consumer.window.priority != 0) { ready.erase(ring); }
    if (is_matching_ && consumer.type->rank) { rank(*consumer.type); }
}

// Higher priority first, then in turn (P-SUB-09).
Consumer* Dispatcher::next_ready(ConsumerClass& consumers, std::size_t size) {
    for (auto& [priority, ring] : consumers.ready) {
        for (std::size_t tries = ring.size(); tries > 0; --tries) {
            Consumer* const consumer = ring.front();
            ring.splice(ring.end(), ring, ring.begin());
            if (may_get(*consumer, size)) { return consumer; }
        }
    }
    return nullptr;
}

// From now on classes are given candidates; they look through the backlog when they need some.
void Dispatcher::start_matching() {
    is_matching_ = true;
    for_each_class([&](ConsumerClass& consumers) {
        if (consumers.header == nullptr) { consumers.unseen_from = Place{}; }
        rank(consumers);
    });
}

void Dispatcher::stop_matching() {
    is_matching_ = false;
    order_.clear();
    entries_ = 0;
    all_.rank.reset();
    all_.candidates.clear();
    all_.unseen_from.reset();
}

// Forgets candidates that others have taken meanwhile.
void Dispatcher::prune() {
    const auto drop_gone = [this](Candidates& candidates) {
        while (!candidates.empty() && backlog_.find(candidates.front()) == nullptr) {
            candidates.pop();
            --entries_;
        }
        return candidates.empty();
    };
    for_each_class([&](ConsumerClass& consumers) {
        (void)drop_gone(consumers.candidates);
        rank(consumers);
    });
    for (HeaderIndex& header : headers_) {
        for (auto entry = header.others.begin(); entry != header.others.end();) {
            entry = drop_gone(entry->second) ? header.others.erase(entry) : std::next(entry);
        }
    }
    prune_at_ = std::max<std::size_t>(bounds_.prune_min, 2 * entries_);
}

// Offers a message to all classes that have looked through the backlog up to its place.
void Dispatcher::index(const Delivery& delivery, Place place) {
    const Message& message = *delivery.message;
    if (message.facts().has_group && is_for_group(all_, delivery, place)) { return; }
    if (all_.consumers != 0) { offer(all_, delivery, place); }
    if (choosy_.empty()) { return; }
    const MessageHeaders headers(message);
    for (HeaderIndex& header : headers_) {
        // Else it is found when a class of this header looks for more.
        const bool is_seen = !header.unseen_from || place < *header.unseen_from;
        if (is_seen) { index_header(header, headers, place); }
    }
    if (!selectors_.empty()) {
        matched_.clear();
        selectors_.match(headers, matched_);
        for (const SelectorIndex::Id id : matched_) {
            for (ConsumerClass* const consumers : by_selector_[id]) {
                offer(*consumers, delivery, place);
            }
        }
    }
    for (ConsumerClass& consumers : choosy_) {
        if (!consumers.selector) { offer(consumers, delivery, place); }
    }
}

void Dispatcher::index_header(HeaderIndex& header, const MessageHeaders& headers, Place place) {
    const auto value = headers.find(header.name);
    if (!value) { return; }
    std::string key(*value);
    const auto wanted = header.wanted.find(key);
    if (wanted != header.wanted.end()) { return take_up(*wanted->second, place); }
    if (entries_ >= prune_at_) { prune(); }
    if (entries_ >= bounds_.index_max || header.others.size() >= bounds_.values_max) {
        header.is_partial = true;
    } else if (header.others[std::move(key)].push(place)) {
        ++entries_;
    }
}

// To a class whose selector, if it has one, takes it.
void Dispatcher::offer(ConsumerClass& consumers, const Delivery& delivery, Place place) {
    if (consumers.unseen_from && place >= *consumers.unseen_from) {
        // It will come to that; it may have waited for it.
        if (!consumers.rank) { rank(consumers); }
        return;
    }
    if (consumers.not_from != 0 && consumers.not_from == delivery.message->publisher()) { return; }
    take_up(consumers, place);
}

// A message that the class takes; unless it will come to that anyway.
void Dispatcher::take_up(ConsumerClass& consumers, Place place) {
    if (consumers.unseen_from && place >= *consumers.unseen_from) { return; }
    // No room: it is looked for once this class has come so far.
    if (is_full(consumers)) { return cut(consumers, place); }
    push(consumers, place);
}

bool Dispatcher::is_full(const ConsumerClass& consumers) const {
    return entries_ >= bounds_.index_max && consumers.candidates.size() >= bounds_.index_each;
}

// From `place` on the class has to look again; what it has beyond is dropped.
void Dispatcher::cut(ConsumerClass& consumers, Place place) {
    entries_ -= consumers.candidates.cut(place);
    consumers.unseen_from = place;
    rank(consumers);
}

void Dispatcher::push(ConsumerClass& consumers, Place place) {
    const bool is_first = consumers.candidates.empty() || place < consumers.candidates.front();
    if (consumers.candidates.push(place)) { ++entries_; }
    if (is_first) { rank(consumers); }
}

// How far classes other than `but` have looked.
Place Dispatcher::frontier(const ConsumerClass& but) const {
    constexpr Place end{~std::uint32_t{0}, ~std::uint64_t{0}};
    Place farthest;
    const auto note = [&](const ConsumerClass& consumers) {
        if (&consumers == &but || consumers.consumers == 0 || consumers.header != nullptr) {
            return;
        }
        farthest = std::max(farthest, consumers.unseen_from.value_or(end));
    };
    note(all_);
    for (const ConsumerClass& consumers : choosy_) {
        note(consumers);
    }
    return farthest;
}

bool Dispatcher::has_seen_all(const ConsumerClass& consumers) {
    const bool is_header_done = consumers.header == nullptr || !consumers.header->unseen_from;
    return !consumers.unseen_from && is_header_done;
}

void Dispatcher::look(ConsumerClass& consumers) {
    if (consumers.unseen_from) { return look_through(consumers); }
    look_through_header(consumers);
}

// Sorts a part of the backlog by the value of the header that the class asks for: for all values.
void Dispatcher::look_through_header(ConsumerClass& wanting) {
    HeaderIndex& header = *wanting.header;
    std::size_t looks = 0;
    std::optional<Place> stopped;
    backlog_.visit(*header.unseen_from, [&](const Delivery& delivery, Place place) {
        if (wanting.candidates.size() >= candidates_wanted || looks >= bounds_.looks_max) {
            stopped = place;
            return false;
        }
        ++looks;
        if (delivery.message->facts().has_group && is_for_group(all_, delivery, place)) {
            return true;
        }
        index_header(header, MessageHeaders(*delivery.message), place);
        return true;
    });
    header.unseen_from = stopped;
}

// Finds candidates in the part of the backlog that the class has not seen. Those that have come
// just as far look along, so that each message is looked at once for all of them.
void Dispatcher::look_through(ConsumerClass& wanting) {
    const Place start = *wanting.unseen_from;
    const Place others = wanting.header == nullptr ? frontier(wanting) : Place{};
    std::vector<ConsumerClass*> along;
    for_each_class([&](ConsumerClass& consumers) {
        const bool is_alone = wanting.header != nullptr || consumers.header != nullptr;
        if (is_alone && &consumers != &wanting) { return; }
        if (consumers.unseen_from && *consumers.unseen_from >= start && consumers.consumers != 0) {
            consumers.is_looking = true;
            along.push_back(&consumers);
        }
    });
    const auto give = [&](ConsumerClass& consumers, const Delivery& delivery, Place place) {
        if (!consumers.is_looking || place < *consumers.unseen_from) { return; }
        if (consumers.not_from != 0 && consumers.not_from == delivery.message->publisher()) {
            return;
        }
        if (&consumers != &wanting && is_full(consumers)) {
            // It goes on from here when it needs more.
            consumers.unseen_from = place;
            consumers.is_looking = false;
        } else if (consumers.candidates.push(place)) {
            ++entries_;
        }
    };
    std::size_t looks = 0;
    std::optional<Place> stopped;
    // Behind that it hears of what all classes of its header find.
    const std::optional<Place> end = wanting.header ? wanting.header->unseen_from : std::nullopt;
    backlog_.visit(start, [&](const Delivery& delivery, Place place) {
        if (end && place >= *end) { return false; }
        const bool has_enough =
            is_full(wanting) || (wanting.candidates.size() >= candidates_wanted && place >= others);
        if (has_enough || looks >= bounds_.looks_max) {
            stopped = place;
            return false;
        }
        ++looks;
        if (delivery.message->facts().has_group && is_for_group(all_, delivery, place)) {
            return true;
        }
        if (along.size() == 1) {
            if (takes(wanting, *delivery.message)) { give(wanting, delivery, place); }
            return true;
        }
        if (all_.consumers != 0) { give(all_, delivery, place); }
        if (choosy_.empty()) { return true; }
        matched_.clear();
        selectors_.match(*delivery.message, matched_);
        for (const SelectorIndex::Id id : matched_) {
            for (ConsumerClass* const consumers : by_selector_[id]) {
                give(*consumers, delivery, place);
            }
        }
        for (ConsumerClass& consumers : choosy_) {
            if (!consumers.selector) { give(consumers, delivery, place); }
        }
        return true;
    });
    for (ConsumerClass* const consumers : along) {
        if (std::exchange(consumers->is_looking, false)) {
            if (!stopped) {
                consumers->unseen_from.reset();
            } else if (*consumers->unseen_from < *stopped) {
                consumers->unseen_from = stopped;
            }
        }
        if (consumers != &wanting) { rank(*consumers); }
    }
}

// Puts the class where it belongs in the order of those that can be served now, or takes it out.
void Dispatcher::rank(ConsumerClass& consumers) {
    const bool is_ready =
        consumers.owner != nullptr
            ? consumers.owner->is_ready
            : std::any_of(consumers.ready.begin(), consumers.ready.end(), [](const auto& ring) {
                  return !ring.second.empty();
              });
    const bool has_some = !consumers.candidates.empty() || !has_seen_all(consumers);
    if (!is_ready || !has_some) { return unrank(consumers); }
    int priority = consumers.owner != nullptr ? consumers.owner->window.priority : 0;
    for (const auto& [level, ring] : consumers.ready) {
        if (ring.empty()) { continue; }
        priority = level;
        break;
    }
    Place place;
    if (!consumers.candidates.empty()) {
        place = consumers.candidates.front();
    } else {
        place = consumers.unseen_from ? *consumers.unseen_from : *consumers.header->unseen_from;
    }
    const ConsumerClass::Rank rank{-priority, place, consumers.served, &consumers};
    if (consumers.rank == rank) { return; }
    unrank(consumers);
    consumers.rank = rank;
    order_.insert(rank);
}

void Dispatcher::unrank(ConsumerClass& consumers) {
    if (!consumers.rank) { return; }
    order_.erase(*consumers.rank);
    consumers.rank.reset();
}

std::optional<Dispatcher::Turn> Dispatcher::next(std::uint64_t fence) {
    shard_.assert_current();
    held_back_.reset();
    is_unfinished_ = false;
    if (is_matching_) { return next_matched(fence); }
    if (backlog_.empty()) { return std::nullopt; }
    const Delivery& front = backlog_.front();
    if (front.sequence >= fence) {
        held_back_ = front.sequence;
        return std::nullopt;
    }
    Consumer* const consumer = next_ready(all_, front.message->size());
    if (consumer == nullptr) { return std::nullopt; }
    return Turn{consumer, backlog_.place_of(front)};
}

std::optional<Dispatcher::Turn> Dispatcher::next_matched(std::uint64_t fence) {
    bool has_looked = false;
    for (auto at = order_.begin(); at != order_.end();) {
        ConsumerClass& consumers = *at->consumers;
        if (consumers.candidates.empty()) {
            if (has_looked) {
                is_unfinished_ = true;
                ++at;
                continue;
            }
            if (!has_seen_all(consumers)) { look(consumers); }
            // Some of what there is was too much to look through at once.
            has_looked = consumers.candidates.empty() && !has_seen_all(consumers);
            rank(consumers);
            at = order_.begin();
            continue;
        }
        const Place place = consumers.candidates.front();
        const Delivery* const delivery = backlog_.find(place);
        const bool is_stale = delivery == nullptr || (delivery->message->facts().has_group &&
                                                      is_for_group(consumers, *delivery, place));
        if (is_stale) {
            consumers.candidates.pop();
            --entries_;
            rank(consumers);
            at = order_.begin();
            continue;
        }
        if (place.sequence >= fence) {
            held_back_ = std::min(held_back_.value_or(place.sequence), place.sequence);
            ++at;
            continue;
        }
        const std::size_t size = delivery->message->size();
        Consumer* consumer = consumers.owner;
        if (consumer == nullptr) {
            consumer = next_ready(consumers, size);
        } else if (!may_get(*consumer, size) || is_ahead_of_its_type(consumers)) {
            consumer = nullptr;
        }
        if (consumer == nullptr) {
            ++at;
            continue;
        }
        consumers.candidates.pop();
        --entries_;
        consumers.served = ++served_;
        rank(consumers);
        if (delivery->message->facts().has_group) { note_group(*consumer, *delivery->message); }
        return Turn{consumer, place};
    }
    return std::nullopt;
}

// Among what the owner may take of its class there may still be older messages of its groups, which
// have not been moved here.
bool Dispatcher::is_ahead_of_its_type(const ConsumerClass& bound) {
    const Place place = bound.candidates.front();
    const ConsumerClass& type = *bound.owner->type;
    if (type.unseen_from && *type.unseen_from < place) { return true; }
    const bool is_unseen =
        type.header != nullptr && type.header->unseen_from && *type.header->unseen_from < place;
    return is_unseen || (!type.candidates.empty() && type.candidates.front() < place);
}

// Whether the message belongs to a group that is bound to a consumer that takes it, and `consumers`
// is not its class for that. Then that class has it now.
bool Dispatcher::is_for_group(ConsumerClass& consumers, const Delivery& delivery, Place place) {
    const auto found = groups_.find(std::string(group_of(*delivery.message)));
    if (found == groups_.end()) { return false; }
    Consumer& bound = *found->second.consumer;
    if (consumers.owner == &bound || !takes(*bound.type, *delivery.message)) { return false; }
    push(*bound.bound, place);
    return true;
}

// The consumer gets this message of a group: the group is bound to it from now on.
void Dispatcher::note_group(Consumer& consumer, const Message& message) {
    const std::string name(group_of(message));
    const bool is_last = message.find("JMSXGroupSeq") == "-1";
    const auto found = groups_.find(name);
    if (found != groups_.end()) {
        if (is_last) { return release_group(name); }
        group_uses_.splice(group_uses_.end(), group_uses_, found->second.use);
        return;
    }
    if (is_last) { return; }
    if (groups_.size() >= bounds_.groups_max) { release_group(std::string(group_uses_.front())); }
    if (!consumer.bound) {
        consumer.bound = std::make_unique<ConsumerClass>();
        consumer.bound->owner = &consumer;
    }
    ++consumer.groups;
    group_uses_.push_back(name);
    groups_.emplace(name, Group{&consumer, std::prev(group_uses_.end())});
}

void Dispatcher::release_group(std::string_view name) {
    const auto found = groups_.find(std::string(name));
    Consumer& consumer = *found->second.consumer;
    --consumer.groups;
    group_uses_.erase(found->second.use);
    groups_.erase(found);
    return_bound(consumer);
}

// Of a consumer that leaves, once all it held is settled or given back: what waits for it goes to
// others, in order.
void Dispatcher::release_groups(Consumer& consumer) {
    if (consumer.groups == 0) { return; }
    for (auto group = groups_.begin(); group != groups_.end();) {
        if (group->second.consumer != &consumer) {
            ++group;
            continue;
        }
        group_uses_.erase(group->second.use);
        group = groups_.erase(group);
    }
    consumer.groups = 0;
    return_bound(consumer);
}

// Messages that no group binds to `consumer` any more are offered to all classes again.
void Dispatcher::return_bound(Consumer& consumer) {
    ConsumerClass& bound = *consumer.bound;
    Candidates places = std::exchange(bound.candidates, {});
    entries_ -= places.size();
    for (; !places.empty(); places.pop()) {
        const Place place = places.front();
        if (const Delivery* const delivery = backlog_.find(place)) { index(*delivery, place); }
    }
    rank(bound);
}

}  // namespace engine
