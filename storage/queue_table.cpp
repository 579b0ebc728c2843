// Batches in, records out; and records back in when the store is opened.
// A broken promise of a batch is our own error and ends the process.
#include "storage/queue_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace storage {

void QueueTable::apply(const Batch& batch, Writes& out) {
    for (const Batch::Define& change : batch.defines()) {
        define(change, out);
    }
    for (const Batch::Append& change : batch.appends()) {
        touch(change.queue).append(change, out);
    }
    for (const Batch::Remove& change : batch.removes()) {
        touch(change.queue).remove(change, out);
    }
    for (const Batch::Deliveries& change : batch.deliveries()) {
        touch(change.queue).set_deliveries(change, out);
    }
    for (const Batch::DispatchBound& change : batch.dispatch_bounds()) {
        touch(change.queue).set_dispatch_bound(change.bound);
    }
    for (const Batch::Drop& change : batch.drops()) {
        drop(change, out);
    }
}

void QueueTable::finish_group(Writes& out, QueueState::Time now) {
    for (QueueState* const queue : touched_) {
        queue->finish(out, now);
    }
    touched_.clear();
    latest_ = nullptr;
    ++groups_;
    const Key key = state_key({StateKind::group, groups_ % group_ring});
    encode(payload_, groups_);
    seal(value_, key.view(), payload_);
    out.put(Family::state, key.view(), value_);
}

void QueueTable::define(const Batch::Define& change, Writes& out) {
    assert(change.queue != 0);
    if (queues_.try_emplace(change.queue).second) {
        queues_[change.queue] = std::make_unique<QueueState>(change.queue);
    }
    static_cast<void>(touch(change.queue));
    Key key = state_key({StateKind::definition, change.queue});
    encode(payload_, change.definition);
    seal(value_, key.view(), payload_);
    out.put(Family::state, key.view(), value_);
    if (change.queue < next_queue_) { return; }
    next_queue_ = change.queue + 1;
    key = state_key({StateKind::next_queue});
    encode(payload_, next_queue_);
    seal(value_, key.view(), payload_);
    out.put(Family::state, key.view(), value_);
}

void QueueTable::drop(const Batch::Drop& change, Writes& out) {
    QueueState& queue = touch(change.queue);
    queue.drop(out);
    std::erase(touched_, &queue);
    latest_ = nullptr;
    queues_.erase(change.queue);
}

QueueState& QueueTable::touch(QueueId queue) {
    if (latest_ != nullptr && latest_->id() == queue) { return *latest_; }
    const auto it = queues_.find(queue);
    assert(it != queues_.end());
    latest_ = it->second.get();
    if (latest_->touch()) { touched_.push_back(latest_); }
    return *latest_;
}

const QueueState* QueueTable::find(QueueId queue) const {
    const auto it = queues_.find(queue);
    return it == queues_.end() ? nullptr : it->second.get();
}

std::string QueueTable::name_of(QueueId queue) const {
    const auto it = definitions_.find(queue);
    return it == definitions_.end() ? fmt::format("queue number {}", queue) : it->second.name;
}

std::vector<RecoveredQueue> QueueTable::describe() const {
    std::vector<RecoveredQueue> all;
    all.reserve(queues_.size());
    for (const auto& [id, queue] : queues_) {
        all.push_back(queue->describe());
        const auto definition = definitions_.find(id);
        if (definition != definitions_.end()) { all.back().definition = definition->second; }
    }
    std::ranges::sort(all, {}, &RecoveredQueue::id);
    return all;
}

void QueueTable::restore(std::string_view key, std::string_view value) {
    const std::optional<StateKey> parsed = parse_state_key(key);
    if (!parsed) {
        fault(fmt::format("a state record has an unknown key of {} octets", key.size()));
        return;
    }
    const std::optional<std::string_view> payload = unseal(key, value);
    if (!payload) {
        fault(fmt::format(
            "the state record '{}' of {} has a wrong checksum",
            static_cast<char>(parsed->kind),
            name_of(parsed->number)
        ));
        return;
    }
    restore_payload(*parsed, *payload);
}

void QueueTable::restore_payload(const StateKey& key, std::string_view payload) {
    switch (key.kind) {
        case StateKind::cursor:
            return restore_cursor(key.number, payload);
        case StateKind::deliveries:
            return restored(key.number).restore_deliveries(key.sequence);
        case StateKind::mark:
            return restore_mark(key, payload);
        case StateKind::definition:
            return restore_definition(key.number, payload);
        case StateKind::group:
        case StateKind::next_queue:
            return restore_number(key, payload);
    }
}

QueueState& QueueTable::restored(QueueId queue) {
    std::unique_ptr<QueueState>& state = queues_[queue];
    if (!state) { state = std::make_unique<QueueState>(queue); }
    return *state;
}

void QueueTable::restore_cursor(QueueId queue, std::string_view payload) {
    const std::optional<Cursor> cursor = decode_cursor(payload);
    if (!cursor || !restored(queue).restore(*cursor)) {
        fault(fmt::format("the cursor of {} cannot be read", name_of(queue)));
    }
}

void QueueTable::restore_mark(const StateKey& key, std::string_view payload) {
    const std::optional<std::uint64_t> last = decode_number(payload);
    if (!last || !restored(key.number).restore_mark({key.sequence, *last})) {
        fault(fmt::format(
            "the mark of {} at message {} contradicts its cursor", name_of(key.number), key.sequence
        ));
    }
}

void QueueTable::restore_definition(QueueId queue, std::string_view payload) {
    std::optional<QueueDefinition> definition = decode_definition(payload);
    if (!definition) {
        fault(fmt::format("the definition of queue number {} cannot be read", queue));
        return;
    }
    definitions_[queue] = std::move(*definition);
}

void QueueTable::restore_number(const StateKey& key, std::string_view payload) {
    const std::optional<std::uint64_t> number = decode_number(payload);
    if (!number) {
        fault("a group's number or the next queue's cannot be read");
    } else if (key.kind == StateKind::next_queue) {
        next_queue_ = *number;
    } else if (*number % group_ring != key.number) {
        fault(fmt::format("the number of group {} is at a wrong place", *number));
    } else {
        numbers_.push_back(*number);
    }
}

void QueueTable::settle() {
    for (const auto& [id, state] : queues_) {
        settle_queue(id, *state);
    }
    for (const auto& [id, definition] : definitions_) {
        if (!queues_.contains(id)) { fault(fmt::format("{} has no cursor", definition.name)); }
    }
    settle_groups();
}

void QueueTable::settle_queue(QueueId queue, QueueState& state) {
    if (!definitions_.contains(queue)) {
        fault(fmt::format("queue number {} has no definition", queue));
    }
    if (queue >= next_queue_) {
        fault(fmt::format("{} has a number that was not given out", name_of(queue)));
    }
    if (!state.settle()) {
        fault(fmt::format("the counts of {} contradict its intervals", name_of(queue)));
    }
}

void QueueTable::settle_groups() {
    groups_ = numbers_.empty() ? 0 : *std::ranges::max_element(numbers_);
    const std::uint64_t expected = std::min(groups_, group_ring);
    const auto found = static_cast<std::uint64_t>(std::ranges::count_if(
        numbers_, [this, expected](std::uint64_t number) { return number > groups_ - expected; }
    ));
    if (found == expected) { return; }
    fault(fmt::format("{} of the last {} groups have left no number", expected - found, expected));
}

}  // namespace storage
