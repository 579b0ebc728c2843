// One queue as the committer knows it: counts, what has left, and what of it is on disk.
// Pure; its records go to a Writes. Grows with the gaps and with the delivery counts of the queue.
#pragma once

#include "storage/ack_set.hpp"
#include "storage/batch.hpp"
#include "storage/message_store.hpp"
#include "storage/record.hpp"
#include "storage/writes.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

namespace storage {

class QueueState {
public:
    /// Time since an arbitrary beginning.
    using Time = std::chrono::milliseconds;

    /// More intervals than these are written as marks, to keep the cursor record small.
    static constexpr std::size_t cursor_holes_max = 64;
    /// What has left is deleted in ranges, once per so much of it (D-LSM-03).
    static constexpr std::uint64_t trim_messages = 4096;
    static constexpr std::uint64_t trim_bytes = 64ULL * 1024 * 1024;
    static constexpr Time trim_interval{5000};

    explicit QueueState(QueueId id) : id_(id) {}

    [[nodiscard]] QueueId id() const { return id_; }

    // Changes. They assert what Batch promises.

    void append(const Batch::Append& change, Writes& out);
    void remove(const Batch::Remove& change, Writes& out);
    void set_deliveries(const Batch::Deliveries& change, Writes& out);
    void set_dispatch_bound(Sequence bound);
    void drop(Writes& out);

    /// Writes marks, deletions and the cursor that the changes since the last call ask for.
    void finish(Writes& out, Time now);

    // Recovery: the cursor, then marks and counts, then settle(). False: the disk is wrong.

    [[nodiscard]] bool restore(const Cursor& cursor);
    [[nodiscard]] bool restore_mark(SequenceRange messages);

    void restore_deliveries(Sequence message) { counted_.insert(message); }

    [[nodiscard]] bool settle();

    [[nodiscard]] bool has_left(Sequence message) const { return left_.has_left(message); }

    [[nodiscard]] Sequence last() const { return last_; }

    /// Without a definition.
    [[nodiscard]] RecoveredQueue describe() const;

    /// Notes that the group changes it. Returns whether that is new.
    [[nodiscard]] bool touch() { return !std::exchange(is_touched_, true); }

private:
    void write_cursor(Writes& out);
    void trim(Writes& out, Time now);
    void write_marks(Writes& out);
    void erase_messages(SequenceRange messages, Writes& out);
    void forget_deliveries(SequenceRange messages, Writes& out);
    [[nodiscard]] bool is_trim_due(Time now) const;

    QueueId id_;
    AckSet left_;
    Sequence last_ = 0;
    std::uint64_t messages_ = 0;
    std::uint64_t bytes_ = 0;
    Sequence dispatch_bound_ = 0;
    std::set<Sequence> counted_;  ///< Messages with a delivery count on disk.
    Sequence trimmed_ = 1;
    std::uint64_t untrimmed_bytes_ = 0;
    Time last_trim_{0};
    bool is_touched_ = false;
    std::string payload_;  ///< Scratch.
    std::string value_;    ///< Scratch.
};

}  // namespace storage
