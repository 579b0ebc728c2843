// The one thread that writes: takes what shards hand over, a group at a time (D-COM-01..03).
// Waits without spinning; bounded by what the shards hand over.
#pragma once

#include "storage/database.hpp"
#include "storage/listeners.hpp"
#include "storage/queue_table.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace storage {

class Committer {
public:
    struct Options {
        bool is_synced = true;                       ///< Each group, before it is confirmed.
        std::chrono::milliseconds sync_interval{0};  ///< Of what is not synced with its group.
        std::chrono::microseconds delay{0};
        Intake::Limits limits;
        /// The end of the store. On the committer's thread.
        std::function<void(const std::string&)> failed = [](const std::string&) {};
    };

    struct Counts {
        std::uint64_t pending = 0;  ///< Octets handed over and not stored.
        std::uint64_t commits = 0;
        std::uint64_t records = 0;
    };

    /// All three outlive it; `queues` is the committer's own from start() to stop().
    Committer(Database& database, QueueTable& queues, Listeners& listeners, const Options& options);
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    /// Before start(); outlives stop(). Null: nobody hears.
    void set_meter(StoreMeter* meter);
    void start(std::size_t shards);
    /// Any thread. After a failure what comes is dropped.
    void store(unsigned shard, std::unique_ptr<Batch> batch);
    /// Whether the database waits for space. Any thread.
    void set_blocked(bool is_blocked);
    /// Stores what was handed over, syncs, and ends the thread.
    void stop();
    [[nodiscard]] Counts counts() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace storage
