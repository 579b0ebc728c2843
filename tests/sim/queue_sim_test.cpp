// The simulation of queues by seeds (see sim_test), and doctored traces that its checker must
// catch.
#include "tests/sim/queue_checker.hpp"
#include "tests/sim/queue_simulation.hpp"
#include "tests/sim/seeds.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <string>

namespace sim {

TEST(QueueSimulation, P_SUB_09_QueuesAreServedRightForEverySeed) {
    QueueReport sum;
    for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
        const QueueReport report = simulate_queues(seed);
        for (std::size_t i = 0; i < report.violations.size() && i < 5; ++i) {
            ADD_FAILURE() << "seed " << seed << ": " << report.violations[i];
        }
        sum.messages += report.messages;
        sum.delivered += report.delivered;
        sum.redelivered += report.redelivered;
        sum.expired += report.expired;
        sum.dropped += report.dropped;
    }
    std::cout << seeds << " seeds: " << sum.messages << " messages, " << sum.delivered
              << " deliveries, " << sum.redelivered << " again, " << sum.expired << " expired, "
              << sum.dropped << " dropped\n";
    // A simulation in which little happens proves little.
    EXPECT_GT(sum.messages, seeds * 50);
    EXPECT_GT(sum.redelivered, seeds);
    EXPECT_GT(sum.expired, seeds / 2);
    EXPECT_GT(sum.dropped, seeds / 2);
}

namespace {

class QueueCheckerTest : public ::testing::Test {
protected:
    QueueChecker::Number accepted(Item item = {}) {
        item.queue = "/queue/a";
        const auto number = checker.sent(std::move(item));
        checker.accepted(number);
        return number;
    }

    QueueChecker::Number ranked(int priority) {
        Item item;
        item.priority = priority;
        return accepted(item);
    }

    QueueChecker::Number grouped(const std::string& group) {
        Item item;
        item.group = group;
        return accepted(item);
    }

    QueueChecker::Number droppable() {
        Item item;
        item.is_droppable = true;
        return accepted(item);
    }

    void subscribed(QueueChecker::Consumer who, const std::string& kind = "") {
        checker.subscribed(who, "/queue/a", kind);
    }

    /// What the first violation says of its message, or "fine".
    std::string verdict() {
        checker.finish(1000);
        if (checker.violations().empty()) { return "fine"; }
        const std::string& first = checker.violations().front();
        return first.substr(first.find("/queue/a") + 9);
    }

    QueueChecker checker;
};

}  // namespace

TEST_F(QueueCheckerTest, ARightTracePasses) {
    subscribed(1);
    subscribed(2, "red");
    const auto one = accepted();
    const auto two = accepted();
    checker.rest(0, {2});
    checker.received(one, 1, 1, 0);
    checker.returned(one, 1);
    checker.put_off(one, 1, 100);
    checker.rest(100, {2});
    checker.received(one, 1, 2, 100);
    checker.settled(one, 1);
    checker.drained(two, 200);
    EXPECT_EQ(verdict(), "fine");
}

TEST_F(QueueCheckerTest, P_QOS_02_AnExpiredDelivery) {
    Item item;
    item.expires = 100;
    checker.received(accepted(item), 1, 1, 100);
    EXPECT_EQ(verdict(), "had expired");
}

TEST_F(QueueCheckerTest, P_QOS_02_ALostMessage) {
    Item item;
    item.expires = 2000;
    (void)accepted(item);
    EXPECT_EQ(verdict(), "is lost");
}

TEST_F(QueueCheckerTest, P_SEL_05_AMessageThatWasNotSelected) {
    subscribed(1, "blue");
    Item item;
    item.kind = "red";
    checker.received(accepted(item), 1, 1, 0);
    EXPECT_EQ(verdict(), "was not selected");
}

TEST_F(QueueCheckerTest, P_SEL_05_AnIdleConsumerOfAMessageThatWaits) {
    subscribed(1, "red");
    Item item;
    item.kind = "red";
    const auto number = accepted(item);
    checker.rest(0, {1});
    checker.rest(0, {1});
    checker.drained(number, 0);
    EXPECT_EQ(verdict(), "waits for a consumer that is idle");
}

