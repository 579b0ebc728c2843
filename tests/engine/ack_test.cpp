// ACK, NACK, redelivery and dead letters (P-ACK).
#include "tests/support/script.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace support {

namespace {

using protocol::Command;

class Acknowledging : public SessionScript {
protected:
    Acknowledging() {
        alice.connects();
        bob.connects();
        carol.connects();
    }

    void publishes(const std::string& destination, int count) {
        for (int i = 0; i < count; ++i) {
            alice.sends(send(destination, std::to_string(i)));
        }
    }

    std::vector<std::string> takes(TestClient& client, const std::string& id, int count) {
        std::vector<std::string> tokens;
        for (int i = 0; i < count; ++i) {
            tokens.push_back(client.expects(message(id)).token());
        }
        return tokens;
    }

    /// What is left in a queue, as a fresh consumer gets it.
    std::vector<Received> rest_of(const std::string& queue) {
        TestClient reader(broker);
        reader.connects().sends(subscribe("rest", queue));
        std::vector<Received> rest;
        while (!reader.received().empty()) {
            rest.push_back(reader.take());
        }
        return rest;
    }

    std::vector<std::string> bodies_of(const std::string& queue) {
        std::vector<std::string> bodies;
        for (const Received& one : rest_of(queue)) {
            bodies.push_back(one.body);
        }
        return bodies;
    }
};

using Texts = std::vector<std::string>;

Outgoing ack_by_message_id(const std::string& id) {
    return frame(Command::ack).header("message-id", id);
}

}  // namespace

TEST_P(Acknowledging, P_ACK_01_ADeliveryIsOutstandingUntilSettled) {
    publishes("/queue/a", 2);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    const auto tokens = takes(bob, "1", 2);
    EXPECT_EQ(bob.outstanding(), 2U);
    bob.sends(ack(tokens[0]));
    EXPECT_EQ(bob.outstanding(), 1U);
    bob.drops();
    EXPECT_EQ(bodies_of("/queue/a"), Texts{"1"});
}

TEST_P(Acknowledging, P_ACK_01_AutoIsSettledWhenTheOctetsAreGone) {
    bob.sends(subscribe("1", "/queue/a"));
    bob.stops_reading();
    publishes("/queue/a", 3);
    const std::size_t frame_size = bob.outbox().ahead() / 3;
    bob.reads(frame_size + frame_size / 2);
    bob.drops();
    const auto rest = rest_of("/queue/a");
    ASSERT_EQ(rest.size(), 2U);
    EXPECT_EQ(rest[0].body, "1");
    // The deliveries did not happen (P-ACK-08).
    EXPECT_FALSE(rest[0].find("redelivered"));
}

TEST_P(Acknowledging, P_ACK_02_AllThreeFormsInEveryVersion) {
    for (const std::string version : {"1.0", "1.1", "1.2"}) {
        TestClient client(broker);
        client.connects(version).sends(subscribe("1", "/queue/a", "client-individual"));
        publishes("/queue/a", 3);
        const auto tokens = takes(client, "1", 3);
        client.sends(ack(tokens[0]).receipt("r1"));
        client.expects(receipt("r1"));
        client.sends(ack_by_message_id(tokens[1]).header("subscription", "1").receipt("r2"));
        client.expects(receipt("r2"));
        client.sends(ack_by_message_id(tokens[2]).receipt("r3"));
        client.expects(receipt("r3"));
        EXPECT_EQ(client.outstanding(), 0U);
    }
    EXPECT_EQ(bodies_of("/queue/a"), Texts());
}

TEST_P(Acknowledging, P_ACK_02_TheVersionsOwnFormCounts) {
    publishes("/queue/a", 4);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    const auto tokens = takes(bob, "1", 4);
    bob.sends(ack(tokens[0]).header("message-id", tokens[1]));
    bob.drops();
    EXPECT_EQ(bodies_of("/queue/a"), (Texts{"1", "2", "3"}));
    publishes("/queue/b", 4);
    TestClient older(broker);
    older.connects("1.1").sends(subscribe("1", "/queue/b", "client-individual"));
    const auto others = takes(older, "1", 4);
    older.sends(ack(others[0]).header("message-id", others[1]));
    older.drops();
    EXPECT_EQ(bodies_of("/queue/b"), (Texts{"0", "2", "3"}));
}

