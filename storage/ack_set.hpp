// Which messages of a queue have left it: everything below the head, and intervals beyond it.
// Pure; memory grows with the number of gaps between messages that stay.
#pragma once

#include "storage/batch.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace storage {

/// Intervals of messages that have left. The owner keeps a bounded number of them in the queue's
/// cursor record; take_marks() picks those that become records of their own.
class AckSet {
public:
    /// An interval beyond the head is worth a range deletion of its own from here on.
    static constexpr std::uint64_t trim_messages = 4096;

    explicit AckSet(Sequence head = 1) : head_(head) {}

    /// The oldest message that has not left; it may not have come yet.
    [[nodiscard]] Sequence head() const { return head_; }

    [[nodiscard]] bool has_left(Sequence message) const;
    /// Whether all of `messages` are still there.
    [[nodiscard]] bool has_all(SequenceRange messages) const;
    /// These leave. None of them has left before.
    void remove(SequenceRange messages);
    /// An interval found on disk, as a mark or in the cursor. Returns false if one of its messages
    /// has left already, which says that the disk is wrong. Marks below the head are old: true.
    [[nodiscard]] bool restore(SequenceRange messages, bool is_marked);

    /// To be called once after the last restore().
    void settle() { absorb(); }

    /// The intervals for the cursor record, rising.
    [[nodiscard]] std::vector<SequenceRange> unmarked() const;

    [[nodiscard]] std::size_t unmarked_count() const { return open_.size(); }

    /// All intervals, rising; neighbours are joined.
    [[nodiscard]] std::vector<SequenceRange> all() const;
    /// If there are more than `max` for the cursor record: the smallest ones, so that half of `max`
    /// stay. They count as marked from now on.
    [[nodiscard]] std::vector<SequenceRange> take_marks(std::size_t max);
    /// Where the head has gone over marks since the last call: the first message of each.
    [[nodiscard]] std::vector<Sequence> take_passed_marks();
    /// Parts of intervals beyond the head that have become long enough to be deleted as ranges.
    [[nodiscard]] std::vector<SequenceRange> take_trims();

private:
    struct Interval {
        Sequence last = 0;
        SequenceRange trimmed;  ///< Empty: {0, 0}.
    };

    void insert(SequenceRange messages);
    void absorb();
    [[nodiscard]] static std::uint64_t untrimmed(Sequence first, const Interval& interval);

    Sequence head_;
    std::map<Sequence, Interval> open_;    ///< By first message; no two touch each other.
    std::map<Sequence, Sequence> marked_;  ///< First to last.
    std::vector<Sequence> passed_marks_;
    bool is_trim_due_ = false;
};

}  // namespace storage
