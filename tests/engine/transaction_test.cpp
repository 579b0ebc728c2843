// Transactions (P-TX).
#include "tests/support/script.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace support {

namespace {

using protocol::Command;
using Texts = std::vector<std::string>;

class Transacting : public SessionScript {
protected:
    Transacting() {
        alice.connects();
        bob.connects();
        carol.connects();
    }

    void refuses(TestClient& client, const Outgoing& request, const std::string& token) {
        client.sends(request);
        client.expects_error(token);
    }

    Texts bodies(TestClient& client) {
        Texts texts;
        while (!client.received().empty()) {
            texts.push_back(client.take().body);
        }
        return texts;
    }

    Texts bodies_of(const std::string& queue) {
        TestClient reader(broker);
        reader.connects().sends(subscribe("rest", queue));
        return bodies(reader);
    }

    void publishes(const std::string& destination, int count) {
        for (int i = 0; i < count; ++i) {
            alice.sends(send(destination, std::to_string(i)));
        }
    }
};

}  // namespace

TEST_P(Transacting, P_TX_01_TransactionIsRequired) {
    refuses(alice, frame(Command::begin), "missing-header");
    refuses(bob, frame(Command::commit), "missing-header");
    refuses(carol, frame(Command::abort).transaction(""), "missing-header");
}

TEST_P(Transacting, P_TX_01_IdsMustBeOpenOrNot) {
    alice.sends(begin("t"));
    refuses(alice, begin("t").receipt("r"), "bad-state");
    refuses(bob, commit("t"), "bad-state");
    refuses(carol, abort("t"), "bad-state");
    for (const Outgoing& request :
         {send("/queue/a").transaction("t"),
          ack("x").transaction("t"),
          nack("x").transaction("t")}) {
        TestClient client(broker);
        refuses(client.connects(), request, "bad-state");
    }
}

TEST_P(Transacting, P_TX_01_IdsBelongToTheConnectionAndMayBeReused) {
    for (int i = 0; i < 3; ++i) {
        alice.sends(begin("t").receipt("b"));
        bob.sends(begin("t").receipt("b"));
        alice.expects(receipt("b"));
        bob.expects(receipt("b"));
        alice.sends(commit("t").receipt("c"));
        bob.sends(abort("t").receipt("a"));
        alice.expects(receipt("c"));
        bob.expects(receipt("a"));
    }
}

TEST_P(Transacting, P_TX_02_SendsAreInvisibleUntilCommit) {
    bob.sends(subscribe("q", "/queue/a"));
    carol.sends(subscribe("t", "/topic/a"));
    alice.sends(begin("t"));
    alice.sends(send("/queue/a", "1").transaction("t").receipt("r"));
    alice.expects(receipt("r"));
    alice.sends(send("/topic/a", "2").transaction("t"));
    bob.expects_nothing();
    carol.expects_nothing();
    alice.sends(commit("t").receipt("c"));
    alice.expects(receipt("c"));
    bob.expects(message("q", "1"));
    carol.expects(message("t", "2"));
}

TEST_P(Transacting, P_TX_02_SendsAreCheckedWhenTheyArrive) {
    alice.sends(begin("t")).sends(send("/queue/*").transaction("t").receipt("r"));
    EXPECT_EQ(alice.expects_error("bad-destination").value("receipt-id"), "r");
}

TEST_P(Transacting, P_TX_02_AbortDropsThem) {
    bob.sends(subscribe("q", "/queue/a"));
    alice.sends(begin("t")).sends(send("/queue/a", "1").transaction("t"));
    alice.sends(abort("t").receipt("a"));
    alice.expects(receipt("a"));
    bob.expects_nothing();
}

TEST_P(Transacting, P_TX_03_TakenDeliveriesFreeTheWindowAtOnce) {
    for (const std::string name : {"/queue/a", "/queue/b", "/topic/a"}) {
        TestClient client(broker);
        client.connects().sends(
            subscribe("1", name, "client-individual").header("prefetch-count", "1").receipt("r")
        );
        client.expects(receipt("r"));
        publishes(name, 2);
        const Received first = client.expects(message("1", "0"));
        client.expects_nothing();
        client.sends(begin("t")).sends(ack(first.token()).transaction("t"));
        client.expects(message("1", "1"));
        client.drops();
        if (name.starts_with("/queue/")) { EXPECT_EQ(bodies_of(name), (Texts{"0", "1"})); }
    }
}