TEST_P(Acknowledging, P_ACK_02_NeitherFormIsRefused) {
    alice.sends(frame(Command::ack).header("subscription", "1").receipt("r"));
    EXPECT_EQ(alice.expects_error("missing-header").value("receipt-id"), "r");
    bob.sends(frame(Command::nack));
    bob.expects_error("missing-header");
}

TEST_P(Acknowledging, P_ACK_02_AnotherSubscriptionIsRefused) {
    publishes("/queue/a", 1);
    bob.sends(subscribe("1", "/queue/a", "client"));
    const std::string token = takes(bob, "1", 1)[0];
    bob.sends(ack(token).header("subscription", "2"));
    bob.expects_error("bad-state");
}

TEST_P(Acknowledging, P_ACK_03_SettlingTwiceHasNoEffect) {
    publishes("/queue/a", 2);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    const auto tokens = takes(bob, "1", 2);
    bob.sends(ack(tokens[0])).sends(ack(tokens[0]).receipt("a"));
    bob.expects(receipt("a"));
    bob.sends(nack(tokens[0]).receipt("n"));
    bob.expects(receipt("n"));
    bob.expects_nothing();
    bob.drops();
    EXPECT_EQ(bodies_of("/queue/a"), Texts{"1"});
}

TEST_P(Acknowledging, P_ACK_03_AnAutomaticDeliverysIdIsTolerated) {
    bob.sends(subscribe("1", "/queue/a"));
    publishes("/queue/a", 1);
    const std::string id = bob.expects(message("1")).value("message-id");
    bob.sends(ack(id).receipt("r"));
    bob.expects(receipt("r"));
    EXPECT_GE(broker.counters().tolerances, 1U);
}

TEST_P(Acknowledging, P_ACK_03_AnythingElseIsRefused) {
    publishes("/queue/a", 3);
    bob.sends(subscribe("1", "/queue/a", "client"));
    const std::string mine = takes(bob, "1", 3)[2];
    const std::string name = mine.substr(0, mine.find('-'));
    const Texts wrong = {
        mine,
        name + "-",
        name + "-0",
        name + "-x",
        name + "-2x",
        name + "--1",
        "",
        "a b",
        "-1",
        name + "-18446744073709551616"};
    for (const std::string& token : wrong) {
        TestClient client(broker);
        client.connects().sends(ack(token));
        client.expects_error("bad-state");
    }
    // A number beyond the counter, and a number that belongs to another message.
    bob.sends(ack(name + "-4"));
    bob.expects_error("bad-state");
    publishes("/queue/b", 2);
    carol.sends(subscribe("1", "/queue/b", "client"));
    const auto tokens = takes(carol, "1", 2);
    carol.sends(ack(tokens[0].substr(0, tokens[0].find('-')) + "-2"));
    carol.expects_error("bad-state");
}

TEST_P(Acknowledging, P_ACK_04_ClientModeIsCumulativeWithinTheSubscription) {
    publishes("/queue/a", 4);
    publishes("/queue/b", 2);
    bob.sends(subscribe("a", "/queue/a", "client"));
    bob.sends(subscribe("b", "/queue/b", "client"));
    std::vector<std::string> of_a;
    for (int i = 0; i < 6; ++i) {
        const Received got = bob.expects(frame_is(Command::message));
        if (got.value("subscription") == "a") { of_a.push_back(got.token()); }
    }
    bob.sends(ack(of_a[2]));
    EXPECT_EQ(bob.outstanding(), 3U);
    bob.drops();
    EXPECT_EQ(bodies_of("/queue/a"), Texts{"3"});
    EXPECT_EQ(bodies_of("/queue/b"), (Texts{"0", "1"}));
}

TEST_P(Acknowledging, P_ACK_04_NackIsCumulativeToo) {
    publishes("/queue/a", 3);
    bob.sends(subscribe("1", "/queue/a", "client"));
    const auto tokens = takes(bob, "1", 3);
    bob.sends(nack(tokens[1]));
    bob.expects(message("1", "0").header("redelivered", "true").header("x-delivery-count", "2"));
    bob.expects(message("1", "1").header("redelivered", "true"));
    bob.expects_nothing();
}

TEST_P(Acknowledging, P_ACK_04_TopicsAreCumulativeToo) {
    bob.sends(subscribe("1", "/topic/a", "client").header("prefetch-count", "3"));
    publishes("/topic/a", 6);
    const auto tokens = takes(bob, "1", 3);
    bob.expects_nothing();
    bob.sends(ack(tokens[1]));
    EXPECT_EQ(takes(bob, "1", 2).size(), 2U);
    bob.expects_nothing();
}

