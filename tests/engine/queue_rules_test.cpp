// Queues as they come, fill, block and go, and what transactions, browsers and windows make of it.
// In memory; the durable side is tested in durable_queue_features_test.
#include "tests/support/script.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace support {

namespace {

using Texts = std::vector<std::string>;

class QueueRules : public SessionScript {
protected:
    QueueRules() {
        alice.connects();
        bob.connects();
        carol.connects();
    }

    /// Bodies of the MESSAGEs that `client` has received; other frames by their command's name.
    static Texts bodies(TestClient& client) {
        Texts out;
        while (!client.received().empty()) {
            const Received frame = client.take();
            const bool is_message = frame.command == protocol::Command::message;
            out.push_back(is_message ? frame.body : frame.describe());
        }
        return out;
    }

    engine::QueuePolicy& policy(const std::string& match) {
        broker.policies().push_back({match, {}, {}, {}, {}});
        return broker.policies().back().queue;
    }

    /// Messages and octets that the queue counts.
    [[nodiscard]] std::pair<std::size_t, std::size_t> counts(const std::string& queue) {
        const unsigned home = broker.router(0).home_of(queue);
        return broker.shards().on(home, [&] {
            const auto found = *broker.router(home).local_queue(queue);
            return std::pair(found->depth(), found->bytes());
        });
    }

    /// Bodies of all that waits, taken and acknowledged.
    Texts drained(const std::string& queue) {
        TestClient client(broker);
        client.connects();
        client.sends(subscribe("drain", queue));
        Texts out = bodies(client);
        client.sends(disconnect());
        return out;
    }

    using Nothing = std::pair<std::size_t, std::size_t>;
};

}  // namespace

TEST_P(QueueRules, P_SUB_14_AnOldTimerLeavesTheNewQueueOfThatNameAlone) {
    const auto exclusive = [](const std::string& id) {
        return subscribe(id, "/queue/a").header("exclusive", "true").header("x-expires", "5000");
    };
    bob.sends(exclusive("b"));
    bob.drops();
    broker.advance(std::chrono::seconds(1));
    carol.sends(exclusive("c"));
    carol.sends(unsubscribe("c"));
    alice.sends(send("/queue/a", "kept"));
    broker.advance(std::chrono::milliseconds(4500));
    carol.sends(exclusive("c"));
    EXPECT_EQ(bodies(carol), (Texts{"kept"}));
}

TEST_P(QueueRules, P_SEND_08_AQueueThatGoesLetsItsPublishersGo) {
    engine::QueuePolicy& rules = policy("/queue/a");
    rules.messages_max = 1;
    rules.overflow = engine::Overflow::block;
    rules.auto_delete = true;
    TestClient dave(broker);
    dave.connects();
    bob.sends(subscribe("b", "/queue/a", "client"));
    for (const std::string body : {"1", "2", "3", "4", "5", "6"}) {
        dave.sends(send("/queue/a", body).receipt(body));
    }
    dave.expects(receipt("1"));
    dave.expects(receipt("2"));
    dave.expects_nothing();
    bob.drops();
    // They go to a new queue, which holds them back as well.
    dave.expects(receipt("3"));
    dave.expects(receipt("4"));
    // Word of that may come late from another shard.
    const bool is_here = broker.router(0).home_of("/queue/a") == dave.shard();
    EXPECT_TRUE(!is_here || dave.received().empty());
    EXPECT_EQ(drained("/queue/a"), (Texts{"3", "4", "5", "6"}));
    dave.expects(receipt("5"));
    dave.expects(receipt("6"));
}

TEST_P(QueueRules, P_SEND_08_ABlockedPublisherMayLeave) {
    engine::QueuePolicy& rules = policy("/queue/a");
    rules.messages_max = 1;
    rules.overflow = engine::Overflow::block;
    for (const bool says_so : {false, true}) {
        auto dave = std::make_unique<TestClient>(broker);
        dave->connects();
        for (const std::string body : {"1", "2", "3"}) {
            dave->sends(send("/queue/a", body));
        }
        if (says_so) { dave->sends(disconnect().receipt("bye")); }
        dave->expects_nothing();
        dave->drops();
        dave.reset();
        EXPECT_EQ(drained("/queue/a"), (Texts{"1", "2"}));
        EXPECT_EQ(counts("/queue/a"), Nothing());
    }
    // A DISCONNECT waits its turn.
    for (const std::string body : {"1", "2", "3"}) {
        alice.sends(send("/queue/a", body));
    }
    alice.sends(disconnect().receipt("bye"));
    alice.expects_nothing();
    EXPECT_EQ(drained("/queue/a"), (Texts{"1", "2", "3"}));
    alice.expects(receipt("bye"));
}

