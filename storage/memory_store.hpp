// A store without a disk, whose every step is its owner's decision: for tests and simulations.
// One thread; keeps every octet. Stricter than the real one: a batch that breaks a promise ends the
// process.
#pragma once

#include "storage/message_store.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace storage {

class MemoryStore : public MessageStore {
public:
    MemoryStore() = default;

    // As any store. Nothing is stored or answered before the calls below say so.

    std::vector<RecoveredQueue> take_recovered() override;
    void start(std::vector<StoreListener*> listeners) override;

    QueueId new_queue_id() override { return next_queue_++; }

    void store(unsigned shard, std::unique_ptr<Batch> batch) override;
    void read(unsigned shard, ReadRequest request) override;
    [[nodiscard]] StoreState state() const override;
    [[nodiscard]] bool accepts_appends() const override;
    /// Stores what can be stored. Reads that wait are not answered.
    bool close() override;

    /// Stores every batch, but those behind a transaction whose other parts have not come.
    void commit_all();
    /// Stores the first `batches` of the shard's line, or as many of them as transactions allow,
    /// with what their transactions need of other lines. Returns how many of the shard's.
    std::size_t commit(unsigned shard, std::size_t batches);

    /// Batches of the shard that wait.
    [[nodiscard]] std::size_t waiting(unsigned shard) const { return lines_[shard].size(); }

    [[nodiscard]] std::size_t waiting_reads() const { return reads_.size(); }

    void serve_reads();
    /// The store after a crash at this moment, not started: holds what was stored. This one is dead
    /// from now on: what it is given it drops.
    [[nodiscard]] std::unique_ptr<MemoryStore> crash();
    void fail(const std::string& reason);

    void set_disk_low(bool is_low) { is_disk_low_ = is_low; }

    /// The message's checksum is wrong from now on.
    void damage(QueueId queue, Sequence message);

private:
    struct Message {
        std::string octets;
        std::uint32_t deliveries = 0;
        bool is_damaged = false;
    };

    struct Queue {
        QueueDefinition definition;
        Sequence last = 0;
        std::uint64_t bytes = 0;
        Sequence dispatch_bound = 0;
        std::map<Sequence, Message> messages;
    };

    using Line = std::deque<std::unique_ptr<Batch>>;
    using Prefixes = std::vector<std::size_t>;

    [[nodiscard]] static RecoveredQueue describe(QueueId id, const Queue& queue);
    [[nodiscard]] bool close_over_transactions(Prefixes& prefixes) const;
    void commit_prefixes(const Prefixes& prefixes);
    void apply(const Batch& batch);
    void append(const Batch::Append& change);
    void remove(const Batch::Remove& change);
    [[nodiscard]] Queue& known(QueueId queue);
    [[nodiscard]] ReadResult answer(const ReadRequest& request) const;

    std::map<QueueId, Queue> queues_;
    QueueId next_queue_ = 1;
    std::vector<StoreListener*> listeners_;
    std::vector<Line> lines_;
    std::deque<std::pair<unsigned, ReadRequest>> reads_;
    std::string failure_;
    bool is_dead_ = false;
    bool is_disk_low_ = false;
    StoreState counts_;
};

}  // namespace storage
