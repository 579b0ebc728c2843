#include "broker/engine/queue.hpp"

#include "broker/engine/destinations.hpp"
#include "broker/engine/send_head.hpp"
#include "broker/engine/session.hpp"
#include "broker/engine/subscription.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace engine {

namespace {

constexpr std::string_view dead_letter_prefix = "/queue/DLQ.";

// What this consumer never gets although it waits for nobody else.
bool is_withheld(const Consumer& consumer, const Message& message) {
    if (consumer.discards_own && consumer.publisher == message.publisher()) { return true; }
    return consumer.access && !may_read(*consumer.access, message);
}

}  // namespace

Queue::Queue(
    Shard& shard,
    std::string name,
    QueueSettings settings,
    Counters& counters,
    Host& host,
    std::unique_ptr<QueueStore> store
)
    : shard_(shard),
      name_(std::move(name)),
      settings_(std::move(settings)),
      counters_(counters),
      host_(host),
      store_(std::move(store)),
      origin_(name_),
      backlog_(settings_.priority_max, settings_.priority_default),
      dispatcher_(shard, backlog_, settings_.is_single_active),
      messages_(store_ ? store_->waiting() : 0),
      bytes_(store_ ? store_->waiting_bytes() : 0),
      unused_since_(shard.now()) {
    backlog_.set_listener(*this);
}

Queue::~Queue() = default;

MessageRef Queue::front() const {
    shard_.assert_current();
    MessageRef first;
    backlog_.visit({}, [&](const Delivery& delivery, Place) {
        const bool is_on_disk = store_ && store_->is_behind_page(delivery);
        if (!is_on_disk) { first = delivery.message; }
        return false;
    });
    return first;
}

bool Queue::is_front_recovered() const {
    return store_ && store_->is_page_recovered() && !front();
}

bool Queue::is_dead_letter_queue() const {
    return name_.starts_with(dead_letter_prefix);
}

bool Queue::is_over_bounds() const {
    if (!settings_.bounds_stored) {
        return unstored_ > settings_.messages_max || unstored_bytes_ > settings_.bytes_max;
    }
    return messages_ > settings_.messages_max || bytes_ > settings_.bytes_max;
}

bool Queue::has_all_messages() const {
    return (settings_.bounds_stored ? messages_ : unstored_) >= settings_.messages_max;
}

bool Queue::is_full_for(const Message& message) const {
    if (settings_.bounds_stored) {
        return messages_ >= settings_.messages_max || bytes_ + message.size() > settings_.bytes_max;
    }
    return !stores(message) && (unstored_ >= settings_.messages_max ||
                                unstored_bytes_ + message.size() > settings_.bytes_max);
}

// What the store holds is bounded by the disk, all else by the queue's settings.
Admission Queue::admits(const Message& message) const {
    if (stores(message) && !store_->journal().accepts_appends()) {
        return store_->journal().has_failed() ? Admission::storage_failed : Admission::disk_full;
    }
    const bool is_refused = settings_.overflow == Overflow::reject && is_full_for(message);
    return is_refused ? Admission::queue_full : Admission::accepted;
}

void Queue::count_in(const Message& message) {
    ++messages_;
    bytes_ += message.size();
    if (stores(message)) { return; }
    ++unstored_;
    unstored_bytes_ += message.size();
}

// `stored` messages of `size` octets are among them.
void Queue::count_out(
    std::size_t messages, std::size_t bytes, std::size_t stored, std::size_t size
) {
    assert(messages_ >= messages && bytes_ >= bytes);
    assert(unstored_ >= messages - stored && unstored_bytes_ >= bytes - size);
    messages_ -= messages;
    bytes_ -= bytes;
    unstored_ -= messages - stored;
    unstored_bytes_ -= bytes - size;
}

Instant Queue::waiting_age() {
    shard_.assert_current();
    if (waiting() == 0) {
        waiting_age_.forget();
        return Instant(0);
    }
    const std::uint64_t front =
        backlog_.empty() ? store_->front_outside() : backlog_.front().sequence;
    const std::uint64_t last = store_ ? store_->last_place() : last_sequence_;
    return waiting_age_.look(front, last, shard_.now());
}

