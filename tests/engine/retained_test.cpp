// Retained messages (P-QOS-08, P-QOS-09): who gets them, when, how often; and what a store keeps.
#include "tests/support/durable_script.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>

namespace support {

namespace {

class Retaining : public DurableScript {
protected:
    void keeps(const std::string& topic, const std::string& text) {
        alice->sends(send(topic, text).header("retain", "set").receipt(text));
        alice->expects(receipt(text));
    }

    void removes(const std::string& topic) {
        alice->sends(send(topic, "removed").header("retain", "remove").receipt("removed"));
        alice->expects(receipt("removed"));
    }

    /// What a new subscription to `topic` gets, sorted.
    Texts found(const std::string& topic, const std::string& mode = "auto") {
        const auto client = connected_client();
        client->sends(subscribe("1", topic, mode).receipt("s"));
        client->expects(receipt("s"));
        for (const Received& frame : client->received()) {
            EXPECT_EQ(frame.value("retained"), "true");
            EXPECT_EQ(frame.find("ack").has_value(), mode != "auto");
        }
        Texts texts = bodies(*client);
        std::sort(texts.begin(), texts.end());
        return texts;
    }
};

class RetainingInMemory : public SessionScript {};

}  // namespace

TEST_P(Retaining, P_QOS_08_TheLastOneIsKeptAndRoutedAsUsual) {
    bob->sends(subscribe("1", "/topic/a"));
    keeps("/topic/a", "1");
    bob->expects(message("1", "1").without("retained").header("retain", "set"));
    alice->sends(send("/topic/a", "2").header("retain", "true"));
    alice->sends(send("/topic/a", "3"));
    EXPECT_EQ(bodies(*bob), (Texts{"2", "3"}));
    EXPECT_EQ(found("/topic/a"), Texts{"2"});
    EXPECT_EQ(found("/topic/b"), Texts{});
}

TEST_P(Retaining, P_QOS_08_RemoveRemovesAndAnEmptyBodyDoesNot) {
    bob->sends(subscribe("1", "/topic/a"));
    keeps("/topic/a", "1");
    removes("/topic/a");
    EXPECT_EQ(bodies(*bob), (Texts{"1", "removed"}));
    EXPECT_EQ(found("/topic/a"), Texts{});
    removes("/topic/a");
    keeps("/topic/a", "");
    EXPECT_EQ(found("/topic/a"), Texts{""});
    carol->sends(send("/topic/a", "x").header("retain", "maybe"));
    carol->expects_error("bad-header");
}

TEST_P(Retaining, P_QOS_08_ItSurvivesTheBroker) {
    for (const std::string name : {"a", "b", "c", "d"}) {
        keeps("/topic/" + name, "old " + name);
        keeps("/topic/" + name, "new " + name);
    }
    removes("/topic/b");
    alice->sends(send("/topic/c", "light").header("retain", "set").header("persistent", "false"));
    EXPECT_EQ(found("/topic/c"), Texts{"light"});
    restarts();
    EXPECT_EQ(found("/topic/#"), (Texts{"new a", "new d"}));
    keeps("/topic/d", "newest d");
    crashes();
    EXPECT_EQ(found("/topic/d"), Texts{"newest d"});
    removes("/topic/a");
    removes("/topic/d");
    EXPECT_EQ(stored_names(), Texts{});
}

TEST_P(Retaining, P_QOS_08_TheReceiptSaysThatItIsStored) {
    const std::string topic = topic_at(1);
    holds();
    alice->sends(send(topic, "x").header("retain", "set").receipt("r"));
    alice->expects_nothing();
    commits();
    alice->expects(receipt("r"));
    crashes();
    EXPECT_EQ(found(topic), Texts{"x"});
}

TEST_P(Retaining, P_QOS_09_SubscribersThatComeBeforeItIsLoadedWait) {
    keeps("/topic/a", "kept");
    restarts();
    // A restart has served what was read: another one that has not.
    auto survivor = store->crash();
    alice.reset();
    bob.reset();
    carol.reset();
    broker->drives(nullptr);
    broker.reset();
    store = std::move(survivor);
    settings.store = store.get();
    broker = std::make_unique<TestBroker>(GetParam(), 1, WorkOrder::posted, settings);
    bob = std::make_unique<TestClient>(*broker);
    carol = std::make_unique<TestClient>(*broker);
    bob->connects().sends(subscribe("1", "/topic/a").receipt("s"));
    carol->connects().sends(subscribe("1", "/topic/*").receipt("s"));
    bob->expects_nothing();
    carol->expects_nothing();
    broker->drives(store.get());
    broker->settle();
    for (TestClient* const client : {bob.get(), carol.get()}) {
        client->expects(receipt("s"));
        client->expects(message("1", "kept").header("retained", "true"));
    }
}

TEST_P(Retaining, P_QOS_08_ATransactionsAreKeptAtCommit) {
    alice->sends(begin("t"));
    for (const std::string name : {"a", "b", "c"}) {
        alice->sends(send("/topic/" + name, name).header("retain", "set").transaction("t"));
    }
    EXPECT_EQ(found("/topic/#"), Texts{});
    holds();
    alice->sends(commit("t").receipt("c"));
    alice->expects_nothing();
    commits();
    alice->expects(receipt("c"));
    crashes();
    EXPECT_EQ(found("/topic/#"), (Texts{"a", "b", "c"}));
}

TEST_P(Retaining, P_QOS_08_DelayedOnesAreKeptWhenTheyAreDue) {
    alice->sends(send("/topic/a", "plain").header("x-delay", "1000"));
    alice->sends(send("/topic/a", "kept").header("x-delay", "2000").header("retain", "set"));
    alice->sends(send("/topic/a", "late").header("x-delay", "3000").receipt("r"));
    alice->expects(receipt("r"));
    EXPECT_EQ(found("/topic/a"), Texts{});
    restarts();
    broker->advance(std::chrono::seconds(5));
    EXPECT_EQ(found("/topic/a"), Texts{"kept"});
}

TEST_P(Retaining, P_QOS_09_AfterTheReceiptAndBeforeLaterMessages) {
    keeps("/topic/a.b", "kept");
    for (const std::string pattern : {"/topic/a.b", "/topic/a.*", "/topic/#"}) {
        for (const std::string mode : {"auto", "client", "client-individual"}) {
            const auto client = connected_client();
            client->sends(subscribe("1", pattern, mode).receipt("s"));
            alice->sends(send("/topic/a.b", "later"));
            client->expects(receipt("s"));
            client->expects(message("1", "kept").header("retained", "true"));
            client->expects(message("1", "later").without("retained"));
        }
    }
}

TEST_P(Retaining, P_QOS_09_ManyOfThemKeepToTheWindow) {
    for (int i = 0; i < 10; ++i) {
        keeps("/topic/x." + std::to_string(i), std::to_string(i));
    }
    const auto client = connected_client();
    client->sends(subscribe("1", "/topic/x.*", "client").header("prefetch-count", "3"));
    Texts texts;
    alice->sends(send("/topic/x.0", "later"));
    while (!client->received().empty()) {
        ASSERT_LE(client->received().size(), 3U);
        const Received frame = client->take();
        texts.push_back(frame.body);
        client->sends(ack(frame.token()));
    }
    EXPECT_EQ(texts.size(), 11U);
    EXPECT_EQ(texts.back(), "later");
    alice->sends(send("/topic/x.0", "live"));
    client->expects(message("1", "live"));
}

TEST_P(Retaining, P_QOS_09_TheSocketSetsThePaceOfMany) {
    const std::string body(200'000, 'x');
    for (int i = 0; i < 40; ++i) {
        alice->sends(send("/topic/x." + std::to_string(i), body).header("retain", "set"));
    }
    for (const std::string mode : {"auto", "client"}) {
        const auto client = connected_client();
        client->stops_reading();
        client->sends(subscribe("1", "/topic/x.*", mode).header("credit", "0,-1").receipt("s"));
        EXPECT_LE(client->outbox().pending(), settings.limits.outbound_bytes_max);
        alice->sends(send("/topic/x.0", "later"));
        client->reads_all();
        client->expects(receipt("s"));
        EXPECT_EQ(client->received().size(), 41U);
        EXPECT_EQ(client->received().back().body, "later");
        EXPECT_EQ(client->outbox().pending(), mode == "auto" ? 0U : client->outbox().pending());
    }
}

TEST_P(Retaining, P_QOS_09_SelectorsApply) {
    for (const std::string colour : {"red", "blue"}) {
        alice->sends(
            send("/topic/" + colour, colour).header("colour", colour).header("retain", "set")
        );
    }
    bob->sends(subscribe("1", "/topic/*").header("selector", "colour = 'red'"));
    EXPECT_EQ(bodies(*bob), Texts{"red"});
    carol->sends(subscribe("1", "/topic/blue").header("selector", "colour = 'red'"));
    carol->expects_nothing();
    alice->sends(subscribe("1", "/topic/blue").header("no-local", "true"));
    alice->expects(message("1", "blue"));
}

TEST_P(Retaining, P_QOS_09_ExpiryApplies) {
    alice->sends(send("/topic/a", "1").header("retain", "set").header("ttl", "1000"));
    alice->sends(send("/topic/b", "2").header("retain", "set").header("ttl", "1000"));
    EXPECT_EQ(found("/topic/a"), Texts{"1"});
    broker->advance(std::chrono::seconds(2));
    EXPECT_EQ(found("/topic/a"), Texts{});
    EXPECT_EQ(found("/topic/*"), Texts{});
    keeps("/topic/c", "3");
    alice->sends(send("/topic/c", "4").header("retain", "set").header("ttl", "1000"));
    restarts();
    broker->advance(std::chrono::minutes(2));
    EXPECT_EQ(stored_names(), Texts{});
}

TEST_P(Retaining, P_QOS_09_ARepeatedSubscribeGetsNone) {
    keeps("/topic/a", "1");
    bob->sends(subscribe("1", "/topic/a"));
    bob->expects(message("1", "1"));
    bob->sends(subscribe("1", "/topic/a").receipt("same"));
    bob->expects(receipt("same"));
    bob->sends(subscribe("1", "/topic/a", "client").receipt("other"));
    bob->expects(receipt("other"));
    bob->expects_nothing();
    bob->sends(subscribe("2", "/topic/a"));
    bob->expects(message("2", "1"));
}

TEST_P(Retaining, P_QOS_09_ANewDurableSubscriptionGetsThemOnce) {
    keeps("/topic/a", "1");
    keeps("/topic/b", "2");
    for (const std::string pattern : {"/topic/a", "/topic/*"}) {
        for (const bool is_first : {true, false}) {
            const auto client = connected_client();
            client->sends(
                subscribe("1", pattern).header("activemq.subscriptionName", pattern).receipt("s")
            );
            client->expects(receipt("s"));
            Texts texts = bodies(*client);
            std::sort(texts.begin(), texts.end());
            const Texts all = pattern == "/topic/a" ? Texts{"1"} : Texts{"1", "2"};
            EXPECT_EQ(texts, is_first ? all : Texts{});
        }
    }
}

TEST_P(Retaining, P_QOS_08_TemporaryTopicsAndQueuesKeepNone) {
    alice->sends(send("/queue/q", "x").header("retain", "set").receipt("r"));
    alice->expects(receipt("r"));
    alice->sends(send("/temp-topic/t", "x").header("retain", "set"));
    alice->sends(subscribe("1", "/temp-topic/t").receipt("s"));
    alice->expects(receipt("s"));
    alice->expects_nothing();
    EXPECT_EQ(drained("/queue/q"), Texts{"x"});
}

TEST_P(Retaining, P_LIM_01_ThereAreOnlySoManyOfThem) {
    settings.limits.retained_max = 3 * GetParam();
    starts();
    for (unsigned shard = 0; shard < GetParam(); ++shard) {
        for (int i = 0; i < 3; ++i) {
            keeps(topic_at(shard, "t" + std::to_string(i) + "."), std::to_string(i));
        }
    }
    keeps(topic_at(0, "t0."), "again");
    alice->sends(begin("t"));
    alice->sends(send("/topic/one.more", "x").header("retain", "set").transaction("t"));
    alice->sends(commit("t"));
    alice->expects_error("limit-queues");
    bob->sends(send("/topic/one.more", "x").header("retain", "set"));
    bob->expects_error("limit-queues");
    carol->sends(send(topic_at(0, "t0."), "x").header("retain", "remove").receipt("r"));
    carol->expects(receipt("r"));
    carol->sends(send(topic_at(0, "t9."), "x").header("retain", "set").receipt("r"));
    carol->expects(receipt("r"));
}

TEST_P(Retaining, D_FULL_01_NoneIsTakenBelowTheDiskFloor) {
    bob->sends(subscribe("1", "/topic/a"));
    store->set_disk_low(true);
    alice->sends(send("/topic/a", "x").header("retain", "set"));
    alice->expects_error("disk-full");
    bob->expects_nothing();
}

// Any interleaving of shards: each subscriber's last word about each topic is the newest, and
// nothing comes twice.
TEST_P(RetainingInMemory, P_QOS_09_NeitherGapNorDoubling) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        TestBroker random(GetParam(), seed, WorkOrder::random);
        std::mt19937_64 dice(seed);
        TestClient publisher(random);
        TestClient other(random);
        publisher.connects();
        other.connects();
        other.sends(subscribe("0", "/topic/a"));
        std::vector<std::unique_ptr<TestClient>> subscribers;
        int last = 0;
        for (int step = 0; step < 12; ++step) {
            const bool is_publishing = dice() % 2 == 0;
            if (is_publishing) {
                publisher.writes(send("/topic/a", std::to_string(++last))
                                     .header("retain", "set")
                                     .encoded(protocol::Version::v1_2));
            } else {
                auto client = std::make_unique<TestClient>(random);
                client->connects();
                const std::string pattern = dice() % 2 == 0 ? "/topic/a" : "/topic/*";
                client->writes(subscribe("1", pattern).encoded(protocol::Version::v1_2));
                subscribers.push_back(std::move(client));
            }
            for (unsigned work = dice() % 4; work != 0 && random.shards().has_work(); --work) {
                random.shards().run_one();
            }
        }
        random.settle();
        for (const auto& client : subscribers) {
            int before = 0;
            bool is_first = true;
            while (!client->received().empty()) {
                const Received frame = client->take();
                const int number = std::stoi(frame.body);
                EXPECT_EQ(frame.find("retained").has_value() && !is_first, false);
                if (!is_first) { EXPECT_EQ(number, before + 1) << "seed " << seed; }
                is_first = false;
                before = number;
            }
            if (last != 0) { EXPECT_EQ(before, last) << "seed " << seed; }
        }
    }
}

RUN_SCRIPTS_ON_SHARDS(Retaining);
RUN_SCRIPTS_ON_SHARDS(RetainingInMemory);

}  // namespace support
