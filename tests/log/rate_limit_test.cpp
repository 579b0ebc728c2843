// The rate limit in a time of its own.
#include "broker/log/rate_limit.hpp"

#include <gtest/gtest.h>

namespace logging {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr RateLimit::Time start{std::chrono::hours(1)};

int admitted(
    RateLimit& limit,
    std::string_view event,
    std::string_view address,
    RateLimit::Time now,
    int tries
) {
    int count = 0;
    for (int i = 0; i < tries; ++i) {
        count += limit.admit(event, address, now) ? 1 : 0;
    }
    return count;
}

TEST(RateLimit, S_LOG_02_TenLinesASecondForEachEventAndAddress) {
    RateLimit limit;
    EXPECT_EQ(admitted(limit, "denied", "10.0.0.1", start, 25), 10);
    EXPECT_EQ(admitted(limit, "denied", "10.0.0.2", start, 25), 10);
    EXPECT_EQ(admitted(limit, "limit-hit", "10.0.0.1", start, 25), 10);
}

TEST(RateLimit, S_LOG_02_AnySecondHasTenLinesAtMost) {
    RateLimit limit;
    EXPECT_EQ(admitted(limit, "e", "a", start, 5), 5);
    EXPECT_EQ(admitted(limit, "e", "a", start + milliseconds(900), 25), 5);
    EXPECT_EQ(admitted(limit, "e", "a", start + milliseconds(999), 25), 0);
    EXPECT_EQ(admitted(limit, "e", "a", start + milliseconds(1000), 25), 5);
    EXPECT_EQ(admitted(limit, "e", "a", start + milliseconds(1900), 25), 5);
}

TEST(RateLimit, S_LOG_02_SummariesCountWhatWasLeftOut) {
    RateLimit limit;
    EXPECT_EQ(admitted(limit, "denied", "10.0.0.1", start, 1010), 10);
    EXPECT_EQ(admitted(limit, "quiet", "10.0.0.1", start, 3), 3);
    const auto summaries = limit.take_summaries(start + seconds(10));
    ASSERT_EQ(summaries.size(), 1U);
    EXPECT_EQ(summaries[0].event, "denied");
    EXPECT_EQ(summaries[0].address, "10.0.0.1");
    EXPECT_EQ(summaries[0].suppressed, 1000U);
    EXPECT_TRUE(limit.take_summaries(start + seconds(20)).empty());
    EXPECT_EQ(limit.sources(), 0U);
}

TEST(RateLimit, S_LOG_02_ManyAddressesShareOneSourceWhenTheTableIsFull) {
    RateLimit limit;
    int lines = 0;
    for (int i = 0; i < 5000; ++i) {
        lines += admitted(limit, "denied", std::to_string(i), start, 1);
    }
    EXPECT_EQ(limit.sources(), RateLimit::sources_max);
    EXPECT_EQ(lines, 1024 + 10);
    const auto summaries = limit.take_summaries(start + seconds(10));
    ASSERT_EQ(summaries.size(), 1U);
    EXPECT_EQ(summaries[0].address, "");
    EXPECT_EQ(summaries[0].suppressed, 5000U - 1034U);
}

TEST(RateLimit, S_LOG_02_IdleSourcesMakeRoom) {
    RateLimit limit;
    for (int i = 0; i < 1024; ++i) {
        EXPECT_TRUE(limit.admit("denied", std::to_string(i), start));
    }
    EXPECT_EQ(admitted(limit, "denied", "new", start + seconds(2), 25), 10);
    EXPECT_EQ(limit.sources(), 1U);
}

TEST(RateLimit, S_LOG_02_ThePortIsNotPartOfTheAddress) {
    EXPECT_EQ(without_port("10.0.0.1:5000"), "10.0.0.1");
    EXPECT_EQ(without_port("[2001:db8::1]:5000"), "2001:db8::1");
    EXPECT_EQ(without_port("2001:db8::1"), "2001:db8::1");
    EXPECT_EQ(without_port("10.0.0.1"), "10.0.0.1");
    EXPECT_EQ(without_port("[::1"), "[::1");
    EXPECT_EQ(without_port(""), "");
}

}  // namespace
}  // namespace logging
