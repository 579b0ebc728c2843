// The message store as the broker sees it: asynchronous, in batches, completion on the asking shard
// (docs/architecture.md). Nothing here waits for a disk; bounded by what shards hand over, which
// they hold back when `pending` grows (D-COM-05).
#pragma once

#include "storage/batch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

/// A queue as the last run left it.
struct RecoveredQueue {
    QueueId id = 0;
    QueueDefinition definition;
    Sequence first = 1;  ///< The oldest message, or last + 1 if there is none.
    Sequence last = 0;   ///< The newest that was ever appended.
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    Sequence dispatch_bound = 0;       ///< Messages up to here may have been delivered.
    std::vector<SequenceRange> holes;  ///< Between first and last: messages that have left. Rising.
};

/// A part of a queue to be brought back into memory: messages from `from` to `to`, at least one, as
/// long as neither `messages_max` nor `bytes_max` is exceeded by more than one message. All of it
/// is stored already.
struct ReadRequest {
    std::uint64_t id = 0;  ///< The asker's, comes back with the answer.
    QueueId queue = 0;
    Sequence from = 0;
    Sequence to = 0;
    std::size_t messages_max = 1024;
    std::size_t bytes_max = 1024 * 1024;
};

struct ReadResult {
    struct Stored {
        Sequence sequence = 0;
        std::uint32_t deliveries = 0;  ///< As set_deliveries() said, or 0.
        std::size_t offset = 0;        ///< Into `octets`.
        std::size_t size = 0;
    };

    std::uint64_t id = 0;
    std::vector<Stored> messages;  ///< Rising; messages that have left may still be among them.
    std::string octets;
    Sequence next = 0;  ///< Everything from `from` to before `next` was looked at.
    /// Records whose checksum is wrong (D-ROCK-01). They stay in the store and are not delivered.
    std::vector<Sequence> damaged;

    [[nodiscard]] std::string_view record(const Stored& stored) const {
        return std::string_view(octets).substr(stored.offset, stored.size);
    }
};

/// A shard's ear. Called on the store's threads, one at a time for each shard: posts to the shard
/// and returns.
class StoreListener {
public:
    virtual ~StoreListener() = default;
    /// These batches, in the order they were handed over, are as safe as the durability mode says.
    virtual void stored(std::vector<std::unique_ptr<Batch>> batches) = 0;
    virtual void read(ReadResult result) = 0;
    /// The store has failed: nothing more will be stored, ever (D-FS-01). Once; no stored() after
    /// it.
    virtual void failed(std::string reason) = 0;
};

/// What one group of batches cost.
struct GroupCost {
    std::chrono::microseconds commit{0};  ///< From its first batch to its end, `sync` included.
    std::chrono::microseconds sync{0};  ///< In the system's calls; 0: it was not synced by itself.
    std::uint64_t records = 0;
};

/// Hears of what is stored. Called on a thread of the store, which waits for it.
class StoreMeter {
public:
    virtual ~StoreMeter() = default;
    virtual void stored(const GroupCost& cost) = 0;
    /// A sync of several groups together.
    virtual void synced(std::chrono::microseconds time) = 0;
};

/// What anyone may ask at any time, from any thread.
struct StoreState {
    std::string failure;          ///< Empty as long as the store works.
    bool is_disk_low = false;     ///< Below the floor: nothing new should be appended (D-FULL-01).
    std::uint64_t disk_free = 0;  ///< Octets.
    std::uint64_t pending = 0;    ///< Octets handed over and not stored.
    std::uint64_t commits = 0;    ///< Groups stored.
    std::uint64_t records = 0;    ///< Changes in them.
    std::uint64_t damaged = 0;    ///< Records found bad by reads.
    std::uint64_t size = 0;       ///< Octets on disk, the write-ahead log included.
    std::uint64_t log_size = 0;   ///< Octets of the write-ahead log.
    std::string durability;       ///< `sync`, `relaxed`, `memory`.
};

/// A store could not be opened. what() is a sentence for the operator: what, where, how to mend
/// (D-FS-05).
class StoreError : public std::runtime_error {
public:
    /// The data is damaged (exit code 6), as opposed to: it could not be looked at.
    StoreError(const std::string& what, bool is_damage)
        : std::runtime_error(what), is_damage_(is_damage) {}

    [[nodiscard]] bool is_damage() const { return is_damage_; }

private:
    bool is_damage_;
};

class MessageStore {
public:
    virtual ~MessageStore() = default;

    /// What was found when the store was opened. Once, before start().
    [[nodiscard]] virtual std::vector<RecoveredQueue> take_recovered() = 0;

    /// Null: nobody hears. Before start(); outlives close().
    virtual void set_meter(StoreMeter* meter) { (void)meter; }

    /// One listener for each shard, by its index. They outlive close().
    virtual void start(std::vector<StoreListener*> listeners) = 0;

    // From start() to close(), on any thread, those that name a shard on its own.

    [[nodiscard]] virtual QueueId new_queue_id() = 0;
    /// Stores `batch`; batches of one shard in the order they come. Never waits.
    virtual void store(unsigned shard, std::unique_ptr<Batch> batch) = 0;
    /// Answers read() later, in the order asked. Never waits. Nothing after a failure.
    virtual void read(unsigned shard, ReadRequest request) = 0;
    [[nodiscard]] virtual StoreState state() const = 0;
    /// Cheap enough to ask for every message: the disk floor and failure, nothing else.
    [[nodiscard]] virtual bool accepts_appends() const = 0;

    /// Copies what is stored by now into `directory`, which is made, for a store to be opened on
    /// (D-RUN-05). `done` is told on any thread, once, why it could not be done; empty: it is
    /// there. One at a time; close() waits for it.
    virtual void back_up(std::string directory, std::function<void(std::string error)> done) {
        (void)directory;
        done("nothing is kept on a disk");
    }

    /// Stores what was handed over, closes the store and leaves the mark of a clean stop. After it
    /// no listener is called. Returns false if the store has failed.
    virtual bool close() = 0;
};

}  // namespace storage
