// What metrics are made of: histograms with fixed buckets, and ages of what waits.
#include "broker/engine/histogram.hpp"

#include "broker/engine/counters.hpp"
#include "broker/engine/waiting_age.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace {

using engine::Histogram;
using engine::Instant;
using engine::WaitingAge;

constexpr std::array<std::uint64_t, 3> bounds{1, 10, 100};
using Small = Histogram<bounds>;

TEST(Histogram, O_5_BoundsBelongToTheirBucket) {
    Small histogram;
    for (const std::uint64_t value : {0U, 1U, 2U, 10U, 11U, 100U, 101U, 1'000'000U}) {
        histogram.observe(value);
    }
    EXPECT_EQ(histogram.counts(), (Small::Counts{2, 2, 2, 2}));
    EXPECT_EQ(histogram.sum(), 1'000'225U);
}

TEST(Histogram, O_5_OneObservationMayStandForMany) {
    Small histogram;
    histogram.observe(5, 1000);
    histogram.observe(5, 0);
    EXPECT_EQ(histogram.counts(), (Small::Counts{0, 1000, 0, 0}));
    EXPECT_EQ(histogram.sum(), 5000U);
}

TEST(Histogram, O_5_AddsUp) {
    Small one;
    Small other;
    one.observe(1);
    other.observe(1);
    other.observe(500);
    one.add(other);
    EXPECT_EQ(one.counts(), (Small::Counts{2, 0, 0, 1}));
    EXPECT_EQ(one.sum(), 502U);
    EXPECT_EQ(other.sum(), 501U);
}

TEST(Histogram, O_5_BoundsInUseRiseAndAreFew) {
    EXPECT_TRUE(std::is_sorted(engine::short_times.begin(), engine::short_times.end()));
    EXPECT_TRUE(std::is_sorted(engine::long_times.begin(), engine::long_times.end()));
    EXPECT_TRUE(std::is_sorted(engine::group_sizes.begin(), engine::group_sizes.end()));
    EXPECT_LE(engine::ShortTimes::size, 16U);
}

TEST(Counters, O_5_EveryNumberIsAddedUp) {
    engine::Counters one;
    one.messages_acked = one.errors = one.connected = 1;
    one.transactions_open = -1;
    one.subscriptions[2] = 3;
    one.logins[1].accepted = 4;
    one.logins[1].time.observe(7);
    one.policies.resize(3);
    one.policies[2] = {5, 6};
    one.delivery_time.observe(8);
    engine::Counters sum;
    sum.add(one);
    sum.add(one);
    EXPECT_EQ(sum.messages_acked + sum.errors + sum.connected, 6U);
    EXPECT_EQ(sum.transactions_open, -2);
    EXPECT_EQ(sum.subscriptions[2], 6);
    EXPECT_EQ(sum.logins[1].accepted, 8U);
    EXPECT_EQ(sum.logins[1].time.sum(), 14U);
    EXPECT_EQ(sum.messages_published(), 10U);
    EXPECT_EQ(sum.messages_delivered(), 12U);
    EXPECT_EQ(sum.delivery_time.sum(), 16U);
}

TEST(WaitingAge, O_5_CountsFromTheFirstLook) {
    WaitingAge age;
    EXPECT_EQ(age.look(1, 1, Instant(100)), Instant(0));
    EXPECT_EQ(age.look(1, 5, Instant(200)), Instant(100));
    EXPECT_EQ(age.look(1, 5, Instant(900)), Instant(800));
    // The next was there at the second look.
    EXPECT_EQ(age.look(2, 5, Instant(1000)), Instant(800));
    // All that was there has gone.
    EXPECT_EQ(age.look(6, 6, Instant(1100)), Instant(0));
    age.forget();
    EXPECT_EQ(age.look(6, 6, Instant(1200)), Instant(0));
}

// However many notes there would be: the front one's never grows younger, and none is too old.
TEST(WaitingAge, O_5_StaysBoundedAndTellsNoMoreThanTheTruth) {
    WaitingAge age;
    for (std::uint64_t now = 1; now <= 10'000; ++now) {
        EXPECT_EQ(age.look(1, now, Instant(now)), Instant(now - 1));
    }
    Instant before = Instant::max();
    for (std::uint64_t front = 2; front <= 10'000; front += 100) {
        const Instant seen = age.look(front, 10'000, Instant(10'000));
        EXPECT_LE(seen, Instant(10'000 - front));
        EXPECT_LE(seen, before);
        before = seen;
    }
}

}  // namespace