TEST_P(Transacting, P_TX_03_AcksTakeEffectAtCommit) {
    publishes("/queue/a", 4);
    bob.sends(subscribe("1", "/queue/a", "client"));
    Texts tokens;
    for (int i = 0; i < 4; ++i) {
        tokens.push_back(bob.expects(message("1")).token());
    }
    bob.sends(begin("t")).sends(ack(tokens[1]).transaction("t")).sends(commit("t").receipt("c"));
    bob.expects(receipt("c"));
    EXPECT_EQ(bob.outstanding(), 2U);
    bob.drops();
    EXPECT_EQ(bodies_of("/queue/a"), (Texts{"2", "3"}));
}

TEST_P(Transacting, P_TX_03_CumulativeTakesThoseOutstandingThen) {
    publishes("/queue/a", 2);
    bob.sends(subscribe("1", "/queue/a", "client"));
    bob.expects(message("1", "0"));
    const std::string second = bob.expects(message("1", "1")).token();
    bob.sends(begin("t")).sends(ack(second).transaction("t"));
    publishes("/queue/a", 1);
    const std::string third = bob.expects(message("1", "0")).token();
    // Outside of the transaction: the taken ones are not touched.
    bob.sends(ack(third));
    bob.sends(abort("t"));
    bob.drops();
    EXPECT_EQ(bodies_of("/queue/a"), (Texts{"0", "1"}));
}

TEST_P(Transacting, P_TX_03_NacksTakeEffectAtCommit) {
    publishes("/queue/a", 2);
    bob.sends(subscribe("1", "/queue/a", "client-individual").header("prefetch-count", "2"));
    const std::string first = bob.expects(message("1", "0")).token();
    const std::string second = bob.expects(message("1", "1")).token();
    bob.sends(begin("t"));
    bob.sends(nack(first).transaction("t"));
    bob.sends(nack(second).transaction("t").header("requeue", "false"));
    bob.expects_nothing();
    bob.sends(commit("t").receipt("c"));
    bool is_again = false;
    while (!bob.received().empty()) {
        const Received got = bob.take();
        if (got.command == Command::message) {
            EXPECT_EQ(got.body, "0");
            EXPECT_EQ(got.value("x-delivery-count"), "2");
            is_again = true;
        }
    }
    EXPECT_TRUE(is_again);
    EXPECT_EQ(bodies_of("/queue/DLQ.a"), Texts{"1"});
}

TEST_P(Transacting, P_TX_04_AllSendsInOrder) {
    bob.sends(subscribe("q", "/queue/a"));
    carol.sends(subscribe("w", "/topic/#"));
    alice.sends(begin("t"));
    for (int i = 0; i < 10; ++i) {
        alice.sends(send("/queue/a", std::to_string(i)).transaction("t"));
        alice.sends(send("/topic/a", std::to_string(i)).transaction("t"));
    }
    alice.sends(commit("t"));
    const Texts expected = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    EXPECT_EQ(bodies(bob), expected);
    EXPECT_EQ(bodies(carol), expected);
}

TEST_P(Transacting, P_TX_04_CommitsToOneQueueDoNotInterleave) {
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c"}) {
        alice.sends(begin("t"));
        carol.sends(begin("t"));
        for (int i = 0; i < 5; ++i) {
            alice.sends(send(queue, "a").transaction("t"));
            carol.sends(send(queue, "c").transaction("t"));
        }
        alice.writes(commit("t").encoded(alice.version()));
        carol.writes(commit("t").encoded(carol.version()));
        Texts texts = bodies_of(queue);
        ASSERT_EQ(texts.size(), 10U);
        texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
        EXPECT_EQ(texts.size(), 2U);
    }
}

