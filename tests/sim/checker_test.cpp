// The checker bites: a right trace passes, and each wrong one is named.
#include "tests/sim/checker.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sim {

namespace {

class CheckerTest : public ::testing::Test {
protected:
    MessageNumber sent(const std::string& destination, unsigned transaction = 0) {
        const bool is_queue = destination.starts_with("/queue/");
        const MessageNumber number = checker.publish(1, destination, is_queue, transaction);
        checker.takes_effect(number);
        return number;
    }

    MessageNumber accepted(const std::string& destination, unsigned transaction = 0) {
        const MessageNumber number = sent(destination, transaction);
        checker.accepted(number);
        return number;
    }

    /// The one violation found, or what there is instead.
    std::string verdict() {
        checker.finish();
        if (checker.violations().empty()) { return "fine"; }
        return checker.violations().front().substr(0, checker.violations().front().find(':'));
    }

    Checker checker;
};

}  // namespace

TEST_F(CheckerTest, ARightTracePasses) {
    const MessageNumber first = accepted("/queue/a");
    const MessageNumber second = accepted("/queue/a");
    checker.received(first, 1, 1, false);
    checker.received(first, 2, 2, false);
    checker.settled(first, true);
    checker.drained(second);
    checker.refused(sent("/queue/a"));
    EXPECT_EQ(verdict(), "fine");
}

TEST_F(CheckerTest, ALostMessage) {
    (void)accepted("/queue/a");
    EXPECT_EQ(verdict(), "lost");
}

TEST_F(CheckerTest, ADeliveryThatIsNotMarkedAsRepeated) {
    const MessageNumber number = accepted("/queue/a");
    checker.received(number, 1, 1, false);
    checker.received(number, 2, 1, false);
    checker.settled(number, true);
    EXPECT_EQ(verdict(), "delivered twice as delivery 1");
}

TEST_F(CheckerTest, ASettledMessageThatIsLeft) {
    const MessageNumber number = accepted("/queue/a");
    checker.received(number, 1, 1, true);
    checker.drained(number);
    EXPECT_EQ(verdict(), "settled, and left");
}

TEST_F(CheckerTest, AMessageThatIsLeftTwice) {
    const MessageNumber number = accepted("/queue/a");
    checker.drained(number);
    checker.drained(number);
    EXPECT_EQ(verdict(), "left twice");
}

TEST_F(CheckerTest, ARefusedMessageThatIsSeen) {
    const MessageNumber number = sent("/queue/a");
    checker.refused(number);
    checker.drained(number);
    EXPECT_EQ(verdict(), "refused, and seen");
}

TEST_F(CheckerTest, AQueueOutOfOrder) {
    const MessageNumber first = accepted("/queue/a");
    const MessageNumber second = accepted("/queue/a");
    checker.received(second, 1, 1, true);
    checker.received(first, 1, 1, true);
    EXPECT_EQ(verdict(), "out of order or twice at subscription 1");
}

TEST_F(CheckerTest, ADisturbedQueueMayBeOutOfOrder) {
    const MessageNumber first = accepted("/queue/a");
    const MessageNumber second = accepted("/queue/a");
    checker.disturbed("/queue/a");
    checker.rests();
    checker.received(second, 1, 1, true);
    checker.received(first, 1, 1, true);
    EXPECT_EQ(verdict(), "fine");
}

TEST_F(CheckerTest, ATopicOutOfOrderOrTwice) {
    const MessageNumber first = accepted("/topic/a");
    const MessageNumber second = accepted("/topic/a");
    checker.received(second, 1, 1, true);
    checker.received(first, 1, 1, true);
    EXPECT_EQ(verdict(), "out of order or twice at subscription 1");
    Checker other;
    const MessageNumber once = other.publish(1, "/topic/a", false, 0);
    other.takes_effect(once);
    other.received(once, 1, 1, true);
    other.received(once, 1, 1, true);
    EXPECT_EQ(other.violations().size(), 1U);
}

TEST_F(CheckerTest, TwoOrdersOfOneTopic) {
    const MessageNumber first = accepted("/topic/a");
    const MessageNumber second = checker.publish(2, "/topic/a", false, 0);
    checker.takes_effect(second);
    checker.received(first, 1, 1, true);
    checker.received(second, 1, 1, true);
    checker.received(second, 2, 1, true);
    checker.received(first, 2, 1, true);
    EXPECT_EQ(verdict(), "another order");
}

TEST_F(CheckerTest, AMissedTopicMessage) {
    checker.must_have_received(accepted("/topic/a"), 1);
    EXPECT_EQ(verdict(), "missed by subscription 1");
}

TEST_F(CheckerTest, APartOfATransaction) {
    checker.drained(sent("/queue/a", 7));
    (void)sent("/queue/b", 7);
    EXPECT_EQ(verdict(), "a part of transaction 7");
}

TEST_F(CheckerTest, AMessageOfAnOpenTransaction) {
    const MessageNumber number = checker.publish(1, "/queue/a", true, 7);
    checker.received(number, 1, 1, true);
    EXPECT_EQ(verdict(), "seen before its transaction was committed");
}

TEST_F(CheckerTest, C_6_ARedeliveryAfterARestartThatIsMarked) {
    const MessageNumber number = accepted("/queue/a");
    checker.received(number, 1, 1, false);
    checker.received(number, 1, 2, false);
    checker.restarted();
    checker.received(number, 2, 2, false);
    checker.settled(number, true);
    EXPECT_EQ(verdict(), "fine");
}

TEST_F(CheckerTest, C_6_ARedeliveryAfterARestartThatIsNotMarked) {
    const MessageNumber number = accepted("/queue/a");
    checker.received(number, 1, 2, false);
    checker.restarted();
    checker.received(number, 2, 1, false);
    checker.drained(number);
    EXPECT_EQ(verdict(), "delivered twice as delivery 1");
}

TEST_F(CheckerTest, C_7_ASettledMessageThatComesAgainAfterARestart) {
    const MessageNumber number = accepted("/queue/a");
    checker.received(number, 1, 1, false);
    checker.settled(number, true);
    checker.restarted();
    checker.received(number, 2, 2, false);
    EXPECT_EQ(verdict(), "settled, and delivered again");
}

TEST_F(CheckerTest, P_SEND_09_WhatIsNotPersistentGoesWithARestart) {
    const MessageNumber number = accepted("/queue/a");
    checker.not_persistent(number);
    checker.restarted();
    EXPECT_EQ(verdict(), "fine");
    checker.drained(number);
    EXPECT_EQ(verdict(), "not persistent, and left");
}

TEST_F(CheckerTest, ReceiptsInAnotherOrder) {
    checker.receipt("2", "1");
    EXPECT_EQ(verdict(), "RECEIPT 2 instead of 1");
}

}  // namespace sim
