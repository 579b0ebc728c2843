// Subscriptions of a topic that several share by name, and those that end when nobody comes back
// (P-SUB-10, P-DUR-07).
#include "tests/support/durable_script.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace support {

namespace {

class SharedSubscription : public DurableScript {
protected:
    static Outgoing shared(std::string topic, std::string id = "1", std::string name = "workers") {
        return subscribe(std::move(id), std::move(topic)).header("x-queue-name", std::move(name));
    }

    void publishes(const std::string& topic, const Texts& texts) {
        for (const std::string& text : texts) {
            alice->sends(send(topic, text).receipt(text));
            alice->expects(receipt(text));
        }
    }

    /// What the two have received together; each got some.
    static Texts both(TestClient& one, TestClient& other) {
        Texts texts = bodies(one);
        const Texts more = bodies(other);
        EXPECT_FALSE(texts.empty());
        EXPECT_FALSE(more.empty());
        texts.insert(texts.end(), more.begin(), more.end());
        std::sort(texts.begin(), texts.end());
        return texts;
    }
};

}  // namespace

TEST_P(SharedSubscription, P_SUB_10_SubscriptionsOfOneNameCompete) {
    for (const std::string topic : {"/topic/a.b", "/topic/a.*"}) {
        bob->sends(shared(topic).receipt("s"));
        bob->expects(receipt("s"));
        carol->sends(shared(topic, "other").receipt("s"));
        carol->expects(receipt("s"));
        publishes("/topic/a.b", {"1", "2", "3", "4"});
        EXPECT_EQ(both(*bob, *carol), (Texts{"1", "2", "3", "4"}));
        bob->sends(unsubscribe("1"));
        carol->sends(unsubscribe("other"));
    }
}

TEST_P(SharedSubscription, P_SUB_10_NamesTopicsAndUsersKeepThemApart) {
    bob->sends(shared("/topic/a", "1", "x"));
    bob->sends(shared("/topic/a", "2", "y"));
    bob->sends(shared("/topic/b", "3", "x"));
    const auto guest = connected_client("", "guest");
    guest->sends(shared("/topic/a", "1", "x").receipt("s"));
    guest->expects(receipt("s"));
    publishes("/topic/a", {"m"});
    EXPECT_EQ(bodies(*bob), (Texts{"m", "m"}));
    guest->expects(message("1", "m"));
}

TEST_P(SharedSubscription, P_SUB_10_ItGoesWithItsLastSubscriber) {
    bob->sends(shared("/topic/a"));
    carol->sends(shared("/topic/a"));
    bob->sends(unsubscribe("1"));
    publishes("/topic/a", {"1"});
    EXPECT_EQ(bodies(*carol), Texts{"1"});
    carol->drops();
    publishes("/topic/a", {"2"});
    bob->sends(shared("/topic/a").receipt("s"));
    bob->expects(receipt("s"));
    bob->expects_nothing();
    publishes("/topic/a", {"3"});
    EXPECT_EQ(bodies(*bob), Texts{"3"});
    EXPECT_EQ(stored_names(), Texts{});
    restarts();
    publishes("/topic/a", {"4"});
    bob->sends(shared("/topic/a").receipt("s"));
    bob->expects(receipt("s"));
    bob->expects_nothing();
}

TEST_P(SharedSubscription, P_SUB_10_AnotherDestinationOrSelectorIsRefusedWhileItIsInUse) {
    bob->sends(shared("/topic/a").header("selector", "k = 1").receipt("s"));
    bob->expects(receipt("s"));
    carol->sends(shared("/topic/a").header("selector", "k = 2"));
    carol->expects_error("bad-header");
    alice->sends(send("/topic/a", "x").header("k", "1"));
    bob->expects(message("1", "x"));
}

TEST_P(SharedSubscription, P_ACK_08_WhatOneDoesNotSettleGoesToAnother) {
    bob->sends(shared("/topic/a").header("ack", "client"));
    const auto client = connected_client();
    client->sends(frame(protocol::Command::subscribe)
                      .header("id", "1")
                      .header("destination", "/topic/a")
                      .header("ack", "client")
                      .header("x-queue-name", "w"));
    publishes("/topic/a", {"1"});
    client->expects(message("1", "1"));
    const auto other = connected_client();
    other->sends(shared("/topic/a", "2", "w").receipt("s"));
    other->expects(receipt("s"));
    client->drops();
    other->expects(message("2", "1").header("redelivered", "true"));
}

