// What a topic's subscriber does not want, or should not get any more: selectors (P-SEL-05), its
// own messages (P-SUB-10), expired ones (P-QOS-02).
#include "tests/support/durable_script.hpp"
#include "tests/support/script.hpp"

#include <chrono>
#include <string>

namespace support {

namespace {

class Selecting : public SessionScript {
protected:
    Selecting() {
        alice.connects();
        bob.connects();
        carol.connects();
    }

    static Outgoing wants(std::string id, std::string selector, std::string topic = "/topic/a.b") {
        return subscribe(std::move(id), std::move(topic)).header("selector", std::move(selector));
    }

    void publishes(const std::string& colour, const std::string& text) {
        carol.sends(send("/topic/a.b", text).header("colour", colour).receipt(text));
        carol.expects(receipt(text));
    }

    static Texts bodies(TestClient& client) {
        Texts texts;
        while (!client.received().empty()) {
            texts.push_back(client.take().body);
        }
        return texts;
    }
};

class SelectingDurably : public DurableScript {};

std::string hours_from_now(TestBroker& broker, int hours) {
    const std::uint64_t now = broker.shards()[0].wall_clock_ms();
    return std::to_string(now + static_cast<std::uint64_t>(hours) * 3'600'000);
}

}  // namespace

TEST_P(Selecting, P_SEL_05_OnATopicWhatNoSelectorTakesIsNotDelivered) {
    alice.sends(wants("1", "colour = 'red'"));
    bob.sends(wants("1", "colour <> 'red'"));
    publishes("red", "1");
    publishes("blue", "2");
    carol.sends(send("/topic/a.b", "3").receipt("r"));
    carol.expects(receipt("r"));
    EXPECT_EQ(bodies(alice), Texts{"1"});
    EXPECT_EQ(bodies(bob), Texts{"2"});
}

TEST_P(Selecting, P_SEL_05_EachSubscriptionHasItsOwn) {
    alice.sends(wants("1", "colour = 'red'"));
    alice.sends(wants("2", "colour = 'blue'"));
    alice.sends(subscribe("3", "/topic/a.b"));
    alice.sends(wants("4", "colour IS NOT NULL"));
    publishes("red", "x");
    EXPECT_EQ(bodies(alice), (Texts{"x", "x", "x"}));
    alice.sends(unsubscribe("1")).sends(unsubscribe("3"));
    publishes("red", "y");
    alice.expects(message("4", "y"));
    alice.expects_nothing();
    alice.sends(unsubscribe("4")).sends(unsubscribe("2"));
    publishes("red", "z");
    alice.expects_nothing();
}

TEST_P(Selecting, P_SEL_05_WildcardsAndClientModesToo) {
    alice.sends(wants("1", "colour = 'red'", "/topic/a.*"));
    alice.sends(wants("2", "colour = 'blue'", "/topic/#"));
    bob.sends(subscribe("3", "/topic/a.b", "client-individual").header("selector", "colour = 'red'")
    );
    publishes("red", "x");
    alice.expects(message("1", "x"));
    alice.expects_nothing();
    EXPECT_NE(bob.expects(message("3", "x")).token(), "");
    publishes("blue", "y");
    alice.expects(message("2", "y"));
    bob.expects_nothing();
}

TEST_P(Selecting, P_SEL_05_ManySubscribersOfManySelectors) {
    for (int i = 0; i < 400; ++i) {
        const std::string value = std::to_string(i % 40);
        TestClient& client = i % 2 == 0 ? alice : bob;
        client.sends(wants(std::to_string(i), "colour = '" + value + "'"));
    }
    publishes("7", "x");
    publishes("8", "y");
    EXPECT_EQ(alice.received().size(), 10U);
    EXPECT_EQ(bob.received().size(), 10U);
}

TEST_P(Selecting, P_SEL_04_ABadSelectorIsRefused) {
    alice.sends(wants("1", "colour =").receipt("r"));
    const Received refusal = alice.expects_error("bad-selector");
    EXPECT_EQ(refusal.value("receipt-id"), "r");
    bob.sends(wants("1", ""));
    bob.expects_error("bad-selector");
}

TEST_P(Selecting, P_SUB_02_AnotherSelectorTakesTheOldOnesPlace) {
    alice.sends(wants("1", "colour = 'red'"));
    alice.sends(wants("1", "colour = 'red'").receipt("same"));
    alice.expects(receipt("same"));
    alice.sends(wants("1", "colour = 'blue'").receipt("other"));
    alice.expects(receipt("other"));
    publishes("red", "x");
    publishes("blue", "y");
    alice.expects(message("1", "y"));
    alice.expects_nothing();
}

TEST_P(Selecting, P_SUB_10_OnesOwnMessagesAreNotWanted) {
    alice.sends(subscribe("1", "/topic/a.b").header("no-local", "true"));
    alice.sends(subscribe("2", "/topic/a.*").header("activemq.noLocal", "true"));
    alice.sends(subscribe("3", "/topic/a.b", "client").header("no-local", "true"));
    alice.sends(subscribe("4", "/topic/a.b"));
    alice.sends(send("/topic/a.b", "mine"));
    alice.expects(message("4", "mine"));
    alice.expects_nothing();
    bob.sends(send("/topic/a.b", "bobs"));
    EXPECT_EQ(bodies(alice), (Texts{"bobs", "bobs", "bobs", "bobs"}));
}

TEST_P(Selecting, P_SUB_10_ManyWhoShareFramesAreSparedTheirOwn) {
    TestClient dave(broker);
    TestClient erin(broker);
    dave.connects();
    erin.connects();
    for (TestClient* const client : {&alice, &carol, &dave, &erin}) {
        client->sends(subscribe("1", "/topic/a.b").header("no-local", "true"));
    }
    dave.sends(send("/topic/a.b", "x"));
    dave.expects_nothing();
    for (TestClient* const client : {&alice, &carol, &erin}) {
        client->expects(message("1", "x"));
    }
}

TEST_P(Selecting, P_QOS_02_AnExpiredMessageIsNotRouted) {
    alice.sends(subscribe("1", "/topic/a.b"));
    carol.sends(send("/topic/a.b", "old").header("expires", "1").receipt("r"));
    carol.expects(receipt("r"));
    carol.sends(send("/topic/a.b", "new").header("expires", hours_from_now(broker, 1)));
    alice.expects(message("1", "new"));
    alice.expects_nothing();
    EXPECT_EQ(broker.counters().messages_expired, 1U);
}

TEST_P(Selecting, P_QOS_02_AMessageThatExpiresInABacklogIsDropped) {
    alice.sends(subscribe("1", "/topic/a.b", "client-individual").header("prefetch-count", "1"));
    for (const std::string text : {"1", "2", "3"}) {
        carol.sends(send("/topic/a.b", text).header("ttl", "1000"));
    }
    carol.sends(send("/topic/a.b", "4"));
    const Received first = alice.expects(message("1", "1"));
    broker.advance(std::chrono::seconds(2));
    alice.sends(ack(first.token()));
    alice.expects(message("1", "4"));
    alice.expects_nothing();
    EXPECT_EQ(broker.counters().messages_expired, 2U);
}

TEST_P(Selecting, P_QOS_02_AMessageThatExpiresBeforeTheSocketTakesItIsDropped) {
    for (const std::string mode : {"auto", "client"}) {
        TestClient slow(broker);
        slow.connects();
        slow.sends(subscribe("1", "/topic/a.b", mode));
        slow.stops_reading();
        const std::string body(100'000, 'x');
        for (int i = 0; i < 6; ++i) {
            carol.sends(send("/topic/a.b", body).header("ttl", "1000"));
        }
        carol.sends(send("/topic/a.b", "last"));
        broker.advance(std::chrono::seconds(2));
        slow.reads_all();
        const std::size_t got = slow.received().size();
        EXPECT_LT(got, 7U);
        EXPECT_EQ(bodies(slow).back(), "last");
    }
    EXPECT_GT(broker.counters().messages_expired, 2U);
}

TEST_P(SelectingDurably, P_SEL_05_ADurableSubscriptionKeepsWhatItsSelectorTakes) {
    const auto wants = [](const std::string& topic) {
        return subscribe("1", topic)
            .header("activemq.subscriptionName", "news")
            .header("selector", "colour = 'red'");
    };
    for (const std::string topic : {"/topic/a.b", "/topic/a.*"}) {
        starts();
        auto client = connected_client();
        client->sends(wants(topic).receipt("s"));
        client->expects(receipt("s"));
        client.reset();
        for (const std::string colour : {"red", "blue"}) {
            alice->sends(send("/topic/a.b", colour).header("colour", colour).receipt(colour));
            alice->expects(receipt(colour));
        }
        restarts();
        alice->sends(begin("t"));
        for (const std::string colour : {"red", "blue"}) {
            alice->sends(send("/topic/a.b", colour).header("colour", colour).transaction("t"));
        }
        alice->sends(commit("t").receipt("c"));
        alice->expects(receipt("c"));
        client = connected_client();
        client->sends(wants(topic));
        EXPECT_EQ(bodies(*client), (Texts{"red", "red"}));
    }
}

TEST_P(SelectingDurably, P_DUR_05_AnotherSelectorIsAnotherDefinition) {
    const auto wants = [](const std::string& selector) {
        return subscribe("1", "/topic/a")
            .header("activemq.subscriptionName", "news")
            .header("selector", selector);
    };
    auto client = connected_client();
    client->sends(wants("k = 1").receipt("s"));
    client->expects(receipt("s"));
    client.reset();
    alice->sends(send("/topic/a", "old").header("k", "1").receipt("r"));
    alice->expects(receipt("r"));
    client = connected_client();
    client->sends(wants("k > 0").receipt("s"));
    client->expects(receipt("s"));
    client->expects_nothing();
    alice->sends(send("/topic/a", "new").header("k", "2"));
    client->expects(message("1", "new"));
}

RUN_SCRIPTS_ON_SHARDS(Selecting);
RUN_SCRIPTS_ON_SHARDS(SelectingDurably);

}  // namespace support