// SEND path, stop 5 of 7 (queues).
Admission Queue::push(const MessageRef& message) {
    shard_.assert_current();
    if (is_dropped_) { return Admission::accepted; }
    if (const Admission admission = admits(*message); admission != Admission::accepted) {
        return admission;
    }
    take_in(message);
    return Admission::accepted;
}

Admission Queue::push_admitted(const MessageRef& message) {
    shard_.assert_current();
    const Admission admission = admits(*message);
    const bool is_accepted = admission == Admission::accepted || admission == Admission::disk_full;
    if (is_accepted && !is_dropped_) { take_in(message); }
    return is_accepted ? Admission::accepted : admission;
}

void Queue::take_in(const MessageRef& message) {
    if (!settings_.message_ttl) { return accept(message); }
    accept(stamped(message));
}

// With the queue's own time to live, if that ends sooner (P-QOS-01).
MessageRef Queue::stamped(const MessageRef& message) const {
    if (!settings_.message_ttl) { return message; }
    const auto ttl = std::max<std::int64_t>(1, settings_.message_ttl->count());
    const auto expires = static_cast<std::int64_t>(shard_.wall_clock_ms()) + ttl;
    const std::int64_t before = message->facts().expires;
    return before != 0 && before <= expires ? message : remade(*message, {}, expires);
}

void Queue::accept(const MessageRef& message) {
    shard_.assert_current();
    count_in(*message);
    ++meter_.published;
    const bool is_plain =
        dispatcher_.is_plain(*message) && message->facts().expires == 0 && !settings_.is_last_value;
    if (!store_ && is_plain && backlog_.empty() && !is_dispatching_) {
        // The usual case: a consumer is waiting, and the message never enters the backlog.
        Consumer* const consumer = dispatcher_.next_ready(message->size());
        if (consumer != nullptr && !is_withheld(*consumer, *message)) {
            is_dispatching_ = true;
            deliver(*consumer, {message, ++last_sequence_, 0});
            is_dispatching_ = false;
            if (!backlog_.empty()) { dispatch(); }
            return;
        }
    }
    enqueue(message);
    dispatch();
}

void Queue::enqueue(const MessageRef& message) {
    shard_.assert_current();
    if (!store_) { return let_wait({message, ++last_sequence_, 0}); }
    const bool is_stored = message->is_persistent();
    const std::uint64_t sequence =
        is_stored ? store_->append(message, dispatcher_.consumers() != 0) : store_->next_unstored();
    let_wait({message, sequence, 0, is_stored});
    await_store();
}

void Queue::let_wait(Delivery delivery) {
    shard_.assert_current();
    const bool expires = delivery.message->facts().expires != 0;
    const Delivery expiring = expires ? delivery : Delivery{};
    if (store_) {
        store_->keep(std::move(delivery), backlog_);
    } else {
        backlog_.push(std::move(delivery));
    }
    if (expires) { note_expiry(expiring); }
}

void Queue::joined(const Delivery& delivery, Place place) {
    shard_.assert_current();
    if (settings_.is_last_value && delivery.message->facts().has_last_value) {
        const std::string key(delivery.message->find("_AMQ_LVQ_NAME"));
        const auto [entry, is_new] = last_values_.emplace(key, place);
        if (!is_new && entry->second.sequence < place.sequence) {
            superseded_.push_back(entry->second);
            entry->second = place;
        } else if (!is_new && entry->second.sequence > place.sequence) {
            superseded_.push_back(place);
        }
    }
    dispatcher_.joined(delivery, place);
}

// Last values: what waits with the key of a newer message is replaced by that (P-QOS-07).
void Queue::drop_superseded() {
    shard_.assert_current();
    for (const Place place : std::exchange(superseded_, {})) {
        if (backlog_.find(place) == nullptr) { continue; }
        ++counters_.messages_replaced;
        leave(backlog_.take(place));
    }
    if (last_values_.size() <= 1024 + 2 * backlog_.size()) { return; }
    std::erase_if(last_values_, [this](const auto& entry) {
        shard_.assert_current();
        return backlog_.find(entry.second) == nullptr;
    });
}

