// Intervals of messages that have left, against a plain set.
// Seeds are fixed.
#include "storage/ack_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace {

using storage::AckSet;
using storage::Sequence;
using storage::SequenceRange;

constexpr Sequence last = 3000;

std::set<Sequence> members(const AckSet& set) {
    std::set<Sequence> left;
    for (Sequence message = 1; message < set.head(); ++message) {
        left.insert(message);
    }
    for (const SequenceRange& range : set.all()) {
        for (Sequence message = range.first; message <= range.last; ++message) {
            left.insert(message);
        }
    }
    return left;
}

/// A run of messages of `left`'s complement, of random length.
SequenceRange random_free(const std::set<Sequence>& left, std::mt19937_64& random) {
    Sequence first = 1 + random() % last;
    while (left.contains(first)) {
        first = first % last + 1;
    }
    SequenceRange range{first, first};
    const Sequence length = random() % 3 == 0 ? random() % 50 : 0;
    while (range.last - first < length && range.last < last && !left.contains(range.last + 1)) {
        ++range.last;
    }
    return range;
}

class AckSetRuns : public testing::TestWithParam<std::uint64_t> {};

TEST_P(AckSetRuns, D_LSM_03_HoldsExactlyWhatHasLeft) {
    std::mt19937_64 random(GetParam());
    AckSet set;
    std::set<Sequence> left;
    std::set<Sequence> marks;
    while (left.size() < last) {
        const SequenceRange range = random_free(left, random);
        ASSERT_TRUE(set.has_all(range));
        set.remove(range);
        for (Sequence message = range.first; message <= range.last; ++message) {
            left.insert(message);
        }
        for (const SequenceRange& mark : set.take_marks(64)) {
            marks.insert(mark.first);
        }
        for (const Sequence mark : set.take_passed_marks()) {
            EXPECT_EQ(marks.erase(mark), 1U);
        }
        EXPECT_LE(set.unmarked_count(), 64U);
        EXPECT_FALSE(left.contains(set.head()));
        if (left.size() % 64 == 0) { EXPECT_EQ(members(set), left); }
    }
    EXPECT_EQ(set.head(), last + 1);
    EXPECT_TRUE(set.all().empty());
    EXPECT_TRUE(marks.empty());
}

TEST_P(AckSetRuns, D_LSM_05_ComesBackFromItsCursorAndItsMarks) {
    std::mt19937_64 random(GetParam());
    AckSet set;
    std::set<Sequence> left;
    std::vector<SequenceRange> marks;
    while (left.size() < last / 2) {
        const SequenceRange range = random_free(left, random);
        set.remove(range);
        for (Sequence message = range.first; message <= range.last; ++message) {
            left.insert(message);
        }
        const auto taken = set.take_marks(16);
        marks.insert(marks.end(), taken.begin(), taken.end());
    }
    AckSet again(set.head());
    for (const SequenceRange& hole : set.unmarked()) {
        EXPECT_TRUE(again.restore(hole, false));
    }
    // Marks that the head has passed may still be on disk.
    for (const SequenceRange& mark : marks) {
        EXPECT_TRUE(again.restore(mark, true));
    }
    again.settle();
    EXPECT_EQ(again.head(), set.head());
    EXPECT_EQ(again.all(), set.all());
}

INSTANTIATE_TEST_SUITE_P(Seeds, AckSetRuns, testing::Range<std::uint64_t>(1, 6));

TEST(AckSet, MarksTheSmallestIntervals) {
    AckSet set;
    set.remove({10, 19});
    set.remove({30, 30});
    set.remove({40, 49});
    set.remove({60, 61});
    set.remove({80, 89});
    EXPECT_TRUE(set.take_marks(5).empty());
    std::vector<SequenceRange> marks = set.take_marks(4);
    std::ranges::sort(marks, {}, &SequenceRange::first);
    ASSERT_EQ(marks.size(), 3U);
    EXPECT_TRUE(std::ranges::count(marks, SequenceRange{30, 30}) == 1);
    EXPECT_TRUE(std::ranges::count(marks, SequenceRange{60, 61}) == 1);
    EXPECT_EQ(set.unmarked_count(), 2U);
    EXPECT_EQ(set.all().size(), 5U);
}

TEST(AckSet, RefusesIntervalsThatContradictEachOther) {
    AckSet set(10);
    EXPECT_TRUE(set.restore({1, 5}, true));
    EXPECT_FALSE(set.restore({1, 5}, false));
    EXPECT_FALSE(set.restore({8, 12}, true));
    EXPECT_TRUE(set.restore({20, 29}, false));
    EXPECT_FALSE(set.restore({29, 29}, true));
    EXPECT_FALSE(set.restore({15, 40}, true));
    EXPECT_FALSE(set.restore({50, 49}, true));
}

TEST(AckSet, D_LSM_03_AsksForEachRangeDeletionOnce) {
    AckSet set;
    for (Sequence message = 2; message < 2 + 3 * AckSet::trim_messages; message += 2) {
        set.remove({message, message + 1});
    }
    std::vector<SequenceRange> trims = set.take_trims();
    ASSERT_EQ(trims.size(), 1U);
    EXPECT_EQ(trims.front(), (SequenceRange{2, 1 + 3 * AckSet::trim_messages}));
    EXPECT_TRUE(set.take_trims().empty());
    const Sequence next = 2 + 3 * AckSet::trim_messages;
    set.remove({next, next + AckSet::trim_messages - 1});
    trims = set.take_trims();
    ASSERT_EQ(trims.size(), 1U);
    EXPECT_EQ(trims.front(), (SequenceRange{next, next + AckSet::trim_messages - 1}));
}

}  // namespace
