// Queue: messages whose time is over leave, whether or not anyone reads (P-QOS-02).
#include "broker/engine/queue.hpp"
#include "broker/engine/stored_message.hpp"

#include <algorithm>

namespace engine {

namespace {

// A timer never waits longer: the wall clock may be set.
constexpr std::int64_t wait_max_ms = 10'000;

}  // namespace

void Queue::note_expiry(const Delivery& delivery) {
    shard_.assert_current();
    const Message& message = *delivery.message;
    expiries_.add(
        {message.facts().expires,
         backlog_.place_of(delivery),
         static_cast<std::uint32_t>(message.size())}
    );
    if (store_ && delivery.is_stored) { store_->note_expiring(); }
    if (expiries_.size() > 1024 && expiries_.size() > 2 * waiting() + 1024) {
        expiries_.retain([this](const Expiries::Entry& entry) {
            shard_.assert_current();
            return backlog_.find(entry.place) != nullptr ||
                   (store_ && store_->has_outside(entry.place.sequence));
        });
    }
    arm_expiry();
}

void Queue::arm_expiry() {
    if (expiries_.empty()) { return; }
    const auto now = static_cast<std::int64_t>(shard_.wall_clock_ms());
    const std::int64_t due = expiries_.soonest().expires;
    if (expiry_armed_ != 0 && expiry_armed_ <= due) { return; }
    const std::int64_t wait = std::clamp<std::int64_t>(due - now, 1, wait_max_ms);
    expiry_armed_ = now + wait;
    shard_.after(std::chrono::milliseconds(wait), [weak = weak_from_this(), at = expiry_armed_] {
        const auto self = weak.lock();
        // Else an earlier one has been armed since, and went on from there.
        if (self && self->expiry_armed_ == at) { self->expire_due(); }
    });
}

void Queue::expire_due() {
    shard_.assert_current();
    expiry_armed_ = 0;
    const std::uint64_t now = shard_.wall_clock_ms();
    while (!expiries_.empty() && static_cast<std::uint64_t>(expiries_.soonest().expires) <= now &&
           !is_dropped_) {
        const Expiries::Entry entry = expiries_.pop();
        if (backlog_.find(entry.place) != nullptr) {
            discard(backlog_.take(entry.place), "expired");
        } else if (store_) {
            expire_on_disk(entry);
        }
    }
    arm_expiry();
}

// It is not in memory, or not in the backlog: the store's part of the queue has it, or it is gone.
void Queue::expire_on_disk(const Expiries::Entry& entry) {
    const std::uint64_t sequence = entry.place.sequence;
    if (const auto delivery = store_->take_from_tail(sequence)) {
        return discard(*delivery, "expired");
    }
    if (!store_->is_on_page(sequence)) { return; }
    if (!settings_.dead_letters_expired) {
        ++counters_.messages_expired;
        return leave_page(sequence, entry.size);
    }
    const storage::Sequence at = stored_sequence(sequence);
    store_->journal().read(
        store_->read_request(at, at),
        [weak = weak_from_this(), place = entry.place](const storage::ReadResult& result) {
            const auto self = weak.lock();
            if (self && !self->is_dropped_) { self->bury_from_disk(place, result); }
        }
    );
}

void Queue::bury_from_disk(Place place, const storage::ReadResult& result) {
    shard_.assert_current();
    // It may have been read for consumers meanwhile.
    if (backlog_.find(place) != nullptr) { return discard(backlog_.take(place), "expired"); }
    if (result.messages.empty() || !store_->is_on_page(place.sequence)) { return; }
    const auto& stored = result.messages.front();
    auto message = restore_message(result.record(stored), settings_.policy);
    if (!message) { return; }
    ++counters_.messages_expired;
    // The letter and the removal are in one batch.
    leave_page(place.sequence, message->size());
    host_.dead_letter(
        *this, {std::move(message), place.sequence, stored.deliveries, true}, "expired"
    );
}

void Queue::leave_page(std::uint64_t sequence, std::size_t size) {
    count_out(1, size, 1, size);
    store_->discard_from_page(sequence, size);
    if (!blocked_.empty()) { let_publishers_go(); }
}

void Queue::scan_expiries() {
    if (!store_ || !store_->has_expiring() || !store_->has_page()) { return; }
    scan_from(store_->page().first);
}

// Looks at the messages on disk, a part at a time.
void Queue::scan_from(storage::Sequence from) {
    const storage::SequenceRange page = store_->page();
    if (!store_->has_page() || from > page.last || store_->journal().has_failed()) { return; }
    store_->journal().read(
        store_->read_request(from, page.last),
        [weak = weak_from_this()](const storage::ReadResult& result) {
            const auto self = weak.lock();
            if (!self || self->is_dropped_) { return; }
            self->shard_.assert_current();
            for (const auto& stored : result.messages) {
                const auto message = restore_message(result.record(stored));
                if (!message || message->facts().expires == 0) { continue; }
                self->note_expiry({message, stored.sequence << unstored_bits, 0, true});
            }
            self->scan_from(result.next);
        }
    );
}

}  // namespace engine