TEST_P(QueueRules, P_QOS_02_ExpiryForgetsNobody) {
    bob.sends(subscribe("b", "/queue/a"));
    for (int i = 0; i < 1024; ++i) {
        alice.writes(send("/queue/a", "x").header("ttl", "60000").encoded(protocol::Version::v1_2));
    }
    broker.settle();
    EXPECT_EQ(bodies(bob).size(), 1024U);
    bob.sends(unsubscribe("b"));
    for (int i = 0; i < 10; ++i) {
        alice.sends(send("/queue/a", "x").header("ttl", "1000"));
    }
    broker.advance(std::chrono::seconds(2));
    EXPECT_EQ(broker.counters().messages_expired, 10U);
    EXPECT_EQ(counts("/queue/a"), Nothing());
}

TEST_P(QueueRules, P_QOS_02_WhatCameBackExpiresToo) {
    for (int i = 0; i < 3; ++i) {
        alice.sends(send("/queue/a", std::to_string(i)).header("ttl", "1000"));
    }
    bob.sends(subscribe("b", "/queue/a", "client-individual"));
    bob.sends(nack(bob.take().token()).header("delay", "5000"));
    const std::string kept = bob.take().token();
    bob.drops();
    EXPECT_EQ(counts("/queue/a").first, 3U);
    broker.advance(std::chrono::seconds(2));
    EXPECT_EQ(broker.counters().messages_expired, 2U);
    broker.advance(std::chrono::seconds(4));
    EXPECT_EQ(broker.counters().messages_expired, 3U);
    EXPECT_EQ(counts("/queue/a"), Nothing());
}

TEST_P(QueueRules, P_SUB_10_NoLocalOfADurableSubscriptionWithoutAStore) {
    alice.sends(
        subscribe("a", "/topic/a").header("durable", "true").header("no-local", "true").receipt("r")
    );
    alice.expects(receipt("r"));
    alice.sends(send("/topic/a", "own"));
    bob.sends(send("/topic/a", "other"));
    EXPECT_EQ(bodies(alice), (Texts{"other"}));
}

TEST_P(QueueRules, P_SUB_10_TheNextTakesOverWhenAllIsSettled) {
    for (const std::string header : {"activemq.exclusive", ""}) {
        const std::string queue = header.empty() ? "/queue/single" : "/queue/a";
        if (header.empty()) { policy(queue).is_single_active = true; }
        TestClient first(broker);
        TestClient second(broker);
        first.connects();
        second.connects();
        auto one = subscribe("1", queue, "client-individual");
        auto two = subscribe("2", queue, "client-individual");
        if (!header.empty()) { one.header(header, "true"); }
        if (!header.empty()) { two.header(header, "true"); }
        first.sends(one);
        second.sends(two);
        alice.sends(send(queue, "1")).sends(send(queue, "2"));
        ASSERT_EQ(first.received().size(), 2U);
        const std::string token1 = first.take().token();
        const std::string token2 = first.take().token();
        first.sends(unsubscribe("1").receipt("u"));
        first.expects(receipt("u"));
        alice.sends(send(queue, "3"));
        second.expects_nothing();
        first.sends(ack(token1));
        second.expects_nothing();
        first.sends(nack(token2));
        EXPECT_EQ(bodies(second), (Texts{"2", "3"}));
    }
}

TEST_P(QueueRules, P_SUB_10_AnExclusiveQueueGoesHoweverItsConnectionEnds) {
    for (const std::string how : {"drop", "disconnect", "refusal", "half"}) {
        const std::string queue = "/queue/" + how;
        auto owner = std::make_unique<TestClient>(broker);
        owner->connects();
        owner->sends(subscribe("o", queue).header("exclusive", "true").receipt("r"));
        owner->expects(receipt("r"));
        alice.sends(send(queue, "lost"));
        if (how == "drop") { owner->drops(); }
        if (how == "disconnect") { owner->sends(disconnect()); }
        if (how == "refusal") { owner->sends(ack("nonsense-1")); }
        if (how == "half") {
            owner->stops_reading();
            alice.sends(send(queue, "unread"));
            owner->drops();
        }
        owner.reset();
        carol.sends(subscribe("c", queue).receipt(how));
        carol.expects(receipt(how));
        alice.sends(send(queue, "new"));
        EXPECT_EQ(bodies(carol), (Texts{"new"})) << how;
        carol.sends(unsubscribe("c"));
    }
}