// The oldest messages that wait make room for newer ones.
void Queue::drop_heads() {
    shard_.assert_current();
    const auto is_over = [this] {
        shard_.assert_current();
        if (!settings_.bounds_stored && unstored_ <= settings_.messages_max &&
            unstored_bytes_ <= settings_.bytes_max) {
            return false;
        }
        const std::size_t octets = backlog_.bytes() + (store_ ? store_->waiting_bytes() : 0);
        return waiting() > settings_.messages_max || octets > settings_.bytes_max;
    };
    while (is_over()) {
        const bool is_page_first = store_ && store_->has_page() &&
                                   (backlog_.empty() || store_->is_behind_page(backlog_.front()));
        // What is on disk only has to be read first; until then the queue is too long.
        if (is_page_first) { return read_page(); }
        if (backlog_.empty()) { return; }
        discard(backlog_.pop(), "overflow");
    }
}

// Asks, once a turn, to be told when the turn's changes are stored.
void Queue::await_store() {
    if (!store_->wants_notice()) { return; }
    store_->journal().when_stored([weak = weak_from_this()] {
        if (const auto self = weak.lock()) { self->note_stored(); }
    });
}

void Queue::note_stored() {
    store_->note_stored();
    dispatch();
}

Admission Queue::reserve(const Message& message) {
    shard_.assert_current();
    Admission admission = admits(message);
    // A COMMIT cannot wait for room.
    if (admission == Admission::accepted && wants_to_block()) { admission = Admission::queue_full; }
    if (admission == Admission::accepted) { count_in(message); }
    return admission;
}

void Queue::cancel_reservation(const std::vector<MessageRef>& messages) {
    for (const MessageRef& message : messages) {
        const bool is_stored = stores(*message);
        const std::size_t size = message->size();
        count_out(1, size, is_stored ? 1 : 0, is_stored ? size : 0);
    }
    if (!blocked_.empty()) { let_publishers_go(); }
}

void Queue::push_reserved(const std::vector<MessageRef>& messages) {
    shard_.assert_current();
    if (is_dropped_) { return; }
    for (const MessageRef& message : messages) {
        const MessageRef arrived = stamped(message);
        if (arrived != message) {
            // Its own line has made it longer than what was reserved.
            cancel_reservation({message});
            count_in(*arrived);
        }
        ++meter_.published;
        enqueue(arrived);
    }
    dispatch();
}

void Queue::drop() {
    is_dropped_ = true;
    if (store_) { store_->drop(); }
    // What they send next makes a new queue.
    release_publishers();
}

void Queue::define() {
    if (store_) { store_->define(); }
}

void Queue::declare(const QueueArguments& arguments) {
    shard_.assert_current();
    arguments_ = arguments;
    if (store_) { store_->define(arguments.attributes()); }
}

void Queue::prepare_stop() {
    if (store_) { store_->lower_bound(); }
}

Consumer& Queue::attach(Consumer consumer) {
    shard_.assert_current();
    return dispatcher_.attach(std::move(consumer));
}

void Queue::close(Consumer& consumer) {
    shard_.assert_current();
    consumer.is_closed = true;
    dispatcher_.refresh(consumer);
}

void Queue::detach(Consumer& consumer) {
    shard_.assert_current();
    dispatcher_.detach(consumer);
    if (dispatcher_.consumers() == 0) { return consumer_left(); }
    dispatch();
}

// The last one has.
void Queue::consumer_left() {
    unused_since_ = shard_.now();
    if (settings_.is_auto_delete) {
        shard_.post([weak = weak_from_this()] {
            const auto self = weak.lock();
            const bool is_unneeded = self && self->consumers() == 0 && !self->is_dropped_;
            if (is_unneeded) { self->host_.remove(*self); }
        });
    }
    watch_idleness();
}

// Removes the queue once nobody has consumed from it for its idle life.
void Queue::watch_idleness() {
    if (settings_.idle_life.count() == 0 || is_idle_watched_ || is_dropped_) { return; }
    is_idle_watched_ = true;
    const auto left = unused_since_ + settings_.idle_life - shard_.now();
    shard_.after(std::max(left, Instant(1)), [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) { return; }
        self->is_idle_watched_ = false;
        if (self->consumers() != 0 || self->is_dropped_) { return; }
        const bool is_due = self->shard_.now() - self->unused_since_ >= self->settings_.idle_life;
        if (is_due) { return self->host_.remove(*self); }
        self->watch_idleness();
    });
}

