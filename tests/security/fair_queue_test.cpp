// Who is served next, and who gives way (S-AUTH-08).
#include "broker/security/fair_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <vector>

namespace security {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

constexpr Standing within = Standing::within_budget;
constexpr Standing over = Standing::over_budget;

class FairQueueTest : public testing::Test {
protected:
    /// Pushes a job that writes its name down when it is called. Returns whether it was taken.
    bool push(const std::string& address, const std::string& name, Standing standing = within) {
        FairQueue::Pushed pushed = queue.push(address, standing, [this, name](Turn turn) {
            called.push_back(turn == Turn::hash ? name : "no " + name);
        });
        if (pushed.displaced) { pushed.displaced(Turn::overload); }
        return pushed.is_taken;
    }

    /// The names of all that wait, in the order in which they are served.
    std::vector<std::string> serve() {
        called.clear();
        while (const HashJob job = queue.pop()) {
            job(Turn::hash);
        }
        return std::exchange(called, {});
    }

    FairQueue queue{6};
    std::vector<std::string> called;
};

TEST_F(FairQueueTest, S_AUTH_08_AddressesAreServedInTurn) {
    push("a", "a1");
    push("a", "a2");
    push("a", "a3");
    push("b", "b1");
    push("c", "c1");
    push("b", "b2");
    EXPECT_THAT(serve(), ElementsAre("a1", "b1", "c1", "a2", "b2", "a3"));
    EXPECT_EQ(queue.size(), 0U);
    EXPECT_FALSE(queue.pop());
}

TEST_F(FairQueueTest, S_AUTH_08_WhoComesAgainGoesToTheEnd) {
    push("a", "a1");
    push("b", "b1");
    queue.pop()(Turn::hash);
    push("a", "a2");
    EXPECT_THAT(serve(), ElementsAre("b1", "a2"));
}

TEST_F(FairQueueTest, S_AUTH_08_AddressesOverBudgetAreServedWhenNoOtherWaits) {
    push("bad", "bad1", over);
    push("worse", "worse1", over);
    push("bad", "bad2", over);
    push("a", "a1");
    push("a", "a2");
    EXPECT_THAT(serve(), ElementsAre("a1", "a2", "bad1", "worse1", "bad2"));
}

TEST_F(FairQueueTest, S_AUTH_08_AFullQueueRefuses) {
    for (const char* const address : {"a", "b", "c", "d", "e", "f"}) {
        EXPECT_TRUE(push(address, address));
    }
    EXPECT_FALSE(push("g", "g"));
    EXPECT_FALSE(push("bad", "bad", over));
    EXPECT_EQ(queue.size(), 6U);
    EXPECT_THAT(serve(), ElementsAre("a", "b", "c", "d", "e", "f"));
}

TEST_F(FairQueueTest, S_AUTH_08_OneAddressCannotKeepOthersOut) {
    for (const char* const name : {"a1", "a2", "a3", "a4", "a5", "a6"}) {
        EXPECT_TRUE(push("a", name));
    }
    EXPECT_FALSE(push("a", "a7")) << "its own jobs do not give way";
    EXPECT_TRUE(push("b", "b1"));
    EXPECT_THAT(std::exchange(called, {}), ElementsAre("no a6"));
    EXPECT_TRUE(push("b", "b2"));
    EXPECT_TRUE(push("b", "b3"));
    EXPECT_FALSE(push("b", "b4")) << "no more than the one that gives way";
    EXPECT_FALSE(push("a", "a8"));
    EXPECT_THAT(serve(), ElementsAre("a1", "b1", "a2", "b2", "a3", "b3"));
}

TEST_F(FairQueueTest, S_AUTH_08_AddressesOverBudgetGiveWayFirst) {
    for (const char* const name : {"a1", "a2", "a3", "a4"}) {
        push("a", name);
    }
    push("bad", "bad1", over);
    push("worse", "worse1", over);
    EXPECT_FALSE(push("worst", "worst1", over));
    EXPECT_TRUE(push("a", "a5"));
    EXPECT_TRUE(push("b", "b1"));
    EXPECT_EQ(called.size(), 2U);
    EXPECT_THAT(serve(), ElementsAre("a1", "b1", "a2", "a3", "a4", "a5"));
}

TEST_F(FairQueueTest, S_AUTH_08_OverBudgetNeverDisplacesWithinBudget) {
    for (const char* const name : {"a1", "a2", "a3", "a4", "a5", "a6"}) {
        push("a", name);
    }
    EXPECT_FALSE(push("bad", "bad1", over));
    EXPECT_EQ(queue.size(), 6U);
}

TEST_F(FairQueueTest, S_SEC_04_NeverHoldsMoreThanItsPlaces) {
    unsigned long taken = 0;
    std::uint32_t state = 1;
    for (int i = 0; i < 20'000; ++i) {
        state = state * 1664525U + 1013904223U;
        const std::string address(1, static_cast<char>('a' + (state >> 24U) % 12));
        taken += push(address, address, (state & 0x10000U) != 0 ? over : within) ? 1U : 0U;
        ASSERT_LE(queue.size(), 6U);
        if ((state >> 20U) % 4 == 0) {
            const HashJob job = queue.pop();
            if (job) { job(Turn::hash); }
        }
    }
    const std::size_t ended = called.size();
    EXPECT_EQ(ended + serve().size(), taken) << "each job that was taken is called once";
}

}  // namespace
}  // namespace security
