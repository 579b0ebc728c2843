#include "broker/engine/queue_store.hpp"

#include "broker/engine/stored_message.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace engine {

namespace {

// A bound is stored for so many messages ahead, and raised when fewer than half of them are left:
// one small record for a thousand deliveries, and few messages marked without need after a crash.
constexpr storage::Sequence bound_ahead = 2048;

// A tail is kept in memory only while the page before it is that short.
constexpr storage::Sequence tail_page_max = 4096;

// What is stored in place of a message to keep the numbers without gap.
constexpr std::string_view placeholder = "gone";

// In the definition's attributes: some of its messages expire.
constexpr std::string_view expiring_attribute = "expiring=1:1\n";

constexpr std::uint64_t unstored_max = (std::uint64_t{1} << unstored_bits) - 1;

}  // namespace

QueueStore::QueueStore(Journal& journal, storage::QueueDefinition definition, Options options)
    : journal_(journal),
      definition_(std::move(definition)),
      options_(options),
      id_(journal.new_queue_id()) {
    update_fence();
}

QueueStore::QueueStore(Journal& journal, const storage::RecoveredQueue& recovered, Options options)
    : journal_(journal),
      definition_(recovered.definition),
      options_(options),
      recovered_last_(recovered.last),
      recovered_bound_(std::min(recovered.dispatch_bound, recovered.last)),
      id_(recovered.id),
      is_defined_(true),
      last_(recovered.last),
      stored_(recovered.last),
      bound_(recovered.dispatch_bound),
      bound_asked_(recovered.dispatch_bound),
      page_messages_(recovered.messages),
      page_bytes_(recovered.bytes),
      holes_(recovered.holes) {
    if (recovered.messages != 0) { page_ = {recovered.first, recovered.last}; }
    has_expiring_ = definition_.attributes.find(expiring_attribute) != std::string::npos;
    update_fence();
}

void QueueStore::define() {
    if (is_defined_) { return; }
    is_defined_ = true;
    journal_.batch().define({id_, definition_});
}

void QueueStore::define(const std::string& attributes) {
    if (is_dropped_) { return; }
    definition_.attributes = attributes;
    if (has_expiring_) { definition_.attributes += expiring_attribute; }
    is_defined_ = true;
    journal_.batch().define({id_, definition_});
}

void QueueStore::drop() {
    if (is_defined_ && !is_dropped_) { journal_.batch().drop({id_}); }
    is_dropped_ = true;
}

void QueueStore::note_change() {
    const std::uint64_t position = journal_.next_position();
    if (pending_.empty() || pending_.back().position != position) {
        pending_.push_back({position, last_, bound_asked_});
    } else {
        pending_.back() = {position, last_, bound_asked_};
    }
}

bool QueueStore::wants_notice() {
    const std::uint64_t position = journal_.next_position();
    const bool is_new =
        noticed_ != position && !pending_.empty() && pending_.back().position == position;
    if (is_new) { noticed_ = position; }
    return is_new;
}

void QueueStore::note_stored() {
    while (!pending_.empty() && journal_.is_stored(pending_.front().position)) {
        const Pending done = pending_.pop_front();
        stored_ = done.last;
        bound_ = done.bound;
    }
    update_fence();
}

void QueueStore::update_fence() {
    // Early, a message may go as soon as the bound cannot be stored after it.
    const bool is_early = options_.is_early && before_asked_ <= bound_;
    const storage::Sequence safe = is_early ? std::min(last_, bound_asked_)
                                            : std::min(options_.is_early ? last_ : stored_, bound_);
    fence_ = (safe + 1) << unstored_bits;
    if (!has_page()) { return; }
    fence_ = options_.is_reordered ? 0 : std::min(fence_, page_.first << unstored_bits);
}

std::uint64_t QueueStore::append(const MessageRef& message, bool is_served) {
    define();
    ++last_;
    unstored_ = 0;
    journal_.batch().append({id_, last_, message->whole(), message});
    if (is_served && !has_page() && last_ + bound_ahead / 2 > bound_asked_) { raise_bound(last_); }
    note_change();
    if (options_.is_early) { update_fence(); }
    return last_ << unstored_bits;
}

std::uint64_t QueueStore::next_unstored() {
    // After a million of them the store's numbers move on by one that is gone at once.
    if (unstored_ == unstored_max) {
        define();
        journal_.batch().append({id_, ++last_, placeholder, nullptr});
        journal_.batch().remove({id_, {last_, last_}, placeholder.size()});
        holes_.push_back({last_, last_});
        unstored_ = 0;
        note_change();
    }
    return last_ << unstored_bits | ++unstored_;
}

void QueueStore::remove(const Settled& settled) {
    if (is_dropped_) { return; }
    for (const StoredRange& range : settled.stored) {
        journal_.batch().remove({id_, range.messages, range.bytes});
    }
}

void QueueStore::remove(const Delivery& delivery) {
    if (is_dropped_ || !delivery.is_stored) { return; }
    const storage::Sequence at = stored_sequence(delivery.sequence);
    journal_.batch().remove({id_, {at, at}, delivery.message->size()});
}