void Queue::set_access(Consumer& consumer, AccessRef access) {
    shard_.assert_current();
    consumer.access = std::move(access);
}

void Queue::set_blocked(Consumer& consumer, bool blocked) {
    shard_.assert_current();
    consumer.is_blocked = blocked;
    dispatcher_.refresh(consumer);
    if (!blocked) { dispatch(); }
}

void Queue::release(Consumer& consumer, std::size_t messages, std::size_t bytes) {
    shard_.assert_current();
    assert(consumer.unsettled >= messages && consumer.unsettled_bytes >= bytes);
    consumer.unsettled -= messages;
    consumer.unsettled_bytes -= bytes;
    dispatcher_.refresh(consumer);
}

void Queue::charge(Consumer& consumer, std::size_t messages, std::size_t bytes) {
    shard_.assert_current();
    consumer.unsettled += messages;
    consumer.unsettled_bytes += bytes;
    dispatcher_.refresh(consumer);
}

void Queue::acknowledged(const Settled& settled) {
    shard_.assert_current();
    meter_.acked += settled.messages;
    settle(settled);
}

void Queue::settle(const Settled& settled) {
    std::size_t stored = 0;
    std::size_t size = 0;
    for (const StoredRange& range : settled.stored) {
        stored += range.messages.last - range.messages.first + 1;
        size += range.bytes;
    }
    count_out(settled.messages, settled.bytes, stored, size);
    if (store_) { store_->remove(settled); }
    if (!blocked_.empty()) { let_publishers_go(); }
}

void Queue::let_publishers_go() {
    if (!is_over_bounds()) { release_publishers(); }
}

void Queue::release_publishers() {
    for (const Remote<Session>& publisher : std::exchange(blocked_, {})) {
        publisher.post([](Session& session) { session.unblock(); });
    }
}

void Queue::leave(const Delivery& delivery) {
    const std::size_t size = delivery.message->size();
    count_out(1, size, delivery.is_stored ? 1 : 0, delivery.is_stored ? size : 0);
    if (store_) { store_->remove(delivery); }
    if (!blocked_.empty()) { let_publishers_go(); }
}

// A message that waited leaves for another reason than being delivered.
void Queue::discard(const Delivery& delivery, std::string_view reason) {
    leave(delivery);
    ++meter_.dropped;
    const bool is_expired = reason == "expired";
    ++(is_expired ? counters_.messages_expired : counters_.messages_overflowed);
    const bool is_buried =
        is_expired ? settings_.dead_letters_expired : settings_.dead_letters_overflow;
    if (is_buried) { host_.dead_letter(*this, delivery, reason); }
}

void Queue::give_back(std::vector<Delivery> deliveries, Return how) {
    shard_.assert_current();
    const bool is_put_off = how == Return::requeue && settings_.redelivery.delay.count() != 0;
    for (Delivery& delivery : deliveries) {
        if (is_put_off) {
            const auto delay = redelivery_delay(delivery);
            give_back_later(std::move(delivery), delay);
        } else {
            take_back(std::move(delivery), how);
        }
    }
}

bool Queue::is_over_limit(const Delivery& delivery) const {
    return settings_.delivery_limit != 0 && delivery.count >= settings_.delivery_limit &&
           !is_dead_letter_queue();
}

std::chrono::milliseconds Queue::redelivery_delay(const Delivery& delivery) const {
    const RedeliveryPolicy& policy = settings_.redelivery;
    constexpr std::chrono::milliseconds longest = std::chrono::hours(24);
    const auto limit = policy.delay_max.count() == 0 ? longest : policy.delay_max;
    std::chrono::milliseconds delay = policy.delay;
    for (std::uint32_t i = 1; i < delivery.count && delay < limit && policy.multiplier > 1; ++i) {
        delay *= policy.multiplier;
    }
    return std::min(delay, limit);
}

void Queue::take_back(Delivery delivery, Return how) {
    if (how == Return::unseen) {
        --delivery.count;
    } else {
        const bool is_over = is_over_limit(delivery);
        if (how == Return::rejected || is_over) {
            leave(delivery);
            return host_.dead_letter(*this, delivery, is_over ? "delivery-limit" : "rejected");
        }
        if (store_) { store_->set_deliveries(delivery); }
    }
    shard_.assert_current();
    const bool expires = delivery.message->facts().expires != 0;
    const Delivery returned = expires ? delivery : Delivery{};
    backlog_.give_back(std::move(delivery));
    if (expires) { note_expiry(returned); }
}

