// Heart-beat header and arithmetic: P-HB-01 to -05.
// The examples of the specification, then its rules over a grid of numbers.
#include "protocol/heart_beat.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace protocol {

namespace {

std::string answer(std::uint64_t can_send, std::uint64_t wants, Version version = Version::v1_2) {
    const Agreed agreed = agree({can_send, wants}, version, {});
    return std::to_string(agreed.answer.can_send) + "," + std::to_string(agreed.answer.wants);
}

const std::vector<std::uint64_t> grid{
    0,
    1,
    500,
    999,
    1'000,
    1'001,
    1'999,
    2'000,
    2'001,
    4'000,
    9'999,
    10'000,
    10'001,
    59'999,
    60'000,
    60'001,
    120'000,
    9'999'999'999};

}  // namespace

TEST(HeartBeat, P_HB_01_TwoIntegersWithAComma) {
    const auto parsed = parse_heart_beat("10000,5000");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->can_send, 10'000U);
    EXPECT_EQ(parsed->wants, 5'000U);
}

TEST(HeartBeat, P_HB_01_MissingIsNothing) {
    const auto parsed = parse_heart_beat(std::nullopt);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->can_send, 0U);
    EXPECT_EQ(parsed->wants, 0U);
}

TEST(HeartBeat, P_HB_01_BlanksAreTolerated) {
    for (const char* header : {" 1,2", "1 ,2", "1, 2", "1,2 ", "  1  ,  2  "}) {
        const auto parsed = parse_heart_beat(header);
        ASSERT_TRUE(parsed) << header;
        EXPECT_EQ(parsed->can_send, 1U);
        EXPECT_EQ(parsed->wants, 2U);
    }
}

TEST(HeartBeat, P_HB_01_AtMostTenDigits) {
    EXPECT_EQ(parse_heart_beat("9999999999,0000000001")->can_send, 9'999'999'999U);
    EXPECT_EQ(parse_heart_beat("9999999999,0000000001")->wants, 1U);
    EXPECT_FALSE(parse_heart_beat("00000000001,1"));
    EXPECT_FALSE(parse_heart_beat("1,10000000000"));
}

TEST(HeartBeat, P_HB_01_AnythingElseRefuses) {
    for (const char* header :
         {"",
          ",",
          "1",
          "1,",
          ",1",
          "1,2,3",
          "-1,2",
          "+1,2",
          "1.5,2",
          "a,b",
          "0x1,2",
          "1;2",
          "1 2",
          "1,2 3",
          "\t1,2"}) {
        const auto parsed = parse_heart_beat(header);
        ASSERT_FALSE(parsed) << header;
        EXPECT_EQ(parsed.error().code, ErrorCode::bad_header);
        EXPECT_NE(parsed.error().what.find("heart-beat"), std::string::npos);
        EXPECT_FALSE(parsed.error().remedy.empty());
    }
}

TEST(HeartBeat, P_HB_02_TheExamples) {
    EXPECT_EQ(answer(10'000, 10'000), "10000,10000");
    EXPECT_EQ(answer(0, 0), "10000,10000");
    EXPECT_EQ(answer(1'000, 0), "10000,1000");
    EXPECT_EQ(answer(0, 1'000), "1000,10000");
    EXPECT_EQ(answer(4'000, 4'000), "4000,10000");
    EXPECT_EQ(answer(500, 500), "1000,1000");
    EXPECT_EQ(answer(120'000, 0), "10000,0");
}

TEST(HeartBeat, P_HB_02_TheEdges) {
    EXPECT_EQ(answer(2'000, 9'999), "9999,2000");
    EXPECT_EQ(answer(2'001, 10'000), "10000,10000");
    EXPECT_EQ(answer(60'000, 60'000), "10000,10000");
    EXPECT_EQ(answer(60'001, 9'999'999'999), "10000,0");
    EXPECT_EQ(answer(1, 1), "1000,1000");
}

TEST(HeartBeat, P_HB_02_NothingIn10) {
    for (const std::uint64_t n : grid) {
        const Agreed agreed = agree({n, n}, Version::v1_0, {});
        EXPECT_EQ(
            agreed.answer.can_send + agreed.answer.wants + agreed.send_every + agreed.hear_every, 0U
        );
    }
}

TEST(HeartBeat, P_HB_02_OfferFloorAndCapAreConfigurable) {
    const HeartBeatOptions options{5'000, 200, 20'000};
    EXPECT_EQ(agree({100, 100}, Version::v1_2, options).answer.can_send, 200U);
    EXPECT_EQ(agree({100, 100}, Version::v1_2, options).answer.wants, 200U);
    EXPECT_EQ(agree({0, 0}, Version::v1_2, options).answer.can_send, 5'000U);
    EXPECT_EQ(agree({20'001, 0}, Version::v1_2, options).answer.wants, 0U);
    EXPECT_EQ(agree({0, 50'000}, Version::v1_2, options).send_every, 20'000U);
}

TEST(HeartBeat, P_HB_02_ANumberOfTheClientIsNeverEchoedBeyondTheBounds) {
    for (const std::uint64_t can_send : grid) {
        for (const std::uint64_t wants : grid) {
            const Agreed agreed = agree({can_send, wants}, Version::v1_1, {});
            EXPECT_GE(agreed.answer.can_send, 1'000U);
            EXPECT_LE(agreed.answer.can_send, 10'000U);
            EXPECT_LE(agreed.answer.wants, 10'000U);
            EXPECT_NE(agreed.answer.wants != 0, agreed.answer.wants < 1'000);
        }
    }
}

TEST(HeartBeat, P_HB_03_TheLargerOfOfferAndWishOrNothing) {
    for (const std::uint64_t can_send : grid) {
        for (const std::uint64_t wants : grid) {
            const Agreed agreed = agree({can_send, wants}, Version::v1_2, {});
            const std::uint64_t sy = agreed.answer.wants;
            const std::uint64_t sx = agreed.answer.can_send;
            EXPECT_EQ(agreed.hear_every, can_send == 0 || sy == 0 ? 0 : std::max(can_send, sy));
            EXPECT_EQ(
                agreed.send_every,
                wants == 0 ? 0 : std::min<std::uint64_t>(60'000, std::max(sx, wants))
            );
        }
    }
}

TEST(HeartBeat, P_HB_03_TheDirectionsAreIndependent) {
    for (const std::uint64_t n : grid) {
        EXPECT_EQ(
            agree({n, 0}, Version::v1_2, {}).hear_every,
            agree({n, 7'000}, Version::v1_2, {}).hear_every
        );
        EXPECT_EQ(
            agree({0, n}, Version::v1_2, {}).send_every,
            agree({7'000, n}, Version::v1_2, {}).send_every
        );
    }
}

TEST(HeartBeat, P_HB_04_ABeatLeavesWithin50To80PerCentOfTheInterval) {
    for (std::uint64_t every = 1'000; every <= 60'000; every += 7) {
        EXPECT_GE(beat_after(every) * 10, every * 5);
        EXPECT_LE(beat_after(every) * 10, every * 8);
    }
}

TEST(HeartBeat, P_HB_05_DeadAfterTwoIntervalsAndAMargin) {
    EXPECT_EQ(dead_after(1'000), 2'250U);
    EXPECT_EQ(dead_after(4'000), 9'000U);
    EXPECT_EQ(dead_after(4'001), 9'002U);
    EXPECT_EQ(dead_after(10'000), 21'000U);
    EXPECT_EQ(dead_after(60'000), 121'000U);
}

}  // namespace protocol
