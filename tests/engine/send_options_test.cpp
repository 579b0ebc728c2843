// What a SEND asks for, alone: every header in every dialect, and its bounds (section 15 of
// docs/protocol.md). What the options do is told by the scripts.
#include "broker/engine/send_options.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

namespace {

using protocol::ErrorCode;
using protocol::Header;
using Headers = std::vector<Header>;

protocol::Result<SendOptions> read(
    const Headers& headers, bool is_queue = false, bool is_user = false
) {
    protocol::Send request{};
    request.destination = is_queue ? "/queue/a" : "/topic/a";
    request.headers = headers;
    return send_options(request, is_queue, is_user);
}

SendOptions options_of(const Headers& headers, bool is_queue = false, bool is_user = false) {
    const auto options = read(headers, is_queue, is_user);
    EXPECT_TRUE(options.has_value());
    return options ? *options : SendOptions{};
}

// The code of what is refused and named, or internal.
ErrorCode refusal(const Headers& headers, bool is_queue = false) {
    const auto options = read(headers, is_queue);
    if (options) { return ErrorCode::internal; }
    const protocol::Error error = options.error();
    EXPECT_NE(error.what.find(headers.back().name), std::string::npos) << error.what;
    EXPECT_FALSE(error.remedy.empty());
    EXPECT_FALSE(error.rule.empty());
    return error.code;
}

ErrorCode refusal(std::string_view name, std::string_view value) {
    return refusal(Headers{{name, value}});
}

constexpr std::int64_t now = 1'700'000'000'000;

}  // namespace

TEST(SendOptions, WithoutHeadersNothingIsAsked) {
    const SendOptions options = options_of({});
    EXPECT_FALSE(options.expires());
    EXPECT_EQ(options.expiry(now), 0);
    EXPECT_FALSE(options.delay.has_value());
    EXPECT_EQ(options.retain, Retain::none);
    EXPECT_EQ(options.dedup_id, "");
    EXPECT_EQ(options.session, "");
    EXPECT_EQ(options.arguments, QueueArguments{});
}

TEST(SendOptions, P_SEND_06_EveryNumberHasBounds) {
    struct Bounds {
        std::string_view name;
        std::string_view below;
        std::string_view least;
        std::string_view most;
        std::string_view above;
    };

    constexpr std::array<Bounds, 8> all{
        {{"expires", "-1", "0", "9999999999999", "10000000000000"},
         {"expiration", "-1", "0", "9999999999999", "10000000000000"},
         {"ttl", "-1", "0", "9999999999999", "10000000000000"},
         {"AMQ_SCHEDULED_DELAY", "-1", "0", "2592000000", "2592000001"},
         {"x-delay", "-1", "0", "2592000000", "2592000001"},
         {"AMQ_SCHEDULED_TIME", "-1", "0", "9999999999999", "10000000000000"},
         {"AMQ_SCHEDULED_PERIOD", "999", "1000", "2592000000", "2592000001"},
         {"priority", "-1", "0", "255", "256"}}};
    for (const Bounds& bounds : all) {
        EXPECT_EQ(refusal(bounds.name, bounds.below), ErrorCode::bad_header) << bounds.name;
        EXPECT_EQ(refusal(bounds.name, bounds.least), ErrorCode::internal) << bounds.name;
        EXPECT_EQ(refusal(bounds.name, bounds.most), ErrorCode::internal) << bounds.name;
        EXPECT_EQ(refusal(bounds.name, bounds.above), ErrorCode::bad_header) << bounds.name;
        for (const std::string_view bad : {"", "soon", " 5", "5 ", "5.0", "+5", "1e3"}) {
            EXPECT_EQ(refusal(bounds.name, bad), ErrorCode::bad_header) << bounds.name << bad;
        }
    }
}

TEST(SendOptions, P_SEND_06_PersistentIsABoolean) {
    for (const std::string_view good : {"true", "false", "True", "False"}) {
        EXPECT_EQ(refusal("persistent", good), ErrorCode::internal) << good;
    }
    for (const std::string_view bad : {"", "maybe", "FALSE", "0", "1", " true"}) {
        EXPECT_EQ(refusal("persistent", bad), ErrorCode::bad_header) << bad;
    }
}

TEST(SendOptions, P_QOS_01_TheEarliestEndCounts) {
    EXPECT_EQ(options_of({{"expires", "1700000000500"}}).expiry(now), 1'700'000'000'500);
    EXPECT_EQ(options_of({{"ttl", "700"}}).expiry(now), now + 700);
    EXPECT_EQ(options_of({{"expiration", "700"}}).expiry(now), now + 700);
    EXPECT_EQ(options_of({{"expiration", "700"}, {"ttl", "600"}}).expiry(now), now + 600);
    EXPECT_EQ(options_of({{"expiration", "600"}, {"ttl", "700"}}).expiry(now), now + 600);
    EXPECT_EQ(options_of({{"expires", "1700000000500"}, {"ttl", "499"}}).expiry(now), now + 499);
    EXPECT_EQ(options_of({{"expires", "1700000000500"}, {"ttl", "501"}}).expiry(now), now + 500);
}

TEST(SendOptions, P_QOS_01_ZeroIsNever) {
    EXPECT_FALSE(options_of({{"expires", "0"}}).expires());
    EXPECT_FALSE(options_of({{"ttl", "0"}, {"expiration", "0"}}).expires());
    EXPECT_EQ(options_of({{"ttl", "0"}, {"expiration", "5"}}).expiry(now), now + 5);
    EXPECT_EQ(options_of({{"expires", "0"}, {"ttl", "5"}}).expiry(now), now + 5);
}