TEST_P(SharedSubscription, P_DUR_07_ADurableOneSurvivesItsSubscribersAndTheBroker) {
    const auto durable = [](const std::string& id) {
        return shared("/topic/a", id).header("durable", "true");
    };
    for (const std::string id : {"x", "y"}) {
        // The connection's client-id and the subscription's id do not count.
        const auto client = connected_client(id);
        client->sends(durable(id).receipt("s"));
        client->expects(receipt("s"));
    }
    publishes("/topic/a", {"1", "2"});
    EXPECT_EQ(stored_names().size(), 1U);
    restarts();
    publishes("/topic/a", {"3", "4"});
    const auto client = connected_client("z");
    client->sends(durable("3"));
    EXPECT_EQ(bodies(*client), (Texts{"1", "2", "3", "4"}));
    bob->sends(durable("4").receipt("s"));
    bob->expects(receipt("s"));
    publishes("/topic/a", {"5", "6", "7"});
    EXPECT_EQ(both(*client, *bob), (Texts{"5", "6", "7"}));
}

TEST_P(SharedSubscription, P_DUR_04_UnsubscribingFromItAsDurableDeletesIt) {
    const auto durable = [] { return shared("/topic/a").header("durable", "true"); };
    bob->sends(durable().receipt("s"));
    bob->expects(receipt("s"));
    bob->sends(unsubscribe("1").receipt("u"));
    bob->expects(receipt("u"));
    EXPECT_EQ(stored_names().size(), 1U);
    bob->sends(durable());
    bob->sends(unsubscribe("1").header("durable", "true").receipt("u"));
    bob->expects(receipt("u"));
    EXPECT_EQ(stored_names(), Texts{});
    bob->sends(durable());
    bob->sends(unsubscribe("1"));
    EXPECT_EQ(stored_names().size(), 1U);
    carol->sends(
        unsubscribe("9").header("x-queue-name", "workers").header("durable", "true").receipt("u")
    );
    carol->expects(receipt("u"));
    EXPECT_EQ(stored_names(), Texts{});
}

TEST_P(SharedSubscription, P_DUR_04_OneThatIsNotDurableIsOnlyLeft) {
    bob->sends(shared("/topic/a"));
    carol->sends(shared("/topic/a").receipt("s"));
    carol->expects(receipt("s"));
    bob->sends(unsubscribe("1").header("durable", "true").receipt("u"));
    bob->expects(receipt("u"));
    publishes("/topic/a", {"1"});
    EXPECT_EQ(bodies(*carol), Texts{"1"});
}

TEST_P(SharedSubscription, P_DUR_07_OneThatNobodyComesBackToIsRemoved) {
    const auto durable = [] {
        return subscribe("1", "/topic/a")
            .header("activemq.subscriptionName", "news")
            .header("x-expires", "60000");
    };
    auto client = connected_client();
    client->sends(durable().receipt("s"));
    client->expects(receipt("s"));
    broker->advance(std::chrono::minutes(5));
    EXPECT_EQ(stored_names().size(), 1U);
    client->drops();
    publishes("/topic/a", {"1"});
    broker->advance(std::chrono::seconds(50));
    client = connected_client();
    client->sends(durable());
    EXPECT_EQ(bodies(*client), Texts{"1"});
    client->drops();
    broker->advance(std::chrono::seconds(59));
    EXPECT_EQ(stored_names().size(), 1U);
    broker->advance(std::chrono::seconds(2));
    EXPECT_EQ(stored_names(), Texts{});
    publishes("/topic/a", {"2"});
    client = connected_client();
    client->sends(durable().receipt("s"));
    client->expects(receipt("s"));
    client->expects_nothing();
}

TEST_P(SharedSubscription, P_DUR_07_AfterARestartToo) {
    auto client = connected_client();
    client->sends(shared("/topic/a").header("durable", "true").header("x-expires", "60000"));
    client->drops();
    restarts();
    broker->advance(std::chrono::seconds(59));
    EXPECT_EQ(stored_names().size(), 1U);
    broker->advance(std::chrono::seconds(2));
    EXPECT_EQ(stored_names(), Texts{});
}

RUN_SCRIPTS_ON_SHARDS(SharedSubscription);

}  // namespace support
