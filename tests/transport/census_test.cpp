// Limits by address: what is counted where, and what a connection that changes its address does.
#include "broker/transport/census.hpp"

#include <gtest/gtest.h>

namespace transport {
namespace {

using protocol::LimitKey;

class CensusOf : public testing::Test {
protected:
    CensusOf() {
        options.connections_max = 100;
        options.connections_per_ip_max = 2;
        options.unauthenticated_per_ip_max = 2;
        census.set_limits(options);
    }

    void admit(const char* address, bool is_exempt = false) {
        EXPECT_EQ(census.admit(address, is_exempt), LimitKey::none);
    }

    [[nodiscard]] bool is_full(const char* address) {
        const LimitKey crossed = census.admit(address, false);
        if (crossed == LimitKey::none) { census.left(address, false, false); }
        return crossed == LimitKey::connections_per_ip;
    }

    /// The one that was to move did.
    [[nodiscard]] bool moves(
        const std::string& from, bool from_exempt, const std::string& to, bool to_exempt
    ) {
        return census.move(from, from_exempt, to, to_exempt) == LimitKey::none;
    }

    Options options;
    Census census{options};
};

TEST_F(CensusOf, S_RATE_01_ExemptNetworksAndLoopbackAreNotCounted) {
    EXPECT_EQ(options.exempt.add("10.0.0.0/8"), std::nullopt);
    census.set_limits(options);
    EXPECT_TRUE(census.is_exempt("10.1.2.3", false));
    EXPECT_TRUE(census.is_exempt("::ffff:10.1.2.3", false));
    EXPECT_TRUE(census.is_exempt("127.0.0.1", true));
    EXPECT_FALSE(census.is_exempt("203.0.113.7", false));
    for (int i = 0; i < 10; ++i) {
        admit("10.1.2.3", census.is_exempt("10.1.2.3", false));
    }
    EXPECT_EQ(census.connections(), 10U);
}

TEST_F(CensusOf, S_BIND_06_AClientCountsAtItsOwnAddress) {
    for (int i = 0; i < 3; ++i) {
        admit("10.0.0.1", true);
    }
    EXPECT_TRUE(moves("10.0.0.1", true, "203.0.113.7", false));
    EXPECT_TRUE(moves("10.0.0.1", true, "203.0.113.7", false));
    EXPECT_TRUE(is_full("203.0.113.7"));
    EXPECT_FALSE(moves("10.0.0.1", true, "203.0.113.7", false));
    EXPECT_TRUE(moves("10.0.0.1", true, "203.0.113.8", false));
    EXPECT_EQ(census.connections(), 3U);
    census.left("203.0.113.7", false, false);
    EXPECT_FALSE(is_full("203.0.113.7"));
    EXPECT_FALSE(is_full("10.0.0.1"));
}

TEST_F(CensusOf, S_BIND_06_ARefusedMoveChangesNothing) {
    admit("203.0.113.7");
    admit("203.0.113.7");
    admit("203.0.113.8");
    EXPECT_FALSE(moves("203.0.113.8", false, "203.0.113.7", false));
    admit("203.0.113.8");
    EXPECT_TRUE(is_full("203.0.113.8"));
    census.left("203.0.113.8", false, false);
    census.left("203.0.113.8", false, false);
    census.left("203.0.113.7", false, false);
    EXPECT_FALSE(is_full("203.0.113.7"));
    EXPECT_EQ(census.connections(), 1U);
}

TEST_F(CensusOf, S_BIND_06_MovingBetweenCountedAndNot) {
    admit("203.0.113.7");
    EXPECT_TRUE(moves("203.0.113.7", false, "127.0.0.1", true));
    admit("203.0.113.7");
    EXPECT_FALSE(is_full("203.0.113.7"));
    EXPECT_TRUE(moves("203.0.113.7", false, "203.0.113.7", false));
    EXPECT_FALSE(is_full("203.0.113.7"));
    census.authenticated("203.0.113.7", false);
    census.left("203.0.113.7", false, true);
    census.left("127.0.0.1", true, false);
    EXPECT_EQ(census.connections(), 0U);
    EXPECT_EQ(census.unauthenticated(), 0U);
}

TEST_F(CensusOf, S_RATE_01_NewLimitsHoldForWhoComesNext) {
    admit("203.0.113.7");
    admit("203.0.113.7");
    EXPECT_TRUE(is_full("203.0.113.7"));
    options.connections_per_ip_max = 3;
    options.unauthenticated_per_ip_max = 3;
    census.set_limits(options);
    admit("203.0.113.7");
    options.unauthenticated_max = 3;
    census.set_limits(options);
    EXPECT_TRUE(census.is_waiting_room_full());
    EXPECT_EQ(census.admit("203.0.113.8", false), LimitKey::unauthenticated);
    census.left("203.0.113.7", false, false);
    admit("203.0.113.8");
}

TEST_F(CensusOf, S_RATE_01_UsersHaveAsManyAsTheyMay) {
    options.connections_per_user_max = 2;
    census.set_limits(options);
    EXPECT_TRUE(census.enter("anna"));
    EXPECT_TRUE(census.enter("anna"));
    EXPECT_FALSE(census.enter("anna"));
    EXPECT_TRUE(census.enter("bert"));
    census.leave("anna");
    EXPECT_TRUE(census.enter("anna"));
    EXPECT_FALSE(census.enter("anna"));
    census.leave("nobody");
}

}  // namespace
}  // namespace transport
