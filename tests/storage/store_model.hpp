// What a store should hold, as plain maps, and batches that change both.
// For tests with one or a few queues; every octet is kept.
#pragma once

#include "storage/message_store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

/// Builds batches; their effect on `queues` is immediate.
class StoreModel {
public:
    struct Queue {
        storage::QueueDefinition definition;
        storage::Sequence last = 0;
        std::map<storage::Sequence, std::string> messages;
        std::map<storage::Sequence, std::uint32_t> deliveries;
        storage::Sequence dispatch_bound = 0;
    };

    void define(storage::Batch& batch, storage::QueueId queue, const std::string& name);
    void append(storage::Batch& batch, storage::QueueId queue, std::string octets);
    void remove(storage::Batch& batch, storage::QueueId queue, storage::SequenceRange messages);
    void set_deliveries(
        storage::Batch& batch,
        storage::QueueId queue,
        storage::Sequence message,
        std::uint32_t count
    );
    void set_bound(storage::Batch& batch, storage::QueueId queue, storage::Sequence bound);
    void drop(storage::Batch& batch, storage::QueueId queue);

    /// A batch of a few random changes to the queues there are.
    [[nodiscard]] std::unique_ptr<storage::Batch> random_batch(std::mt19937_64& random);

    [[nodiscard]] const std::map<storage::QueueId, Queue>& queues() const { return queues_; }

private:
    void random_remove(storage::Batch& batch, storage::QueueId queue, std::mt19937_64& random);

    std::map<storage::QueueId, Queue> queues_;
};

/// Expects that what a store found on its start is what the model holds.
void expect_same(const std::vector<storage::RecoveredQueue>& recovered, const StoreModel& model);
/// Expects that a full read of a queue finds the model's messages, all sound.
void expect_same(const storage::ReadResult& read, const StoreModel::Queue& queue);