TEST_P(Transacting, P_TX_04_ACommitWithoutRoomAppliesNothing) {
    broker.limits().queue_messages_max = 2;
    publishes("/queue/full", 1);
    publishes("/queue/in", 1);
    bob.sends(subscribe("1", "/queue/in", "client"));
    const std::string token = bob.expects(message("1")).token();
    carol.sends(subscribe("t", "/topic/a"));
    bob.sends(begin("t"));
    bob.sends(send("/queue/other", "x").transaction("t"));
    bob.sends(send("/topic/a", "x").transaction("t"));
    bob.sends(ack(token).transaction("t"));
    bob.sends(send("/queue/full", "x").transaction("t"));
    bob.sends(send("/queue/full", "x").transaction("t"));
    bob.sends(commit("t").receipt("c"));
    EXPECT_EQ(bob.expects_error("queue-full").value("receipt-id"), "c");
    carol.expects_nothing();
    EXPECT_EQ(bodies_of("/queue/other"), Texts());
    EXPECT_EQ(bodies_of("/queue/full"), Texts{"0"});
    EXPECT_EQ(bodies_of("/queue/in"), Texts{"0"});
    // Nothing of the reservation is left.
    alice.sends(send("/queue/other", "1")).sends(send("/queue/other", "2").receipt("r"));
    alice.expects(receipt("r"));
}

TEST_P(Transacting, P_TX_04_TemporaryQueuesAreReservedToo) {
    broker.limits().queue_messages_max = 1;
    alice.sends(send("/temp-queue/n", "1")).sends(begin("t"));
    alice.sends(send("/queue/a", "x").transaction("t"));
    alice.sends(send("/temp-queue/n", "2").transaction("t"));
    alice.sends(commit("t").receipt("c"));
    alice.expects_error("queue-full");
    EXPECT_EQ(bodies_of("/queue/a"), Texts());
}

TEST_P(Transacting, P_TX_04_AnEmptyTransactionIsFine) {
    alice.sends(begin("t")).sends(commit("t").receipt("c"));
    alice.expects(receipt("c"));
}

TEST_P(Transacting, P_TX_04_ACommitWhoseConnectionIsLostStillApplies) {
    publishes("/queue/in", 1);
    bob.sends(subscribe("1", "/queue/in", "client"));
    const std::string token = bob.expects(message("1")).token();
    bob.sends(begin("t")).sends(ack(token).transaction("t"));
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c"}) {
        bob.sends(send(queue, "x").transaction("t"));
    }
    bob.writes(commit("t").encoded(bob.version()));
    bob.drops();
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c"}) {
        EXPECT_EQ(bodies_of(queue), Texts{"x"});
    }
    EXPECT_EQ(bodies_of("/queue/in"), Texts());
}

TEST_P(Transacting, P_TX_05_AbortMakesDeliveriesOutstandingAgain) {
    for (const std::string queue : {"/queue/a", "/queue/b"}) {
        publishes(queue, 2);
        TestClient client(broker);
        client.connects().sends(subscribe("1", queue, "client-individual"));
        const std::string first = client.expects(message("1", "0")).token();
        const std::string second = client.expects(message("1", "1")).token();
        client.sends(begin("t"));
        client.sends(ack(first).transaction("t")).sends(nack(second).transaction("t"));
        client.sends(abort("t").receipt("a"));
        client.expects(receipt("a"));
        client.expects_nothing();
        client.sends(ack(first).receipt("r"));
        client.expects(receipt("r"));
        client.drops();
        EXPECT_EQ(bodies_of(queue), Texts{"1"});
    }
}

TEST_P(Transacting, P_TX_05_TheAckTimeAppliesToThem) {
    broker.limits().transaction_idle = std::chrono::hours(5);
    publishes("/queue/a", 1);
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    const std::string first = bob.expects(message("1", "0")).token();
    bob.sends(begin("t")).sends(ack(first).transaction("t"));
    broker.advance(std::chrono::minutes(45));
    bob.sends(abort("t"));
    bob.expects_nothing();
    broker.advance(std::chrono::minutes(31));
    bob.expects(message("1", "0").header("redelivered", "true"));
}

