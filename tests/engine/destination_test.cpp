// Destinations and wildcards as subscribers see them (P-DEST).
// The grammar itself is tested in tests/protocol.
#include "tests/support/script.hpp"

#include <string>
#include <vector>

namespace support {

namespace {

class Addressing : public SessionScript {
protected:
    Addressing() {
        alice.connects();
        bob.connects();
        carol.connects();
    }

    /// Whether a message to `destination` reaches a subscription to `pattern`.
    bool reaches(const std::string& destination, const std::string& pattern) {
        bob.sends(subscribe("w", pattern).receipt("s"));
        bob.expects(receipt("s"));
        alice.sends(send(destination, "x"));
        bool is_reached = false;
        while (!bob.received().empty()) {
            EXPECT_FALSE(is_reached) << "twice";
            EXPECT_EQ(bob.take().value("destination"), destination);
            is_reached = true;
        }
        bob.sends(unsubscribe("w"));
        return is_reached;
    }
};

}  // namespace

TEST_P(Addressing, P_DEST_02_MessagesCarryTheSendersOwnWords) {
    bob.sends(subscribe("1", "/queue/orders"));
    for (const std::string name : {"/queue/orders", "/amq/queue/orders", "orders"}) {
        alice.sends(send(name, "x"));
        bob.expects(message("1", "x").header("destination", name));
    }
    bob.sends(subscribe("2", "/exchange/amq.topic/news"));
    alice.sends(send("/topic/news", "y"));
    bob.expects(message("2", "y").header("destination", "/topic/news"));
}

TEST_P(Addressing, P_DEST_04_NamesAreComparedOctetByOctet) {
    EXPECT_FALSE(reaches("/topic/News", "/topic/news"));
    EXPECT_FALSE(reaches("/topic/a%2Fb", "/topic/a/b"));
    EXPECT_FALSE(reaches("/topic/e\xCC\x81", "/topic/\xC3\xA9"));
    EXPECT_TRUE(reaches("/topic/\xC3\xA9", "/topic/\xC3\xA9"));
}

TEST_P(Addressing, P_DEST_05_WildcardsAreWholeLevels) {
    EXPECT_TRUE(reaches("/topic/a/b", "/topic/a/*"));
    EXPECT_TRUE(reaches("/topic/a/b", "/topic/+/b"));
    EXPECT_FALSE(reaches("/topic/a/b/c", "/topic/a/*"));
    EXPECT_TRUE(reaches("/topic/a/b/c", "/topic/a/#"));
    EXPECT_TRUE(reaches("/topic/a", "/topic/a/#"));
    EXPECT_TRUE(reaches("/topic/a/b/c", "/topic/**/c"));
    EXPECT_TRUE(reaches("/topic/a/b/c", "/topic/a/>"));
    EXPECT_FALSE(reaches("/topic/ab", "/topic/a*"));
    EXPECT_TRUE(reaches("/topic/a*", "/topic/a*"));
    EXPECT_TRUE(reaches("/foo/x/y", "/foo/*/y"));
    EXPECT_FALSE(reaches("/bar/x/y", "/foo/*/y"));
    EXPECT_TRUE(reaches("/exchange/logs/a.b", "/exchange/logs/a.*"));
}

TEST_P(Addressing, P_DEST_05_AGreaterSignStandsLast) {
    alice.sends(subscribe("1", "/topic/>/a"));
    alice.expects_error("bad-destination");
}

TEST_P(Addressing, P_DEST_06_ThePatternChoosesTheSeparator) {
    EXPECT_TRUE(reaches("/topic/a.b", "/topic/a.*"));
    EXPECT_FALSE(reaches("/topic/a/b", "/topic/a.*"));
    EXPECT_FALSE(reaches("/topic/a.b", "/topic/*"));
    EXPECT_FALSE(reaches("/topic/a/b", "/topic/*"));
    EXPECT_TRUE(reaches("/topic/a", "/topic/*"));
    EXPECT_TRUE(reaches("/topic/a.b/c", "/topic/#"));
    EXPECT_TRUE(reaches("/topic/a.b/c", "/topic/*/c"));
}

TEST_P(Addressing, P_DEST_07_WildcardsBelongToSubscribersOfTopics) {
    const std::vector<Outgoing> refused = {
        send("/topic/a/*"),
        send("/topic/#"),
        send("/queue/a.*"),
        subscribe("1", "/queue/*"),
        subscribe("1", "/temp-queue/*"),
        subscribe("1", "/temp-topic/a/#")};
    for (const Outgoing& frame : refused) {
        TestClient client(broker);
        client.connects().sends(frame);
        client.expects_error("bad-destination");
    }
}

TEST_P(Addressing, P_DEST_08_ReservedLevelsAreNotMatched) {
    alice.sends(send("/topic/$a", "x").receipt("r"));
    EXPECT_EQ(alice.expects_error("access-denied").value("receipt-id"), "r");
    bob.sends(subscribe("1", "/topic/a/$b"));
    bob.expects_error("access-denied");
}

TEST_P(Addressing, P_DEST_09_OneCopyForEachSubscription) {
    EXPECT_TRUE(reaches("/topic/a/b/a/b", "/topic/#/a/#"));
    EXPECT_TRUE(reaches("/topic/a/a/a", "/topic/**/a/**"));
    bob.sends(subscribe("1", "/topic/x/#"));
    bob.sends(subscribe("2", "/topic/x/*"));
    bob.sends(subscribe("3", "/topic/x/y"));
    alice.sends(send("/topic/x/y", "m"));
    std::vector<std::string> ids;
    while (!bob.received().empty()) {
        ids.push_back(bob.take().value("subscription"));
    }
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (std::vector<std::string>{"1", "2", "3"}));
}

