// Rates of users and addresses: what is free, what is owed, what is refused, and what is
// remembered.
#include "broker/transport/rates.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace transport {
namespace {

using engine::Instant;
using protocol::Command;
using protocol::LimitKey;

constexpr Instant start{1'000'000};

TEST(Bucket, S_RATE_02_HoldsASecondsWorthAndNoMore) {
    Bucket bucket;
    EXPECT_EQ(bucket.take(10, 10, start, Instant(5000)), Instant(0));
    EXPECT_EQ(bucket.take(1, 10, start, Instant(5000)), Instant(100));
    EXPECT_EQ(bucket.take(1, 10, start + Instant(100'000), Instant(5000)), Instant(0));
    EXPECT_EQ(bucket.take(10, 10, start + Instant(100'000), Instant(5000)), Instant(100));
}

TEST(Bucket, S_RATE_02_OwesUpToTheDebtAndIsRefusedBeyond) {
    Bucket bucket;
    EXPECT_EQ(bucket.take(60, 10, start, Instant(5000)), Instant(5000));
    EXPECT_EQ(bucket.take(1, 10, start, Instant(5000)), std::nullopt);
    EXPECT_EQ(bucket.take(1, 10, start + Instant(100), Instant(5000)), Instant(5000));
    // To come again after a refusal does not help, nor does it make things worse.
    Bucket other;
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(other.take(1000, 10, start, Instant(5000)), std::nullopt);
    }
    EXPECT_EQ(other.take(1, 10, start, Instant(5000)), std::nullopt);
    EXPECT_EQ(other.take(1, 10, start + Instant(100), Instant(5000)), Instant(5000));
}

TEST(Bucket, S_RATE_02_ExtremesNeitherOverflowNorVanish) {
    Bucket slow;
    EXPECT_EQ(slow.take(1U << 31U, 1, start, Instant(5000)), std::nullopt);
    Bucket other;
    EXPECT_TRUE(other.take_if_there(1, 1, start));
    EXPECT_FALSE(other.take_if_there(1, 1, start));
    Bucket fast;
    constexpr std::size_t rate = 16'777'216;
    for (std::size_t i = 0; i < 16; ++i) {
        EXPECT_TRUE(fast.take_if_there(rate / 16, rate, start)) << i;
    }
    EXPECT_FALSE(fast.take_if_there(rate / 16, rate, start));
}

// However many try, those who are refused take nothing from who comes next.
TEST(Bucket, S_RATE_02_WhatIsNotThereIsNotTaken) {
    Bucket bucket;
    std::size_t taken = 0;
    for (int i = 0; i < 10'000; ++i) {
        taken += bucket.take_if_there(1, 10, start + Instant(i)) ? 1U : 0U;
    }
    EXPECT_GE(taken, 10U + 98U);
    EXPECT_LE(taken, 10U + 100U);
}

// Zero stands for none and never wins; no sum or difference wraps.
TEST(Limits, CVE_2026_67235_OfTwoTheSmallerHolds) {
    const std::size_t values[] = {
        0, 1, 2, 3, 16'384, 16'777'216, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};
    for (const std::size_t a : values) {
        for (const std::size_t b : values) {
            const std::size_t held = smaller_limit(a, b);
            EXPECT_EQ(held, smaller_limit(b, a));
            EXPECT_EQ(held == 0, a == 0 && b == 0) << a << " " << b;
            EXPECT_TRUE(a == 0 || held <= a) << a << " " << b;
            EXPECT_TRUE(b == 0 || held <= b) << a << " " << b;
            EXPECT_TRUE(held == a || held == b) << a << " " << b;
            for (const std::size_t c : values) {
                EXPECT_EQ(smaller_limit(held, c), smaller_limit(a, smaller_limit(b, c)));
            }
        }
    }
}

class RatesOf : public testing::Test {
protected:
    void send(Toll& toll, int messages) {
        for (int i = 0; i < messages; ++i) {
            is_due_ = toll.note(Command::send, options);
        }
    }

    Options options;
    RateLimits rates;
    bool is_due_ = false;  ///< After the last message.
};

TEST_F(RatesOf, S_RATE_02_ASecondsWorthIsDueAtOnce) {
    options.rates_per_user.messages = 10;
    const auto toll = rates.toll("", "anna", options, start);
    send(*toll, 9);
    EXPECT_FALSE(is_due_);
    send(*toll, 1);
    EXPECT_TRUE(is_due_);
    EXPECT_EQ(toll->pay(0, options, start).limit, LimitKey::none);
    send(*toll, 10);
    EXPECT_TRUE(is_due_);
    EXPECT_EQ(toll->pay(0, options, start).pause, Instant(1000));
}

TEST_F(RatesOf, S_RATE_02_NothingIsKeptWhereNothingIsLimited) {
    EXPECT_EQ(rates.toll("10.0.0.1", "anna", options, start), nullptr);
    options.rates_per_ip.messages = 10;
    EXPECT_EQ(rates.toll("", "anna", options, start), nullptr);
    options.rates_per_user.bytes = 1000;
    EXPECT_EQ(rates.toll("", "", options, start), nullptr);
    EXPECT_NE(rates.toll("", "anna", options, start), nullptr);
    EXPECT_TRUE(rates.admit("10.0.0.1", options, start));
}

TEST_F(RatesOf, S_RATE_02_ConnectionsOfAUserShare) {
    options.rates_per_user.messages = 10;
    const auto first = rates.toll("10.0.0.1", "anna", options, start);
    const auto second = rates.toll("10.0.0.2", "anna", options, start);
    const auto other = rates.toll("10.0.0.2", "bert", options, start);
    send(*first, 10);
    EXPECT_EQ(first->pay(500, options, start).limit, LimitKey::none);
    send(*second, 5);
    const Pace pace = second->pay(500, options, start);
    EXPECT_EQ(pace.limit, LimitKey::messages_per_second_per_user);
    EXPECT_EQ(pace.pause, Instant(500));
    EXPECT_FALSE(pace.is_refused);
    send(*other, 10);
    EXPECT_EQ(other->pay(500, options, start).limit, LimitKey::none);
    send(*first, 46);
    EXPECT_TRUE(first->pay(500, options, start).is_refused);
}

TEST_F(RatesOf, S_RATE_02_TheStricterCounts) {
    options.rates_per_user = {100, 10'000, 5};
    options.rates_per_ip = {10, 100'000, 50};
    const auto toll = rates.toll("10.0.0.1", "anna", options, start);
    send(*toll, 20);
    EXPECT_EQ(toll->pay(10, options, start).limit, LimitKey::messages_per_second_per_ip);
    EXPECT_EQ(toll->pay(20'000, options, start).limit, LimitKey::bytes_per_second_per_user);
    for (int i = 0; i < 20; ++i) {
        (void)toll->note(Command::subscribe, options);
    }
    const Pace pace = toll->pay(10, options, start);
    EXPECT_EQ(pace.limit, LimitKey::subscribes_per_second_per_user);
    EXPECT_EQ(pace.pause, Instant(3000));
    EXPECT_EQ(toll->read_max(65'536, options), 10'000U);
    EXPECT_EQ(rates.toll("10.0.0.1", "", options, start)->read_max(65'536, options), 65'536U);
}

TEST_F(RatesOf, S_RATE_02_OthersThanSendAndSubscribeAreFree) {
    options.rates_per_user = {1, 0, 1};
    const auto toll = rates.toll("", "anna", options, start);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_FALSE(toll->note(Command::ack, options));
    }
    EXPECT_EQ(toll->pay(64'000, options, start).limit, LimitKey::none);
}

TEST_F(RatesOf, S_RATE_02_NewConnectionsOfANetwork) {
    options.connections_per_second_per_ip = 3;
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(rates.admit("10.0.0.1", options, start));
    }
    EXPECT_FALSE(rates.admit("10.0.0.1", options, start));
    EXPECT_TRUE(rates.admit("10.0.0.2", options, start));
    EXPECT_TRUE(rates.admit("", options, start));
    EXPECT_TRUE(rates.admit("10.0.0.1", options, start + Instant(334)));
    EXPECT_FALSE(rates.admit("10.0.0.1", options, start + Instant(335)));
}

// Leaving and coming back buys nothing, and names that did nothing lately are forgotten.
TEST(Meters, S_SEC_04_AreBoundedAndForgetTheIdle) {
    Meters meters(100);
    const MeterRef kept = meters.of("kept", start);
    (void)meters.of("debtor", start)->messages.take(60, 10, start, Instant(5000));
    for (int i = 0; i < 1000; ++i) {
        (void)meters.of_stranger(std::to_string(i), start + Instant(i));
    }
    EXPECT_LE(meters.size(), 100U);
    const Instant later = start + Instant(2000);
    for (int i = 0; i < 1000; ++i) {
        (void)meters.of_stranger("x" + std::to_string(i), later);
    }
    EXPECT_LE(meters.size(), 100U);
    EXPECT_EQ(meters.of_stranger("one more", later), nullptr);
    EXPECT_EQ(meters.of("kept", later), kept);
    EXPECT_FALSE(meters.of("debtor", later)->is_idle(later));
    EXPECT_TRUE(meters.of("debtor", later)->is_idle(start + Instant(6000)));
}

// Connections are bounded elsewhere: whoever has one shares with nobody, and always has his own.
TEST(Meters, S_RATE_02_WhoIsConnectedIsAlwaysRemembered) {
    Meters meters(10);
    std::vector<MeterRef> held;
    for (int i = 0; i < 100; ++i) {
        held.push_back(meters.of(std::to_string(i), start));
    }
    for (std::size_t i = 0; i < held.size(); ++i) {
        EXPECT_EQ(meters.of(std::to_string(i), start), held[i]);
    }
}

}  // namespace
}  // namespace transport