TEST_F(QueueCheckerTest, P_QOS_04_APriorityThatIsOvertaken) {
    subscribed(1);
    const auto high = ranked(5);
    const auto low = ranked(1);
    checker.rest(0, {});
    checker.received(low, 1, 1, 0);
    checker.settled(low, 1);
    checker.rest(0, {});
    checker.drained(high, 0);
    EXPECT_EQ(verdict(), "was overtaken by a lower priority");
}

TEST_F(QueueCheckerTest, P_QOS_05_AGroupInTwoHands) {
    subscribed(1);
    subscribed(2);
    checker.received(grouped("g"), 1, 1, 0);
    checker.received(grouped("g"), 2, 1, 0);
    EXPECT_EQ(verdict(), "came while another consumer held its group");
}

TEST_F(QueueCheckerTest, P_QOS_05_AGroupThatMovesWithoutReason) {
    subscribed(1);
    subscribed(2);
    const auto one = grouped("g");
    checker.received(one, 1, 1, 0);
    checker.settled(one, 1);
    checker.received(grouped("g"), 2, 1, 0);
    EXPECT_EQ(verdict(), "left the consumer of its group");
}

TEST_F(QueueCheckerTest, P_QOS_05_AGroupWhoseConsumerLeft) {
    subscribed(1);
    subscribed(2);
    const auto one = grouped("g");
    const auto two = grouped("g");
    checker.received(one, 1, 1, 0);
    checker.left(1);
    checker.received(one, 2, 2, 0);
    checker.received(two, 2, 1, 0);
    checker.settled(one, 2);
    checker.settled(two, 2);
    EXPECT_EQ(verdict(), "fine");
}

TEST_F(QueueCheckerTest, P_ACK_10_ACountThatSkips) {
    subscribed(1);
    const auto number = accepted();
    checker.received(number, 1, 1, 0);
    checker.returned(number, 1);
    checker.received(number, 1, 3, 0);
    EXPECT_EQ(verdict(), "came as delivery 3 after 1");
}

TEST_F(QueueCheckerTest, P_ACK_06_ADelayThatIsNotKept) {
    subscribed(1);
    const auto number = accepted();
    checker.received(number, 1, 1, 0);
    checker.returned(number, 1);
    checker.put_off(number, 1, 100);
    checker.received(number, 1, 2, 99);
    EXPECT_EQ(verdict(), "came before its delay was over");
}

TEST_F(QueueCheckerTest, P_ACK_06_ADelayOfWhichWordComesLate) {
    subscribed(1);
    const auto number = accepted();
    checker.received(number, 1, 1, 0);
    checker.returned(number, 1);
    checker.received(number, 1, 2, 0);
    checker.put_off(number, 1, 100);
    EXPECT_EQ(verdict(), "came before its delay was over");
}

TEST_F(QueueCheckerTest, P_SEND_02_AMessageOutOfOrder) {
    subscribed(1);
    const auto one = accepted();
    const auto two = accepted();
    checker.received(two, 1, 1, 0);
    checker.received(one, 1, 1, 0);
    EXPECT_EQ(verdict(), "came out of order");
}

TEST_F(QueueCheckerTest, P_SEND_08_ANewerMessageThatIsDropped) {
    const auto old = droppable();
    (void)droppable();
    checker.drained(old, 0);
    EXPECT_EQ(verdict(), "was dropped before an older one");
}

TEST_F(QueueCheckerTest, P_ACK_01_ASettledMessageThatComesAgain) {
    subscribed(1);
    const auto number = accepted();
    checker.received(number, 1, 1, 0);
    checker.settled(number, 1);
    checker.received(number, 1, 2, 0);
    EXPECT_EQ(verdict(), "came after it was settled");
}

TEST_F(QueueCheckerTest, P_ACK_07_AMessageThatIsThereTwice) {
    const auto number = accepted();
    checker.drained(number, 0);
    checker.drained(number, 0);
    EXPECT_EQ(verdict(), "is there twice");
}

}  // namespace sim