TEST_P(Addressing, P_DEST_10_AnUnusedQueueIsRemovedAfterAMinute) {
    const auto queues = [this] {
        std::size_t sum = 0;
        for (unsigned shard = 0; shard < GetParam(); ++shard) {
            sum += broker.shards().on(shard, [&] { return broker.router(shard).queue_count(); });
        }
        return sum;
    };
    alice.sends(send("/queue/kept", "x"));
    alice.sends(send("/queue/brief", "x"));
    bob.sends(subscribe("1", "/queue/brief"));
    bob.expects(message("1", "x"));
    bob.sends(unsubscribe("1"));
    // A publisher's route must not keep it alive for ever.
    alice.sends(send("/topic/other", "x"));
    EXPECT_EQ(queues(), 2U);
    broker.advance(std::chrono::seconds(59));
    EXPECT_EQ(queues(), 2U);
    broker.advance(std::chrono::seconds(200));
    EXPECT_EQ(queues(), 1U);
    carol.sends(subscribe("2", "/queue/kept"));
    carol.expects(message("2", "x"));
}

TEST_P(Addressing, P_DEST_10_AQueueInUseStays) {
    bob.sends(subscribe("1", "/queue/a", "client"));
    alice.sends(send("/queue/a", "x"));
    const Received got = bob.expects(message("1", "x"));
    broker.advance(std::chrono::minutes(5));
    bob.sends(ack(got.token()).receipt("r"));
    bob.expects(receipt("r"));
    broker.advance(std::chrono::minutes(5));
    alice.sends(send("/queue/a", "y"));
    bob.expects(message("1", "y"));
}

TEST_P(Addressing, P_LIM_01_QueuesInAll) {
    broker.limits().queues_max = 4 * GetParam();
    const auto creates = [](TestClient& client, int from, bool subscribes) {
        int made = 0;
        for (int i = from; i < from + 100 && client.is_open(); ++i) {
            const std::string name = "/queue/n" + std::to_string(i);
            client.sends(
                subscribes ? subscribe(name, name).receipt("r") : send(name, "x").receipt("r")
            );
            made += client.take().command == protocol::Command::receipt ? 1 : 0;
        }
        return made;
    };
    const int made = creates(alice, 0, false);
    EXPECT_GE(made, 4);
    EXPECT_LE(made, static_cast<int>(4 * GetParam()));
    EXPECT_FALSE(alice.is_open());
    EXPECT_EQ(alice.closing()->reason, protocol::ErrorCode::limit_queues);
    EXPECT_LE(creates(bob, 1000, true), static_cast<int>(4 * GetParam()) - made);
    EXPECT_EQ(bob.closing()->reason, protocol::ErrorCode::limit_queues);
    // What is there is still in use.
    carol.sends(subscribe("c", "/queue/n0"));
    carol.expects(message("c", "x"));
}

TEST_P(Addressing, P_LIM_01_TopicsWithoutSubscribersAreOnlyACache) {
    engine::RouterSettings settings;
    settings.limits.idle_topics_max = 50;
    TestBroker small(GetParam(), 1, WorkOrder::posted, settings);
    TestClient client(small);
    client.connects().sends(subscribe("s", "/topic/n7"));
    for (int i = 0; i < 1000; ++i) {
        client.sends(send("/topic/n" + std::to_string(i), "x"));
    }
    EXPECT_EQ(client.received().size(), 1U);
    for (unsigned shard = 0; shard < GetParam(); ++shard) {
        small.shards().on(shard, [&] { EXPECT_LE(small.router(shard).topic_count(), 110U); });
    }
    client.sends(send("/topic/n7", "again"));
    EXPECT_EQ(client.received().size(), 2U);
}

TEST_P(Addressing, P_DEST_11_TopicsKeepNothing) {
    alice.sends(send("/topic/a", "early").receipt("r"));
    alice.expects(receipt("r"));
    bob.sends(subscribe("1", "/topic/a"));
    bob.expects_nothing();
}

TEST_P(Addressing, DirectExchangesCompareKeysLiterally) {
    EXPECT_TRUE(reaches("/exchange/amq.direct/a", "/exchange/amq.direct/a"));
    EXPECT_FALSE(reaches("/exchange/amq.direct/a", "/exchange/amq.direct/b"));
}

TEST_P(Addressing, FanoutExchangesIgnoreTheKey) {
    EXPECT_TRUE(reaches("/exchange/amq.fanout/a", "/exchange/amq.fanout"));
    EXPECT_TRUE(reaches("/exchange/amq.fanout/a", "/exchange/amq.fanout/b"));
}

RUN_SCRIPTS_ON_SHARDS(Addressing);

}  // namespace support