TEST_P(Acknowledging, P_ACK_05_IndividualSettlesExactlyTheOneNamed) {
    publishes("/queue/a", 3);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    bob.sends(ack(takes(bob, "1", 3)[1]));
    bob.drops();
    EXPECT_EQ(bodies_of("/queue/a"), (Texts{"0", "2"}));
}

TEST_P(Acknowledging, P_ACK_06_NackRequeues) {
    publishes("/queue/a", 1);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    const Received first = bob.expects(message("1", "0").without("redelivered"));
    bob.sends(nack(first.token()));
    const Received second = bob.expects(message("1", "0"));
    EXPECT_EQ(second.value("redelivered"), "true");
    EXPECT_EQ(second.value("x-delivery-count"), "2");
    EXPECT_NE(second.token(), first.token());
    EXPECT_EQ(
        second.token().substr(0, second.token().find('-')),
        first.token().substr(0, first.token().find('-'))
    );
}

TEST_P(Acknowledging, P_ACK_06_WithoutRequeueItIsDeadLettered) {
    for (const std::string name : {"a", "b", "c"}) {
        const std::string queue = "/queue/" + name;
        publishes(queue, 1);
        bob.sends(subscribe(name, queue, "client-individual"));
        bob.sends(nack(takes(bob, name, 1)[0]).header("requeue", "false"));
        bob.expects_nothing();
        const auto letters = rest_of("/queue/DLQ." + name);
        ASSERT_EQ(letters.size(), 1U);
        EXPECT_EQ(letters[0].value("x-death-reason"), "rejected");
    }
}

TEST_P(Acknowledging, P_ACK_06_TheDefaultCanBeNotToRequeue) {
    broker.limits().nack_requeues = false;
    publishes("/queue/a", 2);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    const auto tokens = takes(bob, "1", 2);
    bob.sends(nack(tokens[0]));
    bob.expects_nothing();
    bob.sends(nack(tokens[1]).header("requeue", "true"));
    bob.expects(message("1", "1"));
    EXPECT_EQ(bodies_of("/queue/DLQ.a"), Texts{"0"});
}

TEST_P(Acknowledging, P_ACK_06_ADelayKeepsItBack) {
    for (const std::string name : {"/queue/a", "/queue/b", "/topic/a"}) {
        TestClient client(broker);
        client.connects().sends(subscribe("1", name, "client-individual").receipt("r"));
        client.expects(receipt("r"));
        publishes(name, 1);
        client.sends(nack(takes(client, "1", 1)[0]).header("delay", "5000"));
        broker.advance(std::chrono::milliseconds(4999));
        client.expects_nothing();
        broker.advance(std::chrono::milliseconds(2));
        client.sends(ack(client.expects(message("1", "0").header("redelivered", "true")).token()));
    }
}

TEST_P(Acknowledging, P_ACK_06_BadArgumentsAreRefused) {
    publishes("/queue/a", 1);
    bob.sends(subscribe("1", "/queue/a", "client"));
    const std::string token = takes(bob, "1", 1)[0];
    bob.sends(nack(token).header("requeue", "maybe"));
    bob.expects_error("bad-header");
    carol.sends(subscribe("1", "/queue/a", "client"));
    carol.sends(nack(takes(carol, "1", 1)[0]).header("delay", "86400001"));
    carol.expects_error("bad-header");
}

TEST_P(Acknowledging, P_ACK_07_RequeuedMessagesReturnToTheirOldPlaces) {
    publishes("/queue/a", 6);
    bob.sends(subscribe("1", "/queue/a", "client-individual").header("prefetch-count", "4"));
    const auto tokens = takes(bob, "1", 4);
    // Nobody has window while they come back in the wrong order.
    bob.sends(begin("t"));
    bob.sends(nack(tokens[2]).transaction("t"));
    bob.sends(nack(tokens[0]).transaction("t"));
    bob.drops();
    EXPECT_EQ(bodies_of("/queue/a"), (Texts{"0", "1", "2", "3", "4", "5"}));
}

TEST_P(Acknowledging, P_ACK_07_TheyMayGoToAnyConsumer) {
    publishes("/queue/a", 1);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    const std::string token = takes(bob, "1", 1)[0];
    carol.sends(subscribe("2", "/queue/a", "client-individual").header("x-priority", "9"));
    bob.sends(nack(token));
    carol.expects(message("2", "0").header("redelivered", "true"));
}