void Queue::give_back_later(Delivery delivery, std::chrono::milliseconds delay) {
    shard_.assert_current();
    // The limit is reached now, not when the delay is over (P-ACK-10).
    if (is_over_limit(delivery)) { return take_back(std::move(delivery), Return::requeue); }
    ++delayed_;
    shard_.after(delay, [weak = weak_from_this(), delivery = std::move(delivery)]() mutable {
        const auto self = weak.lock();
        if (!self) { return; }
        --self->delayed_;
        self->take_back(std::move(delivery), Return::requeue);
        self->dispatch();
    });
}

Delivery Queue::take_from_backlog(Place place) {
    shard_.assert_current();
    return dispatcher_.is_plain() ? backlog_.pop() : backlog_.take(place);
}

// Guarded against itself: a delivery may be settled, and the queue asked for more, before it
// returns.
void Queue::dispatch() {
    shard_.assert_current();
    if (is_dispatching_ || is_dropped_) { return; }
    is_dispatching_ = true;
    if (!superseded_.empty()) { drop_superseded(); }
    while (const auto turn = dispatcher_.next(fence())) {
        Delivery delivery = take_from_backlog(turn->place);
        if (delivery.message->is_expired_by(shard_)) {
            discard(delivery, "expired");
        } else if (is_withheld(*turn->consumer, *delivery.message)) {
            leave(delivery);
        } else {
            deliver(*turn->consumer, std::move(delivery));
        }
        if (!superseded_.empty()) { drop_superseded(); }
    }
    if (store_) { turn_page(); }
    is_dispatching_ = false;
    // What has come (back), or can be read from disk now, may be too much.
    if (settings_.overflow == Overflow::drop_head) { drop_heads(); }
    if (!dispatcher_.is_unfinished() || is_going_on_) { return; }
    is_going_on_ = true;
    shard_.post([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) { return; }
        self->is_going_on_ = false;
        self->dispatch();
    });
}

// What the store may have to do before more can be delivered.
void Queue::turn_page() {
    shard_.assert_current();
    // Where the order is not that of the store all of it is read, whoever waits for it.
    const bool is_loading = settings_.is_reordered() && store_->has_page();
    if (dispatcher_.consumers() == 0 && !is_loading) { return; }
    if (const auto held_back = dispatcher_.held_back()) { store_->allow_dispatch(*held_back); }
    // Consumers that find nothing in the part that is in memory need more of it.
    const bool is_searching = !dispatcher_.is_plain() && dispatcher_.is_hungry() &&
                              backlog_.bytes() < settings_.bytes_max;
    if (store_->wants_page(backlog_) || (is_searching && store_->may_read_page())) { read_page(); }
    await_store();
}

void Queue::read_page() {
    if (!store_->may_read_page()) { return; }
    store_->journal().read(
        store_->page_request(),
        [weak = weak_from_this()](const storage::ReadResult& result) {
            const auto self = weak.lock();
            if (!self) { return; }
            self->shard_.assert_current();
            self->counters_.messages_damaged += self->store_->take_page(result, self->backlog_);
            self->dispatch();
            if (self->store_->has_page() || self->when_loaded_.empty()) { return; }
            for (const auto& browse : std::exchange(self->when_loaded_, {})) {
                browse();
            }
        }
    );
}

void Queue::deliver(Consumer& consumer, Delivery delivery) {
    ++consumer.unsettled;
    consumer.unsettled_bytes += delivery.message->size();
    dispatcher_.refresh(consumer);
    ++meter_.delivered;
    ++delivery.count;
    if (delivery.count > 1) { ++counters_.messages_redelivered; }
    if (store_) { store_->note_dispatch(delivery.sequence); }
    if (consumer.local != nullptr) { return consumer.local->take(std::move(delivery)); }
    consumer.remote_router->shard().post([router = consumer.remote_router,
                                          to = consumer.remote,
                                          queue = weak_from_this(),
                                          delivery = std::move(delivery)]() mutable {
        router->deliver(to, std::move(queue), std::move(delivery));
    });
}

}  // namespace engine
