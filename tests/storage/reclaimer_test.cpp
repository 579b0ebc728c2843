// What the reclaimer promises: nothing is due that was not deleted, and all of it in the end.
#include "storage/reclaimer.hpp"

#include "storage/record.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using storage::message_key;
using storage::Reclaimer;

constexpr storage::QueueId queue = 7;

std::string key(storage::Sequence sequence, storage::QueueId of = queue) {
    return std::string(message_key(of, sequence).view());
}

TEST(Reclaimer, D_LSM_03_NothingIsDueBeforeMuchHasGone) {
    Reclaimer reclaimer;
    reclaimer.note(key(1), key(Reclaimer::due_messages));
    EXPECT_TRUE(reclaimer.take_due().empty());
}

TEST(Reclaimer, D_LSM_03_RangesThatFollowEachOtherAreOne) {
    Reclaimer reclaimer;
    constexpr storage::Sequence step = 4096;
    storage::Sequence at = 1;
    for (; at <= Reclaimer::due_messages; at += step) {
        reclaimer.note(key(at), key(at + step));
    }
    const auto due = reclaimer.take_due();
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].from, key(1));
    EXPECT_EQ(due[0].to, key(at));
    EXPECT_TRUE(reclaimer.take_due().empty()) << "It is due again only when as much more has gone.";
}

TEST(Reclaimer, D_LSM_03_WhatLiesBetweenTwoRangesIsNotPartOfThem) {
    Reclaimer reclaimer;
    reclaimer.note(key(1), key(1 + Reclaimer::due_messages));
    reclaimer.note(key(2 + Reclaimer::due_messages), key(2 + 2 * Reclaimer::due_messages));
    const auto due = reclaimer.take_due();
    ASSERT_EQ(due.size(), 2U);
    EXPECT_EQ(due[0].to, key(1 + Reclaimer::due_messages));
    EXPECT_EQ(due[1].from, key(2 + Reclaimer::due_messages));
}

TEST(Reclaimer, D_LSM_03_FilesMayGoOnlyAfterTheRangeWasDeletedOnceMore) {
    Reclaimer reclaimer;
    reclaimer.note(key(1), key(1 + Reclaimer::due_messages));
    auto due = reclaimer.take_due();
    EXPECT_TRUE(reclaimer.take_confirmed().empty());
    reclaimer.confirm(std::move(due));
    EXPECT_EQ(reclaimer.take_confirmed().size(), 1U);
    EXPECT_TRUE(reclaimer.take_confirmed().empty());
}

TEST(Reclaimer, ItRemembersABoundedNumberOfRanges) {
    Reclaimer reclaimer;
    reclaimer.note(key(1), key(Reclaimer::due_messages));
    for (storage::QueueId other = 1; other <= Reclaimer::ranges_max; ++other) {
        reclaimer.note(key(1, queue + other), key(2, queue + other));
    }
    // The first was forgotten: what follows it counts alone.
    reclaimer.note(key(Reclaimer::due_messages), key(Reclaimer::due_messages + 2));
    EXPECT_TRUE(reclaimer.take_due().empty());
}

}  // namespace