TEST_P(Acknowledging, P_ACK_07_InATopicTheyReturnToTheSubscriptionsBacklog) {
    bob.sends(subscribe("1", "/topic/a", "client-individual").header("prefetch-count", "2"));
    publishes("/topic/a", 4);
    const auto tokens = takes(bob, "1", 2);
    bob.sends(nack(tokens[0]));
    const Received again = bob.expects(message("1", "0").header("x-delivery-count", "2"));
    bob.sends(ack(again.token()));
    bob.expects(message("1", "2").without("redelivered"));
    carol.expects_nothing();
}

TEST_P(Acknowledging, P_ACK_08_AtTheEndOfTheConnectionAllIsRequeuedInOrder) {
    publishes("/queue/a", 5);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    const auto tokens = takes(bob, "1", 5);
    bob.sends(ack(tokens[1]));
    bob.drops();
    const auto rest = rest_of("/queue/a");
    ASSERT_EQ(rest.size(), 4U);
    const Texts order = {"0", "2", "3", "4"};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(rest[i].body, order[i]);
        EXPECT_EQ(rest[i].value("x-delivery-count"), "2");
    }
}

TEST_P(Acknowledging, P_ACK_08_WhatNeverLeftReturnsUncounted) {
    for (const std::string mode : {"auto", "client", "client-individual"}) {
        const std::string queue = "/queue/" + mode;
        TestClient client(broker);
        client.connects().sends(subscribe("1", queue, mode).receipt("r"));
        client.expects(receipt("r"));
        client.stops_reading();
        for (int i = 0; i < 20; ++i) {
            alice.sends(send(queue, std::to_string(i) + std::string(20'000, ' ')));
        }
        client.drops();
        const auto rest = rest_of(queue);
        EXPECT_EQ(rest.size(), 20U) << mode;
        int next = 0;
        for (const Received& one : rest) {
            EXPECT_FALSE(one.find("redelivered")) << mode << next;
            EXPECT_EQ(std::stoi(one.body), next++);
        }
    }
}

TEST_P(Acknowledging, P_ACK_08_OthersGetItInOrder) {
    for (const std::string mode : {"auto", "client", "client-individual"}) {
        for (const std::string how : {"drops", "fails", "disconnects"}) {
            const std::string queue = "/queue/" + mode + how;
            TestClient client(broker);
            client.connects().sends(subscribe("1", queue, mode).receipt("r"));
            client.expects(receipt("r"));
            client.stops_reading();
            for (int i = 0; i < 20; ++i) {
                alice.sends(send(queue, std::to_string(i) + std::string(20'000, ' ')));
            }
            client.reads(50'000);
            TestClient other(broker);
            other.connects().sends(subscribe("o", queue));
            if (how == "fails") { client.sends(begin("t")).sends(begin("t")); }
            if (how == "disconnects") { client.sends(disconnect()); }
            client.drops();
            std::vector<int> order;
            while (!other.received().empty()) {
                order.push_back(std::stoi(other.take().body));
            }
            EXPECT_GT(order.size(), 10U) << mode << how;
            // What is encoded when a session fails may still arrive: it returns last.
            const bool is_encoded = mode == "auto" && how == "fails";
            EXPECT_TRUE(is_encoded || std::is_sorted(order.begin(), order.end())) << mode << how;
        }
    }
}

TEST_P(Acknowledging, P_ACK_08_OnlyWholeFramesCountAsDelivered) {
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    bob.stops_reading();
    publishes("/queue/a", 3);
    const std::size_t frame_size = bob.outbox().ahead() / 3;
    bob.reads(frame_size + frame_size / 2);
    bob.drops();
    const auto rest = rest_of("/queue/a");
    ASSERT_EQ(rest.size(), 3U);
    EXPECT_TRUE(rest[0].find("redelivered"));
    EXPECT_FALSE(rest[1].find("redelivered"));
    EXPECT_FALSE(rest[2].find("redelivered"));
}

TEST_P(Acknowledging, P_ACK_09_ASilentConsumerLosesWhatItHolds) {
    publishes("/queue/a", 2);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    const auto tokens = takes(bob, "1", 2);
    broker.advance(std::chrono::minutes(20));
    bob.sends(ack(tokens[0]));
    broker.advance(std::chrono::minutes(29));
    bob.expects_nothing();
    broker.advance(std::chrono::minutes(2));
    // The connection stays, and may get it again.
    bob.expects(message("1", "1").header("redelivered", "true"));
    bob.sends(ack(tokens[1]).receipt("late"));
    bob.expects(receipt("late"));
    bob.drops();
    EXPECT_EQ(bodies_of("/queue/a"), Texts{"1"});
}

TEST_P(Acknowledging, P_ACK_09_TheClockRestartsWithTheFirstDeliveryAfterNone) {
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    publishes("/queue/a", 1);
    bob.sends(ack(takes(bob, "1", 1)[0]));
    broker.advance(std::chrono::minutes(29));
    publishes("/queue/a", 1);
    const std::string token = takes(bob, "1", 1)[0];
    broker.advance(std::chrono::minutes(29));
    bob.expects_nothing();
    bob.sends(ack(token));
    broker.advance(std::chrono::minutes(60));
    bob.expects_nothing();
    EXPECT_EQ(bodies_of("/queue/a"), Texts());
}

TEST_P(Acknowledging, P_ACK_09_AlsoWithDeliveriesThatStillWaitForTheSocket) {
    broker.limits().ack_time = std::chrono::seconds(60);
    TestClient client(broker);
    client.connects().sends(subscribe("1", "/queue/a", "client-individual").receipt("r"));
    client.expects(receipt("r"));
    client.stops_reading();
    for (int i = 0; i < 20; ++i) {
        alice.sends(send("/queue/a", std::to_string(i) + std::string(20'000, ' ')));
    }
    carol.sends(subscribe("c", "/queue/a").header("x-priority", "1"));
    broker.advance(std::chrono::seconds(61));
    std::vector<int> order;
    while (!carol.received().empty()) {
        order.push_back(std::stoi(carol.take().body));
    }
    EXPECT_EQ(order.size(), 20U);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    client.sends(unsubscribe("1"));
    client.reads_all();
    client.drops();
    EXPECT_EQ(bodies_of("/queue/a"), Texts());
}

TEST_P(Acknowledging, P_ACK_10_TheTwentiethDeliveryIsTheLast) {
    publishes("/queue/a", 1);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    for (int count = 1; count <= 20; ++count) {
        const Received got = bob.expects(message("1", "0"));
        if (count > 1) { EXPECT_EQ(got.value("x-delivery-count"), std::to_string(count)); }
        bob.sends(nack(got.token()));
    }
    bob.expects_nothing();
    const auto letters = rest_of("/queue/DLQ.a");
    ASSERT_EQ(letters.size(), 1U);
    EXPECT_EQ(letters[0].value("x-death-reason"), "delivery-limit");
    EXPECT_EQ(letters[0].value("x-death-count"), "20");
}

TEST_P(Acknowledging, P_ACK_10_LostConnectionsCountToo) {
    broker.limits().delivery_limit = 3;
    publishes("/queue/a", 1);
    for (int i = 0; i < 3; ++i) {
        TestClient client(broker);
        client.connects().sends(subscribe("1", "/queue/a", "client"));
        client.expects(message("1", "0"));
    }
    EXPECT_EQ(bodies_of("/queue/a"), Texts());
    EXPECT_EQ(bodies_of("/queue/DLQ.a"), Texts{"0"});
}

TEST_P(Acknowledging, P_ACK_10_ADelayDoesNotPutOffTheLimit) {
    broker.limits().delivery_limit = 2;
    publishes("/queue/a", 1);
    bob.sends(subscribe("1", "/queue/a", "client"));
    bob.sends(nack(takes(bob, "1", 1)[0]));
    bob.sends(nack(takes(bob, "1", 1)[0]).header("delay", "60000"));
    EXPECT_EQ(bodies_of("/queue/DLQ.a"), Texts{"0"});
}

TEST_P(Acknowledging, P_ACK_10_TopicSubscriptionsDiscard) {
    broker.limits().delivery_limit = 3;
    bob.sends(subscribe("1", "/topic/a", "client-individual"));
    publishes("/topic/a", 1);
    for (int i = 0; i < 3; ++i) {
        bob.sends(nack(takes(bob, "1", 1)[0]));
    }
    bob.expects_nothing();
    EXPECT_EQ(broker.counters().messages_discarded, 1U);
}

TEST_P(Acknowledging, P_ACK_11_DeadLettersSayWhatHappened) {
    alice.sends(send("/amq/queue/a", "x").header("mine", "kept"));
    bob.sends(subscribe("1", "/queue/a", "client"));
    const Received got = bob.expects(message("1", "x"));
    bob.sends(nack(got.token()).header("requeue", "false"));
    const auto letters = rest_of("/queue/DLQ.a");
    ASSERT_EQ(letters.size(), 1U);
    const Received& letter = letters[0];
    EXPECT_EQ(letter.value("x-death-reason"), "rejected");
    EXPECT_EQ(letter.value("x-death-queue"), "/queue/a");
    EXPECT_EQ(letter.value("x-death-count"), "1");
    EXPECT_GT(std::stoull("0" + letter.value("x-death-time")), 1'600'000'000'000U);
    EXPECT_EQ(letter.value("destination"), "/amq/queue/a");
    EXPECT_EQ(letter.value("mine"), "kept");
    EXPECT_FALSE(letter.find("redelivered"));
    EXPECT_EQ(letter.body, "x");
    EXPECT_EQ(letter.value("message-id"), got.token().substr(0, got.token().find('-')));
}

TEST_P(Acknowledging, P_ACK_11_NamesAreEscapedForEachVersion) {
    alice.sends(send("/queue/a:b\\c", "x"));
    bob.sends(subscribe("1", "/queue/a:b\\c", "client"));
    const std::string token = takes(bob, "1", 1)[0];
    bob.sends(nack(token).header("requeue", "false"));
    for (const std::string version : {"1.0", "1.1", "1.2"}) {
        TestClient client(broker);
        client.connects(version);
        client.sends(subscribe("1", "/queue/DLQ.a:b\\c", "client"));
        const Received letter = client.expects(message("1", "x"));
        EXPECT_EQ(letter.value("x-death-queue"), "/queue/a:b\\c") << version;
        EXPECT_EQ(letter.value("destination"), "/queue/a:b\\c") << version;
    }
}

TEST_P(Acknowledging, P_ACK_12_ADeadLetterQueueDeadLettersNothing) {
    broker.limits().delivery_limit = 3;
    publishes("/queue/DLQ.a", 1);
    bob.sends(subscribe("1", "/queue/DLQ.a", "client-individual"));
    for (int i = 0; i < 5; ++i) {
        bob.sends(nack(takes(bob, "1", 1)[0]));
    }
    bob.sends(nack(takes(bob, "1", 1)[0]).header("requeue", "false"));
    bob.expects_nothing();
    EXPECT_EQ(bodies_of("/queue/DLQ.DLQ.a"), Texts());
    EXPECT_EQ(broker.counters().messages_dead_lettered, 0U);
}

TEST_P(Acknowledging, AckOfADeliveryThatStillWaitsIsHarmless) {
    // A topic's message has one name: a client can name a delivery that has not left yet.
    TestClient client(broker);
    client.connects();
    client.sends(subscribe("auto", "/topic/a"));
    client.sends(subscribe("client", "/topic/a", "client-individual"));
    client.stops_reading();
    for (int i = 0; i < 20; ++i) {
        alice.sends(send("/topic/a", std::to_string(i) + std::string(20'000, ' ')));
    }
    bob.sends(subscribe("b", "/topic/a"));
    alice.sends(send("/topic/a", "last"));
    const std::string name = bob.expects(message("b")).value("message-id");
    client.sends(ack(name + "-21"));
    client.sends(begin("t"));
    client.sends(unsubscribe("client").receipt("u"));
    client.reads_all();
    client.drops();
}

TEST_P(Acknowledging, ATransactionMayTakeADeliveryThatStillWaits) {
    TestClient client(broker);
    client.connects().sends(subscribe("1", "/queue/a", "client-individual"));
    client.stops_reading();
    bob.sends(subscribe("b", "/queue/names"));
    for (int i = 0; i < 20; ++i) {
        alice.sends(send("/queue/a", std::to_string(i) + std::string(20'000, ' ')));
    }
    alice.sends(send("/queue/names", "x"));
    // Names count up: the one before is the last one's.
    std::string name = bob.expects(message("b")).value("message-id");
    ASSERT_GT(name.back(), '0');
    --name.back();
    client.sends(begin("t"));
    client.sends(ack(name + "-20").transaction("t"));
    client.sends(unsubscribe("1"));
    client.sends(commit("t").receipt("c"));
    client.reads_all();
    client.drops();
    EXPECT_EQ(bodies_of("/queue/a").size(), 19U);
}

RUN_SCRIPTS_ON_SHARDS(Acknowledging);

}  // namespace support