void QueueStore::set_deliveries(const Delivery& delivery) {
    if (is_dropped_ || !delivery.is_stored) { return; }
    journal_.batch().set_deliveries({id_, stored_sequence(delivery.sequence), delivery.count});
}

void QueueStore::allow_dispatch(std::uint64_t sequence) {
    const storage::Sequence at = stored_sequence(sequence);
    if (is_dropped_ || at + bound_ahead / 2 <= bound_asked_) { return; }
    raise_bound(at);
    note_change();
    if (options_.is_early) { update_fence(); }
}

void QueueStore::note_dispatch(std::uint64_t sequence) {
    dispatched_ = std::max(dispatched_, stored_sequence(sequence));
    allow_dispatch(sequence);
}

void QueueStore::lower_bound() {
    const storage::Sequence seen = std::max(dispatched_, recovered_bound_);
    if (is_dropped_ || !is_defined_ || seen >= bound_asked_) { return; }
    bound_asked_ = seen;
    journal_.batch().set_dispatch_bound({id_, bound_asked_});
    note_change();
}

storage::Sequence QueueStore::last_of_earlier_turns() {
    const std::uint64_t position = journal_.next_position();
    for (std::size_t i = pending_.size(); i-- > 0;) {
        if (pending_[i].position != position) { return pending_[i].last; }
    }
    return stored_;
}

void QueueStore::raise_bound(storage::Sequence sequence) {
    define();
    before_asked_ = last_of_earlier_turns();
    bound_asked_ = sequence + bound_ahead;
    journal_.batch().set_dispatch_bound({id_, bound_asked_});
}

void QueueStore::keep(Delivery delivery, Backlog& backlog) {
    const std::size_t size = delivery.message->size();
    if (!has_page()) {
        if (!delivery.is_stored || backlog.bytes() + size <= options_.memory_max) {
            return backlog.push(std::move(delivery));
        }
        const storage::Sequence at = stored_sequence(delivery.sequence);
        page_ = {at, at};
        page_messages_ = 1;
        page_bytes_ = size;
        return update_fence();
    }
    const bool is_kept =
        !delivery.is_stored || !tail_.empty() || page_.last - page_.first < tail_page_max;
    if (is_kept) {
        tail_bytes_ += size;
        tail_.push_back(std::move(delivery));
        if (tail_bytes_ > options_.memory_max / 2) { spill_tail(backlog); }
        return;
    }
    page_.last = stored_sequence(delivery.sequence);
    ++page_messages_;
    page_bytes_ += size;
}

// The page takes over what is stored of the tail; what is not stays in memory, at its place.
void QueueStore::spill_tail(Backlog& backlog) {
    tail_gaps_ = 0;
    while (!tail_.empty()) {
        Delivery delivery = tail_.pop_front();
        if (!delivery.message) {
            if (delivery.is_stored) { page_.last = stored_sequence(delivery.sequence); }
            continue;
        }
        if (!delivery.is_stored) {
            backlog.give_back(std::move(delivery));
            continue;
        }
        page_.last = stored_sequence(delivery.sequence);
        ++page_messages_;
        page_bytes_ += delivery.message->size();
    }
    tail_bytes_ = 0;
}

bool QueueStore::may_read_page() const {
    return has_page() && !is_reading_ && page_.first <= stored_ && !is_dropped_ &&
           !journal_.has_failed();
}

// Its index, or the tail's size.
std::size_t QueueStore::find_in_tail(std::uint64_t sequence) const {
    const std::size_t at = Backlog::lower_bound(tail_, sequence);
    const bool is_there = at != tail_.size() && tail_[at].sequence == sequence && tail_[at].message;
    return is_there ? at : tail_.size();
}

std::optional<Delivery> QueueStore::take_from_tail(std::uint64_t sequence) {
    const std::size_t at_index = find_in_tail(sequence);
    if (at_index == tail_.size()) { return std::nullopt; }
    Delivery delivery = tail_[at_index];
    tail_[at_index].message = nullptr;
    ++tail_gaps_;
    tail_bytes_ -= delivery.message->size();
    // When the page has ended, its place there is no place for a message.
    if (delivery.is_stored) {
        const storage::Sequence at = stored_sequence(sequence);
        add_hole({at, at});
    }
    return delivery;
}

// Keeps the holes rising.
void QueueStore::add_hole(storage::SequenceRange hole) {
    const auto after = std::lower_bound(
        holes_.begin(),
        holes_.end(),
        hole.first,
        [](const auto& other, storage::Sequence first) { return other.first < first; }
    );
    if (after != holes_.begin() && std::prev(after)->last + 1 == hole.first) {
        std::prev(after)->last = hole.last;
        return;
    }
    holes_.insert(after, hole);
}

bool QueueStore::is_on_page(std::uint64_t sequence) const {
    const storage::Sequence at = stored_sequence(sequence);
    const bool is_stored = (sequence & unstored_max) == 0;
    if (!is_stored || !has_page() || at < page_.first || at > page_.last) { return false; }
    const auto after = std::upper_bound(
        holes_.begin(),
        holes_.end(),
        at,
        [](storage::Sequence value, const auto& hole) { return value < hole.first; }
    );
    return after == holes_.begin() || std::prev(after)->last < at;
}

