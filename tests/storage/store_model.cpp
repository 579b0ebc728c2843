// The model's changes, and the comparison with what a store gives back.
// Removals are random messages that are there, single ones and runs.
#include "tests/storage/store_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

using storage::Batch;
using storage::QueueId;
using storage::Sequence;
using storage::SequenceRange;

void StoreModel::define(Batch& batch, QueueId queue, const std::string& name) {
    queues_[queue].definition = {name, "attributes of " + name};
    batch.define({queue, queues_[queue].definition});
}

void StoreModel::append(Batch& batch, QueueId queue, std::string octets) {
    Queue& model = queues_[queue];
    const auto owner = std::make_shared<const std::string>(std::move(octets));
    model.messages[++model.last] = *owner;
    batch.append({queue, model.last, *owner, owner});
}

void StoreModel::remove(Batch& batch, QueueId queue, SequenceRange messages) {
    Queue& model = queues_[queue];
    std::uint64_t bytes = 0;
    for (Sequence message = messages.first; message <= messages.last; ++message) {
        bytes += model.messages.at(message).size();
        model.messages.erase(message);
        model.deliveries.erase(message);
    }
    batch.remove({queue, messages, bytes});
}

void StoreModel::set_deliveries(
    Batch& batch, QueueId queue, Sequence message, std::uint32_t count
) {
    queues_[queue].deliveries[message] = count;
    batch.set_deliveries({queue, message, count});
}

void StoreModel::set_bound(Batch& batch, QueueId queue, Sequence bound) {
    queues_[queue].dispatch_bound = bound;
    batch.set_dispatch_bound({queue, bound});
}

void StoreModel::drop(Batch& batch, QueueId queue) {
    queues_.erase(queue);
    batch.drop({queue});
}

std::unique_ptr<Batch> StoreModel::random_batch(std::mt19937_64& random) {
    auto batch = std::make_unique<Batch>();
    batch->set_urgent();
    for (auto& [id, queue] : queues_) {
        for (std::uint64_t count = random() % 8; count > 0; --count) {
            append(*batch, id, std::string(random() % 300, static_cast<char>(random() % 256)));
        }
        for (std::uint64_t count = random() % 6; count > 0; --count) {
            random_remove(*batch, id, random);
        }
        if (queue.messages.empty()) { continue; }
        // Removals come before counts in a batch, so this message is still there.
        if (random() % 4 == 0) {
            const auto count = static_cast<std::uint32_t>(1 + random() % 9);
            set_deliveries(*batch, id, queue.messages.rbegin()->first, count);
        }
        if (random() % 4 == 0) { set_bound(*batch, id, random() % (queue.last + 1)); }
    }
    return batch;
}

void StoreModel::random_remove(Batch& batch, QueueId queue, std::mt19937_64& random) {
    const auto& messages = queues_[queue].messages;
    if (messages.empty()) { return; }
    // Mostly near the head, as consumers do.
    const std::uint64_t reach = random() % 2 == 0 ? 1 : messages.size();
    auto it = std::next(messages.begin(), static_cast<std::ptrdiff_t>(random() % reach));
    SequenceRange range{it->first, it->first};
    while (random() % 3 == 0 && ++it != messages.end() && it->first == range.last + 1) {
        range.last = it->first;
    }
    remove(batch, queue, range);
}

namespace {

std::uint64_t bytes_of(const StoreModel::Queue& queue) {
    std::uint64_t bytes = 0;
    for (const auto& [sequence, octets] : queue.messages) {
        bytes += octets.size();
    }
    return bytes;
}

std::vector<SequenceRange> holes_of(const StoreModel::Queue& queue) {
    std::vector<SequenceRange> holes;
    if (queue.messages.empty()) { return holes; }
    Sequence next = queue.messages.begin()->first;
    for (const auto& [sequence, octets] : queue.messages) {
        if (sequence != next) { holes.push_back({next, sequence - 1}); }
        next = sequence + 1;
    }
    if (next <= queue.last) { holes.push_back({next, queue.last}); }
    return holes;
}

}  // namespace

void expect_same(const std::vector<storage::RecoveredQueue>& recovered, const StoreModel& model) {
    ASSERT_EQ(recovered.size(), model.queues().size());
    auto it = recovered.begin();
    for (const auto& [id, queue] : model.queues()) {
        const storage::RecoveredQueue& found = *it++;
        EXPECT_EQ(found.id, id);
        EXPECT_EQ(found.definition, queue.definition);
        const Sequence first =
            queue.messages.empty() ? queue.last + 1 : queue.messages.begin()->first;
        EXPECT_EQ(found.first, first);
        EXPECT_EQ(found.last, queue.last);
        EXPECT_EQ(found.messages, queue.messages.size());
        EXPECT_EQ(found.bytes, bytes_of(queue));
        EXPECT_EQ(found.dispatch_bound, queue.dispatch_bound);
        EXPECT_EQ(found.holes, holes_of(queue));
    }
}

void expect_same(const storage::ReadResult& read, const StoreModel::Queue& queue) {
    EXPECT_TRUE(read.damaged.empty());
    std::map<Sequence, std::string> found;
    for (const storage::ReadResult::Stored& message : read.messages) {
        // Messages that have left may still be among them.
        if (!queue.messages.contains(message.sequence)) { continue; }
        found[message.sequence] = read.record(message);
        const auto count = queue.deliveries.find(message.sequence);
        EXPECT_EQ(message.deliveries, count == queue.deliveries.end() ? 0 : count->second);
    }
    EXPECT_EQ(found, queue.messages);
}