TEST_P(QueueRules, P_SUB_07_WindowsCountWhatIsSelected) {
    for (int i = 1; i <= 8; ++i) {
        alice.sends(send("/queue/a", std::to_string(i)).header("even", i % 2 == 0 ? "1" : "0"));
    }
    bob.sends(subscribe("b", "/queue/a", "client-individual")
                  .header("selector", "even = 1")
                  .header("prefetch-count", "2"));
    const Received first = bob.take();
    EXPECT_EQ(first.body, "2");
    EXPECT_EQ(bodies(bob), (Texts{"4"}));
    bob.sends(ack(first.token()));
    EXPECT_EQ(bodies(bob), (Texts{"6"}));
    carol.sends(subscribe("c", "/queue/a"));
    EXPECT_EQ(bodies(carol), (Texts{"1", "3", "5", "7", "8"}));
    bob.drops();
    EXPECT_EQ(bodies(carol), (Texts{"4", "6"}));
}

TEST_P(QueueRules, P_SUB_09_PrioritiesOfConsumersAmongSelectors) {
    bob.sends(
        subscribe("b", "/queue/a", "client").header("prefetch-count", "2").header("x-priority", "5")
    );
    carol.sends(subscribe("c", "/queue/a", "client")
                    .header("selector", "kind = 'x'")
                    .header("x-priority", "9"));
    for (int i = 1; i <= 6; ++i) {
        alice.sends(send("/queue/a", std::to_string(i)).header("kind", i % 2 == 0 ? "x" : "y"));
    }
    EXPECT_EQ(bodies(carol), (Texts{"2", "4", "6"}));
    EXPECT_EQ(bodies(bob), (Texts{"1", "3"}));
}

TEST_P(QueueRules, P_ACK_07_WhatComesBackToAPriorityQueueIsAtItsOldPlace) {
    policy("/queue/a").priority_max = 9;
    for (const std::string priority : {"1", "5", "9", "5"}) {
        alice.sends(send("/queue/a", priority + "-" + std::to_string(counts("/queue/a").first))
                        .header("priority", priority));
    }
    bob.sends(subscribe("b", "/queue/a", "client-individual").header("prefetch-count", "3"));
    ASSERT_EQ(bob.received().size(), 3U);
    const std::string nine = bob.take().token();
    const std::string five = bob.take().token();
    bob.sends(nack(five).header("delay", "1000"));
    bob.sends(unsubscribe("b"));
    broker.advance(std::chrono::seconds(2));
    bob.sends(nack(nine));
    bob.drops();
    EXPECT_EQ(drained("/queue/a"), (Texts{"9-2", "5-1", "5-3", "1-0"}));
}

TEST_P(QueueRules, P_ACK_06_ADelayKeepsOnlyThatMessage) {
    alice.sends(send("/queue/a", "1")).sends(send("/queue/a", "2"));
    bob.sends(subscribe("b", "/queue/a", "client-individual").header("prefetch-count", "1"));
    bob.sends(nack(bob.take().token()).header("delay", "1000"));
    const Received second = bob.take();
    EXPECT_EQ(second.body, "2");
    bob.sends(ack(second.token()));
    broker.advance(std::chrono::milliseconds(900));
    bob.expects_nothing();
    broker.advance(std::chrono::milliseconds(200));
    bob.expects(message("b", "1").header("x-delivery-count", "2"));
}

TEST_P(QueueRules, P_ACK_06_BackOffOfAPolicyGrowsToItsLimit) {
    policy("/queue/a").redelivery = {
        std::chrono::milliseconds(100), 3, std::chrono::milliseconds(500)};
    alice.sends(send("/queue/a", "1"));
    bob.sends(subscribe("b", "/queue/a", "client-individual"));
    for (const int delay : {100, 300, 500, 500}) {
        bob.sends(nack(bob.take().token()));
        broker.advance(std::chrono::milliseconds(delay - 1));
        bob.expects_nothing();
        broker.advance(std::chrono::milliseconds(1));
        ASSERT_EQ(bob.received().size(), 1U) << delay;
    }
}

TEST_P(QueueRules, P_TX_04_RoomIsGivenBackAndCountsComeOut) {
    const std::vector<engine::Overflow> overflows = {
        engine::Overflow::reject, engine::Overflow::drop_head, engine::Overflow::block};
    for (const engine::Overflow overflow : overflows) {
        const std::string name(engine::name_of(overflow));
        const std::string queue = "/queue/" + name;
        engine::QueuePolicy& rules = policy(queue);
        rules.messages_max = 3;
        rules.overflow = overflow;
        rules.message_ttl = std::chrono::seconds(60);
        policy("/queue/full-" + name).messages_max = 0;
        TestClient dave(broker);
        dave.connects();
        dave.sends(begin("t"));
        for (const std::string body : {"1", "2"}) {
            dave.sends(send(queue, body).transaction("t"));
        }
        dave.sends(commit("t").receipt("c"));
        dave.expects(receipt("c"));
        EXPECT_EQ(counts(queue).first, 2U);
        dave.sends(begin("u"));
        for (const std::string body : {"3", "4"}) {
            dave.sends(send(queue, body).transaction("u"));
        }
        dave.sends(send("/queue/full-" + name, "5").transaction("u"));
        dave.sends(commit("u").receipt("c"));
        dave.expects_error("queue-full");
        EXPECT_EQ(counts(queue).first, 2U) << name;
        EXPECT_EQ(drained(queue), (Texts{"1", "2"})) << name;
        EXPECT_EQ(counts(queue), Nothing()) << name;
    }
}

