// What queues do beyond taking turns: selectors, groups, priorities, expiry, bounds, browsers.
// In memory; the durable side is tested in durable_queue_features_test.
#include "tests/support/script.hpp"

#include <string>
#include <vector>

namespace support {

namespace {

class QueueFeatures : public SessionScript {
protected:
    QueueFeatures() {
        alice.connects();
        bob.connects();
        carol.connects();
    }

    /// Bodies of the MESSAGEs that `client` has received.
    static std::vector<std::string> bodies(TestClient& client) {
        std::vector<std::string> out;
        while (!client.received().empty()) {
            out.push_back(client.take().body);
        }
        return out;
    }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_P(QueueFeatures, P_SEL_05_ConsumersTakeWhatTheySelect) {
    for (const std::string body : {"1", "2", "3", "4"}) {
        const bool is_even = body == "2" || body == "4";
        alice.sends(send("/queue/a", body).header("kind", is_even ? "even" : "odd"));
    }
    bob.sends(subscribe("b", "/queue/a").header("selector", "kind = 'even'"));
    EXPECT_EQ(bodies(bob), (Texts{"2", "4"}));
    alice.sends(send("/queue/a", "6").header("kind", "even"));
    EXPECT_EQ(bodies(bob), (Texts{"6"}));
    carol.sends(subscribe("c", "/queue/a"));
    EXPECT_EQ(bodies(carol), (Texts{"1", "3"}));
}

TEST_P(QueueFeatures, P_SUB_10_NoLocalLeavesOwnMessagesToOthers) {
    alice.sends(subscribe("a", "/queue/a").header("no-local", "true"));
    alice.sends(send("/queue/a", "own"));
    bob.sends(send("/queue/a", "other"));
    EXPECT_EQ(bodies(alice), (Texts{"other"}));
    carol.sends(subscribe("c", "/queue/a"));
    EXPECT_EQ(bodies(carol), (Texts{"own"}));
}

TEST_P(QueueFeatures, P_SUB_10_ASingleActiveConsumerGetsAllUntilItLeaves) {
    bob.sends(subscribe("b", "/queue/a", "client").header("activemq.exclusive", "true"));
    carol.sends(subscribe("c", "/queue/a").header("activemq.exclusive", "true"));
    alice.sends(send("/queue/a", "1")).sends(send("/queue/a", "2"));
    EXPECT_EQ(bodies(bob), (Texts{"1", "2"}));
    bob.drops();
    EXPECT_EQ(bodies(carol), (Texts{"1", "2"}));
}

TEST_P(QueueFeatures, P_QOS_05_AGroupGoesToOneConsumerAndMovesInOrder) {
    bob.sends(subscribe("b", "/queue/a", "client-individual").header("prefetch-count", "2"));
    carol.sends(subscribe("c", "/queue/a", "client-individual"));
    for (const std::string body : {"1", "2", "3", "4"}) {
        alice.sends(send("/queue/a", body).header("JMSXGroupID", "g"));
    }
    const bool is_bobs = !bob.received().empty();
    TestClient& first = is_bobs ? bob : carol;
    TestClient& second = is_bobs ? carol : bob;
    EXPECT_EQ(bodies(first).size(), is_bobs ? 2U : 4U);
    EXPECT_TRUE(second.received().empty());
    first.drops();
    const Texts moved = bodies(second);
    ASSERT_GE(moved.size(), 2U);
    EXPECT_EQ(moved[0], "1");
    EXPECT_EQ(moved[1], "2");
}

TEST_P(QueueFeatures, P_QOS_04_HigherPrioritiesLeaveFirst) {
    for (const std::string priority : {"1", "9", "5"}) {
        alice.sends(
            send("/queue/a", priority).header("priority", priority).header("x-max-priority", "10")
        );
    }
    alice.sends(send("/queue/a", "none"));
    bob.sends(subscribe("b", "/queue/a"));
    EXPECT_EQ(bodies(bob), (Texts{"9", "5", "1", "none"}));
}

TEST_P(QueueFeatures, P_QOS_02_ExpiredMessagesLeaveUnread) {
    alice.sends(send("/queue/a", "short").header("expiration", "1000"));
    alice.sends(send("/queue/a", "long").header("ttl", "60000"));
    broker.advance(std::chrono::seconds(2));
    EXPECT_EQ(broker.counters().messages_expired, 1U);
    bob.sends(subscribe("b", "/queue/a"));
    const Received message = bob.take();
    EXPECT_EQ(message.body, "long");
    EXPECT_TRUE(message.find("expires"));
    EXPECT_TRUE(bob.received().empty());
}

TEST_P(QueueFeatures, P_SEND_08_DropHeadKeepsTheNewest) {
    for (const std::string body : {"1", "2", "3"}) {
        alice.sends(send("/queue/a", body).header("x-max-length", "2"));
    }
    bob.sends(subscribe("b", "/queue/a"));
    EXPECT_EQ(bodies(bob), (Texts{"2", "3"}));
}

TEST_P(QueueFeatures, P_SEND_08_BlockHoldsPublishersBack) {
    broker.policies().push_back({"/queue/a", {}, {}, {}, {}});
    broker.policies().back().queue.messages_max = 1;
    broker.policies().back().queue.overflow = engine::Overflow::block;
    TestClient dave(broker);
    dave.connects();
    for (const std::string body : {"1", "2", "3", "4"}) {
        dave.sends(send("/queue/a", body).receipt(body));
    }
    dave.expects(receipt("1"));
    dave.expects(receipt("2"));
    dave.expects_nothing();
    bob.sends(subscribe("b", "/queue/a"));
    EXPECT_EQ(bodies(bob), (Texts{"1", "2", "3", "4"}));
    dave.expects(receipt("3"));
    dave.expects(receipt("4"));
}

TEST_P(QueueFeatures, P_SUB_12_ABrowserSeesAllAndTakesNothing) {
    for (const std::string body : {"1", "2"}) {
        alice.sends(send("/queue/a", body));
    }
    bob.sends(subscribe("b", "/queue/a", "client").header("browser", "true"));
    bob.expects(message("b", "1").without("ack"));
    bob.expects(message("b", "2"));
    bob.expects(message("b", "").header("browser", "end"));
    carol.sends(subscribe("c", "/queue/a"));
    EXPECT_EQ(bodies(carol), (Texts{"1", "2"}));
}

TEST_P(QueueFeatures, P_SUB_10_AnExclusiveQueueGoesWithItsConnection) {
    bob.sends(subscribe("b", "/queue/a").header("exclusive", "true"));
    alice.sends(send("/queue/a", "1"));
    EXPECT_EQ(bodies(bob), (Texts{"1"}));
    carol.sends(subscribe("c", "/queue/a"));
    carol.expects_error("access-denied");
    bob.drops();
    alice.sends(subscribe("a", "/queue/a").receipt("r"));
    alice.expects(receipt("r"));
}

TEST_P(QueueFeatures, P_SUB_14_AnAutoDeleteQueueGoesWithItsLastConsumer) {
    bob.sends(subscribe("b", "/queue/a", "client").header("auto-delete", "true"));
    alice.sends(send("/queue/a", "1"));
    bob.expects(message("b", "1"));
    bob.drops();
    alice.sends(send("/queue/a", "2"));
    carol.sends(subscribe("c", "/queue/a"));
    EXPECT_EQ(bodies(carol), (Texts{"2"}));
}

TEST_P(QueueFeatures, P_SUB_14_AnIdleQueueGoesWithItsMessages) {
    bob.sends(subscribe("b", "/queue/a-user1").header("x-expires", "5000"));
    bob.drops();
    alice.sends(send("/queue/a-user1", "late"));
    broker.advance(std::chrono::seconds(6));
    carol.sends(subscribe("c", "/queue/a-user1").receipt("r"));
    carol.expects(receipt("r"));
    carol.expects_nothing();
}

TEST_P(QueueFeatures, P_QOS_07_ANewerValueReplacesTheOneThatWaits) {
    broker.policies().push_back({"/queue/last.*", {}, {}, {}, {}});
    broker.policies().back().queue.is_last_value = true;
    alice.sends(send("/queue/last.a", "1").header("_AMQ_LVQ_NAME", "x"));
    alice.sends(send("/queue/last.a", "2").header("_AMQ_LVQ_NAME", "y"));
    alice.sends(send("/queue/last.a", "3").header("_AMQ_LVQ_NAME", "x"));
    bob.sends(subscribe("b", "/queue/last.a"));
    EXPECT_EQ(bodies(bob), (Texts{"2", "3"}));
}

TEST_P(QueueFeatures, P_ACK_11_ArgumentsNameTheDeadLetterQueue) {
    alice.sends(send("/queue/a", "1")
                    .header("x-dead-letter-exchange", "")
                    .header("x-dead-letter-routing-key", "graves")
                    .header("x-message-ttl", "100"));
    broker.advance(std::chrono::seconds(1));
    bob.sends(subscribe("b", "/queue/graves"));
    bob.expects(message("b", "1")
                    .header("x-death-reason", "expired")
                    .header("x-death-queue", "/queue/a")
                    .without("expires"));
}

TEST_P(QueueFeatures, P_SUB_13_WhatTheBrokerEndsIsRevoked) {
    bob.sends(subscribe("b", "/topic/a").header("durable-subscription-name", "d").receipt("r"));
    bob.expects(receipt("r"));
    carol.sends(unsubscribe("x").header("durable-subscription-name", "d").receipt("u"));
    carol.expects(receipt("u"));
    EXPECT_EQ(bob.expects_error("revoked").value("subscription"), "b");
}

RUN_SCRIPTS_ON_SHARDS(QueueFeatures);

}  // namespace support