TEST_P(Transacting, P_TX_06_EveryEndAborts) {
    for (const std::string how : {"disconnect", "drop", "refusal"}) {
        publishes("/queue/in", 1);
        TestClient client(broker);
        client.connects().sends(subscribe("1", "/queue/in", "client"));
        const std::string token = client.expects(message("1")).token();
        client.sends(begin("t"));
        client.sends(ack(token).transaction("t")).sends(send("/queue/out", "x").transaction("t"));
        if (how == "disconnect") { client.sends(disconnect()); }
        if (how == "drop") { client.drops(); }
        if (how == "refusal") { client.sends(begin("t")); }
        EXPECT_EQ(bodies_of("/queue/in"), Texts{"0"}) << how;
        EXPECT_EQ(bodies_of("/queue/out"), Texts()) << how;
    }
}

TEST_P(Transacting, P_TX_07_FramesInOne) {
    broker.limits().transaction_frames_max = 3;
    alice.sends(begin("t"));
    for (int i = 0; i < 3; ++i) {
        alice.sends(send("/queue/a", "x").transaction("t").receipt("r"));
        alice.expects(receipt("r"));
    }
    alice.sends(send("/queue/a", "x").transaction("t").receipt("over"));
    EXPECT_EQ(alice.expects_error("limit-transaction").value("receipt-id"), "over");
    EXPECT_EQ(bodies_of("/queue/a"), Texts());
}

TEST_P(Transacting, P_TX_07_OctetsInOne) {
    broker.limits().transaction_bytes_max = 3000;
    alice.sends(begin("t")).sends(send("/queue/a", std::string(2000, 'x')).transaction("t"));
    alice.sends(begin("u")).sends(send("/queue/a", std::string(2000, 'x')).transaction("u"));
    alice.sends(send("/queue/a", "x").transaction("t").receipt("r"));
    alice.expects(receipt("r"));
    alice.sends(send("/queue/a", std::string(1000, 'x')).transaction("t"));
    alice.expects_error("limit-transaction");
}

TEST_P(Transacting, P_TX_07_OpenOnes) {
    broker.limits().transactions_max = 2;
    alice.sends(begin("1")).sends(begin("2")).sends(commit("1"));
    alice.sends(begin("3").receipt("r"));
    alice.expects(receipt("r"));
    alice.sends(begin("4").receipt("over"));
    EXPECT_EQ(alice.expects_error("limit-transaction").value("receipt-id"), "over");
}

TEST_P(Transacting, P_TX_07_IdleTimeCountsFromTheLastFrameThatNamedIt) {
    alice.sends(begin("t"));
    broker.advance(std::chrono::seconds(59));
    alice.sends(send("/queue/a", "x").transaction("t"));
    broker.advance(std::chrono::seconds(59));
    alice.expects_nothing();
    EXPECT_TRUE(alice.is_open());
    broker.advance(std::chrono::seconds(2));
    alice.expects_error("limit-transaction");
    EXPECT_EQ(bodies_of("/queue/a"), Texts());
}

TEST_P(Transacting, P_TX_07_ATransactionOfTheSameNameHasItsOwnClock) {
    alice.sends(begin("t"));
    broker.advance(std::chrono::seconds(50));
    alice.sends(commit("t")).sends(begin("t"));
    broker.advance(std::chrono::seconds(50));
    EXPECT_TRUE(alice.is_open());
    alice.sends(commit("t").receipt("c"));
    alice.expects(receipt("c"));
    broker.advance(std::chrono::seconds(100));
    EXPECT_TRUE(alice.is_open());
}

TEST_P(Transacting, P_TX_08_TransactionOnOtherCommandsIsIgnored) {
    alice.sends(subscribe("1", "/topic/a").transaction("nope").receipt("s"));
    alice.expects(receipt("s"));
    alice.sends(unsubscribe("1").transaction("nope").receipt("u"));
    alice.expects(receipt("u"));
}

RUN_SCRIPTS_ON_SHARDS(Transacting);

}  // namespace support