TEST_P(QueueRules, P_TX_04_AFullQueueThatBlocksRefusesACommit) {
    engine::QueuePolicy& rules = policy("/queue/a");
    rules.messages_max = 1;
    rules.overflow = engine::Overflow::block;
    alice.sends(send("/queue/a", "1"));
    bob.sends(begin("t")).sends(send("/queue/a", "2").transaction("t"));
    bob.sends(send("/queue/a", "3").transaction("t")).sends(commit("t").receipt("c"));
    bob.expects_error("queue-full");
    EXPECT_EQ(drained("/queue/a"), (Texts{"1"}));
    EXPECT_EQ(counts("/queue/a"), Nothing());
}

TEST_P(QueueRules, P_TX_04_DropHeadAndLastValuesSeeACommitAsAWhole) {
    policy("/queue/last").is_last_value = true;
    alice.sends(begin("t"));
    for (const std::string body : {"1", "2", "3"}) {
        alice.sends(send("/queue/last", body).header("_AMQ_LVQ_NAME", "k").transaction("t"));
        alice.sends(send("/queue/a", body).header("x-max-length", "2").transaction("t"));
    }
    alice.sends(commit("t").receipt("c"));
    alice.expects(receipt("c"));
    EXPECT_EQ(drained("/queue/last"), (Texts{"3"}));
    EXPECT_EQ(drained("/queue/a"), (Texts{"2", "3"}));
    EXPECT_EQ(counts("/queue/last"), Nothing());
    EXPECT_EQ(counts("/queue/a"), Nothing());
}

TEST_P(QueueRules, P_SUB_12_ABrowserOfAnUnknownQueueGetsTheEnd) {
    bob.sends(subscribe("b", "/queue/nothing").header("browser", "true").receipt("r"));
    bob.expects(receipt("r"));
    bob.expects(message("b", "").header("browser", "end"));
    bob.expects_nothing();
    const unsigned home = broker.router(0).home_of("/queue/nothing");
    const auto queues = [&] { return broker.router(home).queue_count(); };
    EXPECT_EQ(broker.shards().on(home, queues), 0U);
}

TEST_P(QueueRules, P_SUB_12_ABrowserSelects) {
    for (int i = 0; i < 700; ++i) {
        alice.writes(send("/queue/a", std::to_string(i))
                         .header("kind", i % 3 == 0 ? "x" : "y")
                         .encoded(protocol::Version::v1_2));
    }
    broker.settle();
    bob.sends(subscribe("b", "/queue/a").header("browser", "true").header("selector", "kind = 'x'")
    );
    Texts expected;
    for (int i = 0; i < 700; i += 3) {
        expected.push_back(std::to_string(i));
    }
    expected.push_back("");
    EXPECT_EQ(bodies(bob), expected);
    carol.sends(
        subscribe("c", "/queue/a").header("browser", "true").header("selector", "kind = 'z'")
    );
    EXPECT_EQ(bodies(carol), (Texts{""}));
    EXPECT_EQ(counts("/queue/a").first, 700U);
}

TEST_P(QueueRules, P_SUB_12_ABrowserMayStopHalfWay) {
    broker.limits().outbound_bytes_max = 100'000;
    broker.limits().outbound_ahead_max = 10'000;
    TestClient slow(broker);
    slow.connects();
    for (int i = 0; i < 500; ++i) {
        alice.writes(send("/queue/a", std::string(1000, '.')).encoded(protocol::Version::v1_2));
    }
    broker.settle();
    slow.stops_reading();
    slow.sends(subscribe("s", "/queue/a").header("browser", "true"));
    // About one part of the queue beyond what holds others back.
    EXPECT_LE(slow.outbox().pending(), 150'000U);
    slow.sends(unsubscribe("s").receipt("u"));
    slow.reads_all();
    bool is_over = false;
    while (!slow.received().empty()) {
        const Received frame = slow.take();
        EXPECT_FALSE(is_over);
        is_over = frame.command == protocol::Command::receipt;
    }
    EXPECT_TRUE(is_over);
    slow.stops_reading();
    slow.sends(subscribe("s", "/queue/a").header("browser", "true"));
    slow.drops();
    EXPECT_EQ(counts("/queue/a").first, 500U);
    EXPECT_EQ(drained("/queue/a").size(), 500U);
    EXPECT_EQ(counts("/queue/a"), Nothing());
}

RUN_SCRIPTS_ON_SHARDS(QueueRules);

}  // namespace support