TEST(SendOptions, P_QOS_01_APastEndIsKept) {
    const SendOptions options = options_of({{"expires", "1"}});
    EXPECT_TRUE(options.expires());
    EXPECT_EQ(options.expiry(now), 1);
}

TEST(SendOptions, P_QOS_01_TheLongestLifeDoesNotOverflow) {
    EXPECT_EQ(options_of({{"ttl", "9999999999999"}}).expiry(now), 9'999'999'999'999);
}

TEST(SendOptions, P_QOS_03_DelaysHaveTwoNames) {
    EXPECT_EQ(options_of({{"AMQ_SCHEDULED_DELAY", "5"}}).delay->due(now), now + 5);
    EXPECT_EQ(options_of({{"x-delay", "6"}}).delay->due(now), now + 6);
    const Headers both{{"x-delay", "6"}, {"AMQ_SCHEDULED_DELAY", "5"}};
    EXPECT_EQ(options_of(both).delay->due(now), now + 5);
    EXPECT_FALSE(options_of({{"x-delay", "0"}}).delay.has_value());
    EXPECT_FALSE(options_of({{"AMQ_SCHEDULED_DELAY", "0"}}).delay.has_value());
}

TEST(SendOptions, P_QOS_03_APastTimeIsNow) {
    EXPECT_EQ(options_of({{"AMQ_SCHEDULED_TIME", "0"}}).delay->due(now), now);
    EXPECT_EQ(options_of({{"AMQ_SCHEDULED_TIME", "1699999999999"}}).delay->due(now), now);
    EXPECT_EQ(options_of({{"AMQ_SCHEDULED_TIME", "1700000000001"}}).delay->due(now), now + 1);
}

TEST(SendOptions, P_QOS_03_RepeatsNeedAPeriod) {
    const SendOptions options = options_of(
        {{"AMQ_SCHEDULED_DELAY", "50"},
         {"AMQ_SCHEDULED_PERIOD", "1000"},
         {"AMQ_SCHEDULED_REPEAT", "3"}}
    );
    ASSERT_TRUE(options.delay.has_value());
    EXPECT_EQ(options.delay->due(now), now + 50);
    EXPECT_EQ(options.delay->period_ms, 1000);
    EXPECT_EQ(options.delay->repeats, 3U);
    EXPECT_EQ(refusal("AMQ_SCHEDULED_REPEAT", "1"), ErrorCode::bad_header);
    EXPECT_EQ(refusal("AMQ_SCHEDULED_REPEAT", "0"), ErrorCode::internal);
    const auto repeated = [](std::string_view value) {
        return refusal(Headers{{"AMQ_SCHEDULED_PERIOD", "1000"}, {"AMQ_SCHEDULED_REPEAT", value}});
    };
    EXPECT_EQ(repeated("1000000"), ErrorCode::internal);
    EXPECT_EQ(repeated("1000001"), ErrorCode::bad_header);
    EXPECT_EQ(repeated("-1"), ErrorCode::bad_header);
    EXPECT_EQ(repeated("often"), ErrorCode::bad_header);
}

TEST(SendOptions, P_QOS_03_CronIsNotOffered) {
    EXPECT_EQ(refusal("AMQ_SCHEDULED_CRON", "0 * * * *"), ErrorCode::unsupported);
    EXPECT_EQ(refusal("AMQ_SCHEDULED_CRON", ""), ErrorCode::unsupported);
}

TEST(SendOptions, P_QOS_06_AnIdHasTwoNamesAndABound) {
    const std::string most(128, 'x');
    const std::string more(129, 'x');
    for (const std::string_view name : {"dedup-id", "_AMQ_DUPL_ID"}) {
        EXPECT_EQ(options_of({{name, "a"}}).dedup_id, "a");
        EXPECT_EQ(options_of({{name, most}}).dedup_id, most);
        EXPECT_EQ(refusal(name, more), ErrorCode::bad_header) << name;
        EXPECT_EQ(refusal(name, ""), ErrorCode::bad_header) << name;
    }
    EXPECT_EQ(options_of({{"_AMQ_DUPL_ID", "b"}, {"dedup-id", "a"}}).dedup_id, "a");
}

TEST(SendOptions, P_QOS_08_RetainIsForTopics) {
    EXPECT_EQ(options_of({{"retain", "set"}}).retain, Retain::set);
    EXPECT_EQ(options_of({{"retain", "true"}}).retain, Retain::set);
    EXPECT_EQ(options_of({{"retain", "remove"}}).retain, Retain::remove);
    EXPECT_EQ(options_of({{"retain", "set"}}, true).retain, Retain::none);
    for (const std::string_view bad : {"", "false", "Set", "yes"}) {
        EXPECT_EQ(refusal("retain", bad), ErrorCode::bad_header) << bad;
    }
}

TEST(SendOptions, P_USER_02_ASessionIsForUserDestinations) {
    EXPECT_EQ(options_of({{"x-session", "s"}}, false, true).session, "s");
    EXPECT_EQ(options_of({{"x-session", "s"}}).session, "");
}

TEST(SendOptions, P_SUB_14_ArgumentsAreForQueues) {
    EXPECT_EQ(options_of({{"x-max-length", "5"}}, true).arguments.messages_max, 5U);
    EXPECT_EQ(options_of({{"x-max-length", "5"}}).arguments, QueueArguments{});
    EXPECT_EQ(options_of({{"persistent", "false"}}, true).arguments, QueueArguments{});
    EXPECT_EQ(refusal(Headers{{"x-max-length", "five"}}, true), ErrorCode::bad_header);
    EXPECT_EQ(refusal(Headers{{"x-max-length", "five"}}), ErrorCode::internal);
    EXPECT_EQ(refusal(Headers{{"x-queue-type", "stream"}}, true), ErrorCode::unsupported);
}

}  // namespace engine
