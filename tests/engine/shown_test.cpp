// What operators are told of destinations (O-10): ages by message id, rates.
#include "broker/engine/arrivals.hpp"
#include "broker/engine/destination_figures.hpp"
#include "broker/engine/meter.hpp"
#include "tests/support/test_broker.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace engine {

TEST(Meter, O_10_RatesAreOfTheTimeBetweenTwoSamples) {
    Meter meter;
    meter.published = 100;
    meter.sample(std::chrono::milliseconds(0));
    EXPECT_EQ(meter.published_rate, 0.0F);
    meter.published = 150;
    meter.delivered = 10;
    meter.sample(std::chrono::milliseconds(2000));
    EXPECT_EQ(meter.published_rate, 25.0F);
    EXPECT_EQ(meter.delivered_rate, 5.0F);
}

TEST(ArrivalTimes, O_10_AnIdTellsItsTime) {
    const ArrivalTimes times("abc0", {{1, Instant(1000)}, {50, Instant(3000)}});
    EXPECT_EQ(times.find("abc01"), Instant(1000));
    EXPECT_EQ(times.find("abc049"), Instant(1000));
    EXPECT_EQ(times.find("abc050"), Instant(3000));
    EXPECT_EQ(times.find("abc0"), std::nullopt);
    EXPECT_EQ(times.find("abc0x"), std::nullopt);
    EXPECT_EQ(times.find("abd01"), std::nullopt);
    const Ages ages{{times}, Instant(500)};
    EXPECT_EQ(ages.age_ms("abc050", Instant(3500)), 500);
    EXPECT_EQ(ages.age_ms("unknown", Instant(3500)), 3000);
}

TEST(ArrivalTimes, O_10_AnEmptyPrefixKnowsNothing) {
    EXPECT_EQ(ArrivalTimes().find("1"), std::nullopt);
}

TEST(Walk, O_10_WhenTheTableGrowsMeanwhileEverythingIsShownOnceMore) {
    support::TestBroker broker;
    Destinations& router = broker.router(0);
    const auto declare = [&](int from, int to) {
        for (int i = from; i < to; ++i) {
            QueueArguments arguments;
            arguments.messages_max = 1;
            ASSERT_TRUE(router.declare("/queue/" + std::to_string(i), arguments));
        }
    };
    broker.shards().on(0, [&] {
        declare(0, 100);
        DestinationCursor cursor;
        std::map<std::string, int> shown;
        unsigned round = 0;
        for (int part = 0; !router.walk(
                 cursor,
                 10,
                 [&](const Destinations::Seen& seen) { ++shown[std::string(seen.name)]; }
             );
             ++part) {
            if (round != cursor.rounds) { shown.clear(); }
            round = cursor.rounds;
            if (part == 3) { declare(100, 2000); }
        }
        EXPECT_EQ(round, 1U);
        EXPECT_EQ(shown.size(), 2000U);
        for (const auto& [name, times] : shown) {
            EXPECT_EQ(times, 1) << name;
        }
    });
    broker.settle();
}

}  // namespace engine
