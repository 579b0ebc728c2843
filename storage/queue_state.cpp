// Applies changes to one queue and writes its records.
// No message is deleted on its own account while the queue is emptied in order (D-LSM-03).
#include "storage/queue_state.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace storage {
namespace {

/// Fewer messages than these are deleted one by one: range deletions cost reads.
constexpr std::uint64_t range_worth = 16;

}  // namespace

void QueueState::append(const Batch::Append& change, Writes& out) {
    assert(change.sequence == last_ + 1);
    last_ = change.sequence;
    ++messages_;
    bytes_ += change.octets.size();
    const Key key = message_key(id_, change.sequence);
    seal(value_, key.view(), change.octets);
    out.put(Family::messages, key.view(), value_);
}

void QueueState::remove(const Batch::Remove& change, Writes& out) {
    const std::uint64_t count = change.messages.last - change.messages.first + 1;
    assert(change.messages.last <= last_ && count <= messages_ && change.bytes <= bytes_);
    left_.remove(change.messages);
    messages_ -= count;
    bytes_ -= change.bytes;
    untrimmed_bytes_ += change.bytes;
    if (!counted_.empty()) { forget_deliveries(change.messages, out); }
}

void QueueState::set_deliveries(const Batch::Deliveries& change, Writes& out) {
    assert(change.sequence <= last_);
    // Counts are applied after removals: this one may be of a message that has left since.
    if (left_.has_left(change.sequence)) { return; }
    const Key key = state_key({StateKind::deliveries, id_, change.sequence});
    encode(payload_, change.count);
    seal(value_, key.view(), payload_);
    out.put(Family::state, key.view(), value_);
    counted_.insert(change.sequence);
}

void QueueState::set_dispatch_bound(Sequence bound) {
    dispatch_bound_ = bound;
}

void QueueState::drop(Writes& out) {
    if (trimmed_ <= last_) { erase_messages({trimmed_, last_}, out); }
    out.erase(Family::state, state_key({StateKind::cursor, id_}).view());
    out.erase(Family::state, state_key({StateKind::definition, id_}).view());
    for (const StateKind kind : {StateKind::mark, StateKind::deliveries}) {
        const Key from = state_key({kind, id_, 0});
        out.erase_range(Family::state, from.view(), state_key({kind, id_ + 1, 0}).view());
    }
}

void QueueState::finish(Writes& out, Time now) {
    is_touched_ = false;
    write_marks(out);
    for (const SequenceRange& messages : left_.take_trims()) {
        erase_messages(messages, out);
    }
    if (is_trim_due(now)) { trim(out, now); }
    write_cursor(out);
}

void QueueState::trim(Writes& out, Time now) {
    last_trim_ = now;
    untrimmed_bytes_ = 0;
    if (trimmed_ == left_.head()) { return; }
    erase_messages({trimmed_, left_.head() - 1}, out);
    trimmed_ = left_.head();
}

bool QueueState::is_trim_due(Time now) const {
    const std::uint64_t messages = left_.head() - trimmed_;
    if (messages == 0) { return false; }
    return messages >= trim_messages || untrimmed_bytes_ >= trim_bytes ||
           now - last_trim_ >= trim_interval;
}

bool QueueState::restore(const Cursor& cursor) {
    left_ = AckSet(cursor.first);
    last_ = cursor.last;
    messages_ = cursor.messages;
    bytes_ = cursor.bytes;
    dispatch_bound_ = cursor.dispatch_bound;
    trimmed_ = cursor.trimmed;
    return std::ranges::all_of(cursor.holes, [this](const SequenceRange& hole) {
        return left_.restore(hole, false);
    });
}

bool QueueState::restore_mark(SequenceRange messages) {
    return messages.last <= last_ && left_.restore(messages, true);
}

bool QueueState::settle() {
    left_.settle();
    std::uint64_t messages = last_ - left_.head() + 1;
    for (const SequenceRange& hole : left_.all()) {
        messages -= hole.last - hole.first + 1;
    }
    const bool are_counted_there = std::ranges::all_of(counted_, [this](Sequence message) {
        return message <= last_ && !left_.has_left(message);
    });
    return messages == messages_ && (messages > 0 || bytes_ == 0) && are_counted_there;
}

RecoveredQueue QueueState::describe() const {
    RecoveredQueue queue;
    queue.id = id_;
    queue.first = left_.head();
    queue.last = last_;
    queue.messages = messages_;
    queue.bytes = bytes_;
    queue.dispatch_bound = dispatch_bound_;
    queue.holes = left_.all();
    return queue;
}

void QueueState::write_cursor(Writes& out) {
    const Key key = state_key({StateKind::cursor, id_});
    Cursor cursor;
    cursor.first = left_.head();
    cursor.last = last_;
    cursor.messages = messages_;
    cursor.bytes = bytes_;
    cursor.dispatch_bound = dispatch_bound_;
    cursor.trimmed = trimmed_;
    cursor.holes = left_.unmarked();
    encode(payload_, cursor);
    seal(value_, key.view(), payload_);
    out.put(Family::state, key.view(), value_);
}

void QueueState::write_marks(Writes& out) {
    for (const SequenceRange& messages : left_.take_marks(cursor_holes_max)) {
        const Key key = state_key({StateKind::mark, id_, messages.first});
        encode(payload_, messages.last);
        seal(value_, key.view(), payload_);
        out.put(Family::state, key.view(), value_);
        erase_messages(messages, out);
    }
    for (const Sequence first : left_.take_passed_marks()) {
        out.erase(Family::state, state_key({StateKind::mark, id_, first}).view());
    }
}

void QueueState::erase_messages(SequenceRange messages, Writes& out) {
    if (messages.last - messages.first + 1 >= range_worth) {
        const Key from = message_key(id_, messages.first);
        out.erase_range(Family::messages, from.view(), message_key(id_, messages.last + 1).view());
        return;
    }
    for (Sequence message = messages.first; message <= messages.last; ++message) {
        out.erase(Family::messages, message_key(id_, message).view());
    }
}

void QueueState::forget_deliveries(SequenceRange messages, Writes& out) {
    auto it = counted_.lower_bound(messages.first);
    while (it != counted_.end() && *it <= messages.last) {
        out.erase(Family::state, state_key({StateKind::deliveries, id_, *it}).view());
        it = counted_.erase(it);
    }
}

}  // namespace storage
