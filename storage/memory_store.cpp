// Plain maps, and lines of batches cut where the owner says.
// Everything by brute force: it is what the real store is compared with.
#include "storage/memory_store.hpp"

#include <algorithm>
#include <cassert>

namespace storage {
namespace {

using Line = std::deque<std::unique_ptr<Batch>>;

/// Parts of `transaction` among the first `size` batches of the line.
unsigned parts_in(const Line& line, std::size_t size, std::uint64_t transaction) {
    unsigned count = 0;
    for (std::size_t i = 0; i < size; ++i) {
        for (const Batch::Part& part : line[i]->parts()) {
            count += part.transaction == transaction ? 1 : 0;
        }
    }
    return count;
}

/// How many batches of the line hold every part of `transaction` that has come.
std::size_t reach_of(const Line& line, std::uint64_t transaction) {
    std::size_t size = line.size();
    while (size > 0 && parts_in(line, size, transaction) == parts_in(line, size - 1, transaction)) {
        --size;
    }
    return size;
}

}  // namespace

std::vector<RecoveredQueue> MemoryStore::take_recovered() {
    std::vector<RecoveredQueue> recovered;
    for (const auto& [id, queue] : queues_) {
        recovered.push_back(describe(id, queue));
    }
    return recovered;
}

void MemoryStore::start(std::vector<StoreListener*> listeners) {
    assert(listeners_.empty());
    listeners_ = std::move(listeners);
    lines_.resize(listeners_.size());
}

void MemoryStore::store(unsigned shard, std::unique_ptr<Batch> batch) {
    assert(shard < lines_.size());
    if (is_dead_) { return; }
    counts_.pending += batch->bytes();
    lines_[shard].push_back(std::move(batch));
}

void MemoryStore::read(unsigned shard, ReadRequest request) {
    assert(shard < lines_.size() && request.from >= 1 && request.from <= request.to);
    if (!is_dead_) { reads_.emplace_back(shard, request); }
}

StoreState MemoryStore::state() const {
    StoreState state = counts_;
    state.failure = failure_;
    state.is_disk_low = is_disk_low_;
    state.durability = "memory";
    return state;
}

bool MemoryStore::accepts_appends() const {
    return failure_.empty() && !is_disk_low_;
}

bool MemoryStore::close() {
    commit_all();
    is_dead_ = true;
    return failure_.empty();
}

void MemoryStore::commit_all() {
    bool has_progress = true;
    while (has_progress) {
        has_progress = false;
        for (unsigned shard = 0; shard < lines_.size(); ++shard) {
            has_progress = commit(shard, lines_[shard].size()) > 0 || has_progress;
        }
    }
}

std::size_t MemoryStore::commit(unsigned shard, std::size_t batches) {
    for (std::size_t size = std::min(batches, lines_[shard].size()); size > 0; --size) {
        Prefixes prefixes(lines_.size(), 0);
        prefixes[shard] = size;
        // A transaction may ask for more of this line than was wanted.
        if (!close_over_transactions(prefixes)) { continue; }
        commit_prefixes(prefixes);
        return prefixes[shard];
    }
    return 0;
}

void MemoryStore::serve_reads() {
    while (!reads_.empty() && !is_dead_) {
        const auto [shard, request] = reads_.front();
        reads_.pop_front();
        ReadResult result = answer(request);
        counts_.damaged += result.damaged.size();
        listeners_[shard]->read(std::move(result));
    }
}

std::unique_ptr<MemoryStore> MemoryStore::crash() {
    auto survivor = std::make_unique<MemoryStore>();
    survivor->queues_ = queues_;
    survivor->next_queue_ = next_queue_;
    is_dead_ = true;
    std::ranges::for_each(lines_, &Line::clear);
    reads_.clear();
    return survivor;
}

void MemoryStore::fail(const std::string& reason) {
    if (is_dead_) { return; }
    is_dead_ = true;
    failure_ = reason;
    std::ranges::for_each(lines_, &Line::clear);
    reads_.clear();
    for (StoreListener* const listener : listeners_) {
        listener->failed(reason);
    }
}

void MemoryStore::damage(QueueId queue, Sequence message) {
    known(queue).messages.at(message).is_damaged = true;
}

RecoveredQueue MemoryStore::describe(QueueId id, const Queue& queue) {
    RecoveredQueue found;
    found.id = id;
    found.definition = queue.definition;
    found.first = queue.messages.empty() ? queue.last + 1 : queue.messages.begin()->first;
    found.last = queue.last;
    found.messages = queue.messages.size();
    found.bytes = queue.bytes;
    found.dispatch_bound = queue.dispatch_bound;
    Sequence next = found.first;
    for (const auto& [sequence, message] : queue.messages) {
        if (sequence != next) { found.holes.push_back({next, sequence - 1}); }
        next = sequence + 1;
    }
    if (next <= queue.last) { found.holes.push_back({next, queue.last}); }
    return found;
}

/// Widens the prefixes until they hold their transactions whole. False: parts have not come.
bool MemoryStore::close_over_transactions(Prefixes& prefixes) const {
    for (std::size_t shard = 0; shard < lines_.size(); ++shard) {
        for (std::size_t i = 0; i < prefixes[shard]; ++i) {
            for (const Batch::Part& part : lines_[shard][i]->parts()) {
                unsigned parts = 0;
                bool has_grown = false;
                for (std::size_t other = 0; other < lines_.size(); ++other) {
                    const Line& line = lines_[other];
                    parts += parts_in(line, line.size(), part.transaction);
                    const std::size_t reach = reach_of(line, part.transaction);
                    has_grown = has_grown || reach > prefixes[other];
                    prefixes[other] = std::max(prefixes[other], reach);
                }
                assert(parts <= part.parts);
                if (parts < part.parts) { return false; }
                if (has_grown) { return close_over_transactions(prefixes); }
            }
        }
    }
    return true;
}

void MemoryStore::commit_prefixes(const Prefixes& prefixes) {
    std::vector<std::vector<std::unique_ptr<Batch>>> group(lines_.size());
    for (std::size_t shard = 0; shard < lines_.size(); ++shard) {
        for (std::size_t i = 0; i < prefixes[shard]; ++i) {
            apply(*lines_[shard].front());
            group[shard].push_back(std::move(lines_[shard].front()));
            lines_[shard].pop_front();
        }
    }
    ++counts_.commits;
    for (std::size_t shard = 0; shard < group.size(); ++shard) {
        if (!group[shard].empty()) { listeners_[shard]->stored(std::move(group[shard])); }
    }
}

void MemoryStore::apply(const Batch& batch) {
    for (const Batch::Define& change : batch.defines()) {
        assert(change.queue != 0 && change.queue < next_queue_);
        queues_[change.queue].definition = change.definition;
    }
    std::ranges::for_each(batch.appends(), [this](const auto& change) { append(change); });
    std::ranges::for_each(batch.removes(), [this](const auto& change) { remove(change); });
    for (const Batch::Deliveries& change : batch.deliveries()) {
        auto& queue = known(change.queue);
        assert(change.sequence <= queue.last);
        const auto message = queue.messages.find(change.sequence);
        if (message != queue.messages.end()) { message->second.deliveries = change.count; }
    }
    for (const Batch::DispatchBound& change : batch.dispatch_bounds()) {
        known(change.queue).dispatch_bound = change.bound;
    }
    for (const Batch::Drop& change : batch.drops()) {
        const std::size_t dropped = queues_.erase(change.queue);
        assert(dropped == 1);
    }
    counts_.records += batch.records();
    counts_.pending -= batch.bytes();
}

void MemoryStore::append(const Batch::Append& change) {
    Queue& queue = known(change.queue);
    assert(change.sequence == queue.last + 1);
    queue.last = change.sequence;
    queue.bytes += change.octets.size();
    queue.messages[change.sequence].octets = change.octets;
}

void MemoryStore::remove(const Batch::Remove& change) {
    Queue& queue = known(change.queue);
    assert(change.messages.first <= change.messages.last && change.messages.last <= queue.last);
    std::uint64_t bytes = 0;
    for (Sequence message = change.messages.first; message <= change.messages.last; ++message) {
        const auto it = queue.messages.find(message);
        assert(it != queue.messages.end());
        bytes += it->second.octets.size();
        queue.messages.erase(it);
    }
    assert(bytes == change.bytes);
    queue.bytes -= bytes;
}

MemoryStore::Queue& MemoryStore::known(QueueId queue) {
    const auto it = queues_.find(queue);
    assert(it != queues_.end());
    return it->second;
}

ReadResult MemoryStore::answer(const ReadRequest& request) const {
    ReadResult result;
    result.id = request.id;
    result.next = request.to + 1;
    const auto queue = queues_.find(request.queue);
    if (queue == queues_.end()) { return result; }
    const auto& messages = queue->second.messages;
    for (auto it = messages.lower_bound(request.from);
         it != messages.end() && it->first <= request.to;
         ++it) {
        if (result.messages.size() + result.damaged.size() >= request.messages_max ||
            result.octets.size() >= request.bytes_max) {
            result.next = it->first;
            return result;
        }
        const auto& [sequence, message] = *it;
        if (message.is_damaged) {
            result.damaged.push_back(sequence);
            continue;
        }
        result.messages.push_back(
            {sequence, message.deliveries, result.octets.size(), message.octets.size()}
        );
        result.octets += message.octets;
    }
    return result;
}

}  // namespace storage
