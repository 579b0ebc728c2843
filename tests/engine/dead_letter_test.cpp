// Where messages go that die, and that none of them goes round and round (P-ACK-10 to -12).
// In memory; the durable side is tested in durable_queue_features_test.
#include "tests/support/script.hpp"

#include <string>
#include <utility>
#include <vector>

namespace support {

namespace {

using Texts = std::vector<std::string>;

class DeadLetters : public SessionScript {
protected:
    DeadLetters() {
        alice.connects();
        bob.connects();
        carol.connects();
    }

    /// A SEND that makes a queue whose dead letters go to `exchange` and `key`.
    static Outgoing mortal(
        const std::string& queue,
        const std::string& body,
        const std::string& exchange,
        const std::string& key
    ) {
        return send(queue, body)
            .header("x-dead-letter-exchange", exchange)
            .header("x-dead-letter-routing-key", key);
    }

    void rejects(TestClient& client) {
        client.sends(nack(client.take().token()).header("requeue", "false"));
    }

    [[nodiscard]] std::size_t depth(const std::string& queue) {
        const unsigned home = broker.router(0).home_of(queue);
        return broker.shards().on(home, [&] {
            return (*broker.router(home).local_queue(queue))->depth();
        });
    }
};

}  // namespace

TEST_P(DeadLetters, P_ACK_11_ToATopic) {
    carol.sends(subscribe("c", "/topic/graves.*"));
    alice.sends(mortal("/queue/a", "1", "amq.topic", "graves.a").header("kind", "x"));
    bob.sends(subscribe("b", "/queue/a", "client"));
    rejects(bob);
    carol.expects(message("c", "1")
                      .header("destination", "/queue/a")
                      .header("kind", "x")
                      .header("x-death-reason", "rejected")
                      .header("x-death-queue", "/queue/a")
                      .header("x-death-count", "1"));
    EXPECT_EQ(depth("/queue/a"), 0U);
}

TEST_P(DeadLetters, P_ACK_11_ToAnotherExchange) {
    carol.sends(subscribe("c", "/exchange/x/graves"));
    alice.sends(mortal("/queue/a", "1", "x", "graves"));
    bob.sends(subscribe("b", "/queue/a", "client"));
    rejects(bob);
    carol.expects(message("c", "1").header("x-death-queue", "/queue/a"));
}

TEST_P(DeadLetters, P_ACK_11_TheKeyIsTheQueuesOwnNameIfThereIsNone) {
    carol.sends(subscribe("c", "/topic/a"));
    alice.sends(send("/queue/a", "1").header("x-dead-letter-exchange", "amq.topic"));
    bob.sends(subscribe("b", "/queue/a", "client"));
    rejects(bob);
    carol.expects(message("c", "1"));
}

TEST_P(DeadLetters, P_SUB_14_ANameThatIsNoDestinationIsRefused) {
    alice.sends(mortal("/queue/a", "1", "amq.headers", "k").receipt("r"));
    alice.expects_error("bad-header");
    bob.sends(subscribe("b", "/queue/a")
                  .header("x-dead-letter-exchange", "amq.topic")
                  .header("x-dead-letter-routing-key", "a.*"));
    bob.expects_error("bad-header");
}

TEST_P(DeadLetters, P_ACK_11_ALetterThatComesBackHasOneSetOfHeaders) {
    // A -> B for a second -> A: how clients try again later.
    alice.sends(mortal("/queue/b", "first", "", "a").header("x-message-ttl", "1000"));
    broker.advance(std::chrono::seconds(2));
    bob.sends(subscribe("b", "/queue/a", "client"));
    EXPECT_EQ(bob.take().body, "first");
    bob.sends(unsubscribe("b"));
    bob.drops();
    // The queue is there already; it dies there by its default: no argument was given.
    alice.sends(mortal("/queue/c", "1", "", "b").header("ttl", "60000"));
    carol.sends(subscribe("c", "/queue/c", "client-individual"));
    for (int round = 0; round < 5; ++round) {
        ASSERT_EQ(carol.received().size(), 1U) << round;
        const Received frame = carol.take();
        EXPECT_EQ(frame.body, "1");
        carol.sends(nack(frame.token()).header("requeue", "false"));
        carol.expects_nothing();
        broker.advance(std::chrono::milliseconds(1100));
        // It has left b for a; from there it is sent on by hand.
        TestClient dave(broker);
        dave.connects();
        dave.sends(subscribe("d", "/queue/a"));
        ASSERT_FALSE(dave.received().empty());
        while (!dave.received().empty()) {
            const Received letter = dave.take();
            for (const std::string name :
                 {"x-death-reason", "x-death-queue", "x-death-count", "x-death-time"}) {
                EXPECT_TRUE(letter.find(name)) << name;
            }
            if (letter.body != "1") { continue; }
            EXPECT_EQ(letter.value("x-death-reason"), "expired");
            EXPECT_EQ(letter.value("x-death-queue"), "/queue/b");
            EXPECT_FALSE(letter.find("expires"));
            EXPECT_EQ(letter.value("destination"), "/queue/c");
        }
        dave.sends(send("/queue/c", "1"));
    }
}

TEST_P(DeadLetters, P_ACK_11_ARetryQueueGoesRound) {
    bob.sends(subscribe("b", "/queue/work", "client-individual")
                  .header("x-dead-letter-exchange", "")
                  .header("x-dead-letter-routing-key", "later"));
    carol.sends(mortal("/queue/later", "warm", "", "work").header("x-message-ttl", "500"));
    broker.advance(std::chrono::seconds(1));
    Received frame = bob.take();
    EXPECT_EQ(frame.body, "warm");
    for (int round = 0; round < 30; ++round) {
        bob.sends(nack(frame.token()).header("requeue", "false"));
        bob.expects_nothing();
        EXPECT_EQ(depth("/queue/later"), 1U);
        broker.advance(std::chrono::milliseconds(501));
        ASSERT_EQ(bob.received().size(), 1U);
        frame = bob.take();
        EXPECT_EQ(frame.value("x-death-reason"), "expired");
        EXPECT_FALSE(frame.find("redelivered"));
    }
    bob.sends(ack(frame.token()));
    EXPECT_EQ(depth("/queue/work") + depth("/queue/later"), 0U);
}

TEST_P(DeadLetters, P_ACK_12_TwoFullQueuesDoNotPlayBall) {
    const auto full = [](const std::string& queue, const std::string& other, const std::string& body
                      ) {
        return mortal("/queue/" + queue, body, "", other).header("x-max-length", "2");
    };
    for (int i = 0; i < 10; ++i) {
        alice.sends(full("a", "b", "a" + std::to_string(i)));
        alice.sends(full("b", "a", "b" + std::to_string(i)));
    }
    EXPECT_EQ(depth("/queue/a"), 2U);
    EXPECT_EQ(depth("/queue/b"), 2U);
    // One that is its own.
    for (int i = 0; i < 5; ++i) {
        alice.sends(mortal("/queue/c", std::to_string(i), "", "c").header("x-max-length", "2"));
    }
    EXPECT_EQ(depth("/queue/c"), 2U);
}

TEST_P(DeadLetters, P_ACK_12_AQueueThatIsItsOwn) {
    alice.sends(mortal("/queue/a", "1", "", "a").header("x-message-ttl", "100"));
    broker.advance(std::chrono::seconds(1));
    EXPECT_EQ(depth("/queue/a"), 1U);
    EXPECT_EQ(broker.counters().messages_expired, 10U);
    bob.sends(subscribe("b", "/queue/a", "client"));
    Received frame = bob.take();
    bob.sends(nack(frame.token()).header("requeue", "false"));
    frame = bob.take();
    EXPECT_EQ(frame.value("x-death-reason"), "rejected");
    EXPECT_FALSE(frame.find("redelivered"));
    bob.sends(ack(frame.token()));
    EXPECT_EQ(depth("/queue/a"), 0U);
}

TEST_P(DeadLetters, P_ACK_10_ALimitOfAPolicy) {
    broker.policies().push_back({"/queue/none", {}, {}, {}, {}});
    broker.policies().back().queue.delivery_limit = 0;
    broker.policies().push_back({"/queue/two", {}, {}, {}, {}});
    broker.policies().back().queue.delivery_limit = 2;
    alice.sends(send("/queue/none", "1"));
    bob.sends(subscribe("b", "/queue/none", "client"));
    for (int i = 1; i <= 50; ++i) {
        bob.sends(nack(bob.take().token()));
    }
    bob.expects(message("b", "1").header("x-delivery-count", "51"));
    alice.sends(send("/queue/two", "2"));
    carol.sends(subscribe("c", "/queue/two", "client"));
    carol.sends(nack(carol.take().token()));
    carol.sends(nack(carol.take().token()));
    carol.expects_nothing();
    alice.sends(subscribe("a", "/queue/DLQ.two"));
    alice.expects(
        message("a", "2").header("x-death-reason", "delivery-limit").header("x-death-count", "2")
    );
}

TEST_P(DeadLetters, P_ACK_12_ADeadLetterQueueIsTheEnd) {
    broker.policies().push_back({"/queue/#", {}, {}, {}, {}});
    broker.policies().back().queue.dead_letters_expired = true;
    broker.policies().back().queue.dead_letters_overflow = true;
    alice.sends(send("/queue/a", "1")).sends(send("/queue/a", "2"));
    bob.sends(subscribe("b", "/queue/a", "client"));
    rejects(bob);
    rejects(bob);
    carol.sends(subscribe("c", "/queue/DLQ.a", "client-individual"));
    rejects(carol);
    for (int i = 1; i <= 40; ++i) {
        carol.sends(nack(carol.take().token()));
    }
    carol.expects(message("c", "2").header("x-delivery-count", "41").header("x-death-count", "1"));
    alice.sends(send("/queue/DLQ.a", "short").header("ttl", "100"));
    carol.drops();
    broker.advance(std::chrono::seconds(1));
    EXPECT_EQ(depth("/queue/DLQ.a"), 1U);
    EXPECT_EQ(depth("/queue/DLQ.DLQ.a"), 0U);
}

TEST_P(DeadLetters, P_ACK_12_ExpiredMessagesAreNoLettersUnlessAskedFor) {
    alice.sends(send("/queue/a", "1").header("ttl", "100"));
    for (int i = 0; i < 3; ++i) {
        alice.sends(send("/queue/b", "1").header("x-max-length", "1"));
    }
    broker.advance(std::chrono::seconds(1));
    EXPECT_EQ(depth("/queue/DLQ.a"), 0U);
    EXPECT_EQ(depth("/queue/DLQ.b"), 0U);
}

TEST_P(DeadLetters, P_FRAME_17_LettersAreEscapedForEachVersion) {
    alice.sends(send("/queue/a:b", "1").header("na:me", "back\\slash\nline\rreturn:colon"));
    alice.sends(send("/queue/a:b", "2").header("plain", "x").header("ttl", "60000"));
    bob.sends(subscribe("b", "/queue/a:b", "client"));
    rejects(bob);
    rejects(bob);
    for (const std::string version : {"1.2", "1.1", "1.0"}) {
        TestClient client(broker);
        client.connects(version);
        client.sends(subscribe("x", "/queue/DLQ.a:b", "client"));
        ASSERT_EQ(client.received().size(), 2U);
        const Received first = client.take();
        EXPECT_EQ(first.value("destination"), "/queue/a:b") << version;
        EXPECT_EQ(first.value("x-death-queue"), "/queue/a:b") << version;
        // 1.1 cannot carry CR, and 1.0 no colon in a name (P-FRAME-18).
        EXPECT_EQ(first.value("na:me"), version == "1.2" ? "back\\slash\nline\rreturn:colon" : "");
        const Received second = client.take();
        EXPECT_EQ(second.value("plain"), "x");
        EXPECT_EQ(second.value("x-death-reason"), "rejected");
        EXPECT_FALSE(second.find("expires"));
        EXPECT_EQ(client.fault(), "");
    }
}

RUN_SCRIPTS_ON_SHARDS(DeadLetters);

}  // namespace support