void QueueStore::discard_from_page(std::uint64_t sequence, std::size_t size) {
    const storage::Sequence at = stored_sequence(sequence);
    take_from_page(sequence, size);
    if (!is_dropped_) { journal_.batch().remove({id_, {at, at}, size}); }
}

void QueueStore::take_from_page(std::uint64_t sequence, std::size_t size) {
    const storage::Sequence at = stored_sequence(sequence);
    add_hole({at, at});
    page_messages_ -= std::min<std::size_t>(page_messages_, 1);
    page_bytes_ -= std::min(page_bytes_, size);
}

QueueStore::Purged QueueStore::purge_page(Backlog& backlog) {
    const Purged gone{page_messages_, page_bytes_};
    std::size_t bytes = page_bytes_;
    const auto remove = [&](storage::Sequence first, storage::Sequence last) {
        if (first > last || is_dropped_) { return; }
        journal_.batch().remove({id_, {first, last}, std::exchange(bytes, 0)});
    };
    storage::Sequence first = page_.first;
    for (const storage::SequenceRange& hole : holes_) {
        if (hole.first > page_.last) { break; }
        remove(first, hole.first - 1);
        first = std::max(first, hole.last + 1);
    }
    remove(first, page_.last);
    is_read_void_ = is_reading_;
    end_page(backlog);
    update_fence();
    return gone;
}

storage::ReadRequest QueueStore::read_request(storage::Sequence from, storage::Sequence to) const {
    storage::ReadRequest request;
    request.queue = id_;
    request.from = from;
    request.to = std::min(to, stored_);
    return request;
}

void QueueStore::note_expiring() {
    if (has_expiring_ || is_dropped_) { return; }
    has_expiring_ = true;
    definition_.attributes += expiring_attribute;
    if (is_defined_) { journal_.batch().define({id_, definition_}); }
}

bool QueueStore::wants_page(Backlog& backlog) const {
    if (!may_read_page()) { return false; }
    return backlog.empty() || backlog.bytes() <= options_.memory_max / 2 ||
           backlog.front().sequence >= page_.first << unstored_bits;
}

storage::ReadRequest QueueStore::page_request() {
    is_reading_ = true;
    storage::ReadRequest request;
    request.queue = id_;
    request.from = page_.first;
    request.to = std::min(page_.last, stored_);
    request.messages_max = 4096;
    request.bytes_max = options_.memory_max / 4;
    return request;
}

// Of the messages from `from` to `to`: those that have left.
std::size_t QueueStore::holes_between(storage::Sequence from, storage::Sequence to) const {
    std::size_t count = 0;
    for (const storage::SequenceRange& hole : holes_) {
        const storage::Sequence first = std::max(hole.first, from);
        const storage::Sequence last = std::min(hole.last, to);
        if (first <= last) { count += last - first + 1; }
    }
    return count;
}

std::size_t QueueStore::take_page(const storage::ReadResult& result, Backlog& backlog) {
    is_reading_ = false;
    if (std::exchange(is_read_void_, false)) { return 0; }
    assert(result.next > page_.first);
    const storage::Sequence last = result.next - 1;
    // Whatever is expected and not restored is damaged, or missing.
    std::size_t expected = last - page_.first + 1 - holes_between(page_.first, last);
    auto hole = holes_.begin();
    for (const storage::ReadResult::Stored& stored : result.messages) {
        while (hole != holes_.end() && hole->last < stored.sequence) {
            ++hole;
        }
        if (hole != holes_.end() && hole->first <= stored.sequence) { continue; }
        MessageRef message = restore_message(result.record(stored), options_.policy);
        if (!message) { continue; }
        --expected;
        const std::uint32_t count = deliveries_of(stored);
        page_messages_ -= std::min<std::size_t>(page_messages_, 1);
        page_bytes_ -= std::min(page_bytes_, message->size());
        backlog.push({std::move(message), stored.sequence << unstored_bits, count, true});
    }
    page_.first = result.next;
    std::erase_if(holes_, [last](const storage::SequenceRange& gone) { return gone.last <= last; });
    if (!has_page()) { end_page(backlog); }
    update_fence();
    return expected;
}

std::uint32_t QueueStore::deliveries_of(const storage::ReadResult::Stored& stored) const {
    // After an unclean stop nobody knows whether a consumer has seen it (D-LSM-06).
    const bool may_be_seen = stored.sequence <= recovered_bound_;
    return std::max(stored.deliveries, may_be_seen ? 1U : 0U);
}

void QueueStore::end_page(Backlog& backlog) {
    page_ = {1, 0};
    page_messages_ = 0;
    page_bytes_ = 0;
    tail_bytes_ = 0;
    tail_gaps_ = 0;
    while (!tail_.empty()) {
        Delivery delivery = tail_.pop_front();
        if (delivery.message) { backlog.push(std::move(delivery)); }
    }
    // Holes behind the page were those of the tail.
    holes_.clear();
}

}  // namespace engine
