// Durable subscriptions of topics (P-DUR-01 to -08): who they are, what they keep, how they end.
#include "tests/support/durable_script.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace support {

namespace {

using Client = std::unique_ptr<TestClient>;

/// How a SUBSCRIBE asks for one.
enum class Dialect : std::uint8_t { rabbit, active_mq, artemis, openmq };

constexpr std::array<Dialect, 4> dialects = {
    Dialect::rabbit, Dialect::active_mq, Dialect::artemis, Dialect::openmq};

Outgoing with_name(Outgoing frame, Dialect dialect) {
    switch (dialect) {
        case Dialect::rabbit:
            return frame.header("durable", "true");
        case Dialect::active_mq:
            return frame.header("activemq.subscriptionName", "news");
        case Dialect::artemis:
            return frame.header("durable-subscription-name", "news");
        case Dialect::openmq:
            break;
    }
    return frame.header("durable-subscriber-name", "news");
}

Outgoing durable(std::string topic, Dialect dialect = Dialect::active_mq, std::string id = "1") {
    return with_name(subscribe(std::move(id), std::move(topic)), dialect);
}

class DurableSubscription : public DurableScript {
protected:
    /// A subscription by name on `topic` that nobody is attached to.
    void leaves_one(const std::string& topic, const std::string& client_id = "") {
        const Client client = connected_client(client_id);
        client->sends(durable(topic).receipt("s"));
        client->expects(receipt("s"));
    }

    void publishes(const std::string& topic, const Texts& texts) {
        for (const std::string& text : texts) {
            alice->sends(send(topic, text).receipt(text));
            alice->expects(receipt(text));
        }
    }

    /// What the subscription by name on `topic` has kept; takes it.
    [[nodiscard]] Texts kept(const std::string& topic, const std::string& client_id = "") {
        const Client client = connected_client(client_id);
        client->sends(durable(topic));
        return bodies(*client);
    }
};

}  // namespace

TEST_P(DurableSubscription, P_DUR_01_ThreeSpellings) {
    for (const Dialect dialect : dialects) {
        for (const std::string client_id : {"", "me"}) {
            starts();
            Client client = connected_client(client_id);
            client->sends(durable("/topic/a.b", dialect).receipt("s"));
            client->expects(receipt("s"));
            publishes("/topic/a.b", {"1"});
            client->expects(message("1", "1").header("destination", "/topic/a.b"));
            client.reset();
            publishes("/topic/a.b", {"2", "3"});
            publishes("/topic/a.c", {"other"});
            restarts();
            client = connected_client(client_id);
            client->sends(durable("/topic/a.b", dialect));
            EXPECT_EQ(bodies(*client), (Texts{"2", "3"}));
        }
    }
}

TEST_P(DurableSubscription, P_DUR_01_PersistentMeansDurableToo) {
    const Client client = connected_client();
    client->sends(subscribe("1", "/topic/a").header("persistent", "true"));
    client->drops();
    publishes("/topic/a", {"1"});
    bob->sends(durable("/topic/a", Dialect::rabbit));
    bob->expects(message("1", "1"));
}

TEST_P(DurableSubscription, P_DUR_01_TheFirstSpellingNeedsAnId) {
    const auto client = std::make_unique<TestClient>(*broker);
    client->connects("1.0");
    client->sends(frame(protocol::Command::subscribe)
                      .header("destination", "/topic/a")
                      .header("durable", "true"));
    (void)client->expects_error("missing-header");
    bob->sends(subscribe("1", "/topic/a").header("activemq.subscriptionName", ""));
    (void)bob->expects_error("bad-header");
    carol->sends(subscribe("1", "/topic/a").header("durable", "perhaps"));
    (void)carol->expects_error("bad-header");
}

TEST_P(DurableSubscription, P_DUR_02_TheIdentityHasUserClientAndName) {
    leaves_one("/topic/a");
    leaves_one("/topic/a", "me");
    const Client guest = connected_client("", "guest");
    guest->sends(durable("/topic/a").receipt("s"));
    guest->expects(receipt("s"));
    guest->drops();
    const Client other = connected_client();
    other->sends(subscribe("1", "/topic/a").header("activemq.subscriptionName", "weather"));
    other->drops();
    const Client by_id = connected_client();
    by_id->sends(durable("/topic/a", Dialect::rabbit, "news"));
    by_id->drops();
    EXPECT_EQ(stored_names().size(), 5U);
    publishes("/topic/a", {"x"});
    // Each has its own copy.
    EXPECT_EQ(kept("/topic/a"), Texts{"x"});
    EXPECT_EQ(kept("/topic/a"), Texts{});
    EXPECT_EQ(kept("/topic/a", "me"), Texts{"x"});
    const Client again = connected_client("", "guest");
    again->sends(durable("/topic/a"));
    again->expects(message("1", "x"));
}

TEST_P(DurableSubscription, P_DUR_02_DestinationAndIdAreTheNameOfTheFirstSpelling) {
    for (const std::string topic : {"/topic/a", "/topic/b"}) {
        for (const std::string id : {"1", "2"}) {
            const Client client = connected_client();
            client->sends(durable(topic, Dialect::rabbit, id));
        }
    }
    EXPECT_EQ(stored_names().size(), 4U);
    publishes("/topic/a", {"a"});
    bob->sends(durable("/topic/b", Dialect::rabbit, "1"));
    bob->expects_nothing();
    carol->sends(durable("/topic/a", Dialect::rabbit, "1"));
    carol->expects(message("1", "a"));
}

TEST_P(DurableSubscription, P_DUR_03_WhatWasKeptComesFirstAndInOrder) {
    const std::string topic = topic_at(1);
    leaves_one(topic);
    publishes(topic, {"1", "2", "3"});
    carol->sends(durable(topic).receipt("s"));
    carol->expects(receipt("s"));
    publishes(topic, {"4", "5"});
    EXPECT_EQ(bodies(*carol), (Texts{"1", "2", "3", "4", "5"}));
}

TEST_P(DurableSubscription, P_DUR_03_ItGetsEachMessageOnceHoweverItMatches) {
    bob->sends(durable("/topic/#").receipt("s"));
    bob->expects(receipt("s"));
    publishes("/topic/a.b.c", {"1"});
    publishes("/topic/a", {"2"});
    EXPECT_EQ(bodies(*bob), (Texts{"1", "2"}));
}

TEST_P(DurableSubscription, P_DUR_03_RestartsRestoreBindings) {
    const Texts patterns = {"/topic/a.*", "/topic/#", "/topic/a.b", "/topic/x.y", "/foo/**"};
    for (const std::string& pattern : patterns) {
        const Client client = connected_client();
        client->sends(
            subscribe("1", pattern).header("activemq.subscriptionName", pattern).receipt("s")
        );
        client->expects(receipt("s"));
    }
    crashes();
    restarts();
    publishes("/topic/a.b", {"1"});
    publishes("/topic/a.c", {"2"});
    publishes("/foo/x/y", {"3"});
    const std::vector<Texts> expected = {{"1", "2"}, {"1", "2"}, {"1"}, {}, {"3"}};
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        const Client client = connected_client();
        client->sends(subscribe("1", patterns[i]).header("activemq.subscriptionName", patterns[i]));
        EXPECT_EQ(bodies(*client), expected[i]) << patterns[i];
    }
}

TEST_P(DurableSubscription, P_DUR_03_UnusedTopicsAreNotForgotten) {
    settings.limits.idle_topics_max = 4;
    starts();
    leaves_one("/topic/quiet");
    for (int i = 0; i < 50; ++i) {
        alice->sends(send("/topic/busy" + std::to_string(i), "x"));
    }
    publishes("/topic/quiet", {"1"});
    EXPECT_EQ(kept("/topic/quiet"), Texts{"1"});
}

TEST_P(DurableSubscription, P_DUR_03_WhatIsNotPersistentIsKeptInMemory) {
    leaves_one("/topic/a");
    publishes("/topic/a", {"1"});
    alice->sends(send("/topic/a", "2").header("persistent", "false"));
    publishes("/topic/a", {"3"});
    EXPECT_EQ(kept("/topic/a"), (Texts{"1", "2", "3"}));
    publishes("/topic/a", {"4"});
    alice->sends(send("/topic/a", "5").header("persistent", "false"));
    restarts();
    EXPECT_EQ(kept("/topic/a"), Texts{"4"});
}

TEST_P(DurableSubscription, P_DUR_03_OthersGetTheirCopiesAtOnce) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        const std::string topic = topic_at(shard);
        leaves_one(topic);
        bob->sends(subscribe(topic, topic));
        holds();
        alice->sends(send(topic, "x"));
        bob->expects(message(topic, "x"));
        commits();
        broker->drives(store.get());
    }
}

TEST_P(DurableSubscription, P_RCPT_02_ASendIsConfirmedOnceAllCopiesAreStored) {
    const Texts names = {"a", "b", "c", "d", "e"};
    for (const std::string& name : names) {
        const Client client = connected_client();
        client->sends(subscribe("1", "/topic/a").header("activemq.subscriptionName", name));
    }
    for (unsigned last = 0; last < shards(); ++last) {
        holds();
        alice->sends(send("/topic/a", "x").receipt("r"));
        bool is_last_needed = false;
        for (unsigned shard = 0; shard < shards(); ++shard) {
            is_last_needed = is_last_needed || (shard == last && store->waiting(shard) != 0);
            while (shard != last && store->waiting(shard) != 0) {
                commits_one(shard);
            }
        }
        if (is_last_needed) { alice->expects_nothing(); }
        commits();
        alice->expects(receipt("r"));
        crashes();
    }
    for (const std::string& name : names) {
        const Client client = connected_client();
        client->sends(subscribe("1", "/topic/a").header("activemq.subscriptionName", name));
        EXPECT_EQ(bodies(*client).size(), shards()) << name;
    }
}

TEST_P(DurableSubscription, P_RCPT_03_ASubscribeIsConfirmedOnceItIsStored) {
    holds();
    bob->sends(durable("/topic/a").receipt("s"));
    bob->expects_nothing();
    crashes();
    publishes("/topic/a", {"1"});
    EXPECT_EQ(kept("/topic/a"), Texts{});
    crashes();
    holds();
    bob->sends(durable("/topic/b").receipt("s"));
    commits();
    bob->expects(receipt("s"));
    crashes();
    publishes("/topic/b", {"1"});
    // By that name it listened to another topic.
    EXPECT_EQ(kept("/topic/b"), Texts{"1"});
}

TEST_P(DurableSubscription, P_SUB_04_NothingComesBeforeTheReceipt) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        starts();
        const std::string topic = topic_at(shard);
        leaves_one(topic);
        publishes(topic, {"1"});
        holds();
        alice->sends(send(topic, "2"));
        carol->sends(durable(topic).receipt("s"));
        carol->expects_nothing();
        alice->sends(send(topic, "3"));
        for (unsigned other = 0; other < shards(); ++other) {
            commits_one(other);
        }
        commits();
        carol->expects(receipt("s"));
        EXPECT_EQ(bodies(*carol), (Texts{"1", "2", "3"}));
    }
}

TEST_P(DurableSubscription, P_SUB_04_ANewOneGetsNothingBeforeItsReceipt) {
    for (const std::string pattern : {"/topic/a", "/topic/*"}) {
        starts();
        holds();
        bob->sends(durable(pattern).receipt("s"));
        for (const std::string topic : {"/topic/a", "/topic/b", "/topic/c"}) {
            alice->sends(send(topic, "x"));
        }
        bob->expects_nothing();
        commits();
        bob->expects(receipt("s"));
    }
}

TEST_P(DurableSubscription, P_RCPT_05_DisconnectWaitsForAllCopies) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        starts();
        const std::string topic = topic_at(shard);
        for (const std::string name : {"a", "b", "c", "d"}) {
            const Client client = connected_client();
            client->sends(subscribe("1", topic).header("activemq.subscriptionName", name));
        }
        holds();
        alice->sends(send(topic, "x")).sends(disconnect().receipt("bye"));
        for (unsigned other = 0; other < shards(); ++other) {
            if (store->waiting(other) == 0) { continue; }
            alice->expects_nothing();
            (void)store->commit(other, 100);
            broker->settle();
        }
        commits();
        alice->expects(receipt("bye"));
        crashes();
        for (const std::string name : {"a", "b", "c", "d"}) {
            const Client client = connected_client();
            client->sends(subscribe("1", topic).header("activemq.subscriptionName", name));
            EXPECT_EQ(bodies(*client), Texts{"x"});
        }
    }
}

TEST_P(DurableSubscription, D_CONTRACT_6_AcknowledgementsAndMarksLastLikeAQueues) {
    leaves_one("/topic/a", "me");
    publishes("/topic/a", {"1", "2", "3"});
    const Client client = connected_client("me");
    client->sends(subscribe("1", "/topic/a", "client-individual")
                      .header("activemq.subscriptionName", "news")
                      .header("prefetch-count", "2"));
    client->sends(ack(client->expects(message("1", "1")).token()).receipt("a"));
    client->expects(message("1", "2"));
    client->expects(message("1", "3"));
    client->expects(receipt("a"));
    crashes();
    EXPECT_EQ(kept("/topic/a", "me"), (Texts{"2*", "3*"}));
    crashes();
    EXPECT_EQ(kept("/topic/a", "me"), Texts{});
}

TEST_P(DurableSubscription, P_DUR_04_UnsubscribeWithTheSameHeaderDeletes) {
    for (const Dialect dialect : dialects) {
        starts();
        Client client = connected_client();
        client->sends(durable("/topic/a", dialect));
        publishes("/topic/a", {"1"});
        client->expects(message("1", "1"));
        client->sends(with_name(unsubscribe("1"), dialect).receipt("u"));
        client->expects(receipt("u"));
        publishes("/topic/a", {"2"});
        client->expects_nothing();
        EXPECT_EQ(stored_names(), Texts{});
        client->sends(durable("/topic/a", dialect, "2").receipt("s"));
        client->expects(receipt("s"));
        client->expects_nothing();
        publishes("/topic/a", {"3"});
        client->expects(message("2", "3"));
        crashes();
        EXPECT_EQ(stored_names().size(), 1U);
    }
}

TEST_P(DurableSubscription, P_DUR_04_ByNameAlsoWithoutBeingAttached) {
    for (const Dialect dialect : {Dialect::active_mq, Dialect::artemis, Dialect::openmq}) {
        leaves_one("/topic/a", "me");
        publishes("/topic/a", {"1"});
        const Client other = connected_client("other");
        other->sends(with_name(unsubscribe("7"), dialect).receipt("u"));
        other->expects(receipt("u"));
        EXPECT_EQ(stored_names().size(), 1U);
        const Client client = connected_client("me");
        client->sends(with_name(unsubscribe("7"), dialect).receipt("u"));
        client->expects(receipt("u"));
        EXPECT_EQ(stored_names(), Texts{});
    }
}

TEST_P(DurableSubscription, P_DUR_04_TheReceiptOfADeletionMeansStored) {
    leaves_one("/topic/a");
    publishes("/topic/a", {"1"});
    holds();
    bob->sends(with_name(unsubscribe("1"), Dialect::active_mq).receipt("u"));
    bob->expects_nothing();
    commits();
    bob->expects(receipt("u"));
    crashes();
    EXPECT_EQ(stored_names(), Texts{});
}

TEST_P(DurableSubscription, P_DUR_04_PlainUnsubscribeDetaches) {
    bob->sends(durable("/topic/a"));
    bob->sends(unsubscribe("1").receipt("u"));
    bob->expects(receipt("u"));
    publishes("/topic/a", {"1"});
    bob->expects_nothing();
    bob->sends(durable("/topic/a", Dialect::active_mq, "2"));
    bob->expects(message("2", "1"));
    bob->sends(disconnect().receipt("d"));
    bob->expects(receipt("d"));
    publishes("/topic/a", {"2"});
    EXPECT_EQ(kept("/topic/a"), Texts{"2"});
}

TEST_P(DurableSubscription, P_DUR_04_ADeletionRefusesOthersThatAreAttached) {
    bob->sends(durable("/topic/a"));
    carol->sends(durable("/topic/a", Dialect::active_mq, "c"));
    alice->sends(with_name(unsubscribe("1"), Dialect::active_mq).receipt("u"));
    alice->expects(receipt("u"));
    EXPECT_EQ(bob->expects_error("revoked").value("subscription"), "1");
    EXPECT_EQ(carol->expects_error("revoked").value("subscription"), "c");
    EXPECT_EQ(stored_names(), Texts{});
}

TEST_P(DurableSubscription, P_DUR_04_WhatIsOutstandingCanStillBeSettledAfterADeletion) {
    publishes("/topic/a", {});
    bob->sends(subscribe("1", "/topic/a", "client-individual").header("durable", "true"));
    publishes("/topic/a", {"1", "2", "3"});
    const std::string first = bob->expects(message("1", "1")).token();
    const std::string second = bob->expects(message("1", "2")).token();
    bob->expects(message("1", "3"));
    bob->sends(unsubscribe("1").header("durable", "true").receipt("u"));
    bob->expects(receipt("u"));
    bob->sends(ack(first).receipt("a"));
    bob->expects(receipt("a"));
    bob->sends(nack(second).receipt("n"));
    bob->expects(receipt("n"));
    bob->sends(disconnect().receipt("d"));
    bob->expects(receipt("d"));
    broker->advance(std::chrono::minutes(5));
    EXPECT_EQ(stored_names(), Texts{});
    EXPECT_EQ(broker->counters().messages_discarded, 0U);
}

TEST_P(DurableSubscription, P_DUR_05_AnotherDestinationReplacesTheDefinition) {
    leaves_one("/topic/a", "me");
    publishes("/topic/a", {"old"});
    leaves_one("/topic/b", "me");
    publishes("/topic/a", {"no more"});
    publishes("/topic/b", {"new"});
    EXPECT_EQ(stored_names().size(), 1U);
    crashes();
    publishes("/topic/a", {"no more"});
    EXPECT_EQ(kept("/topic/b", "me"), Texts{"new"});
}

TEST_P(DurableSubscription, P_DUR_05_WhoIsAttachedToTheOldDefinitionIsRefused) {
    const Client first = connected_client("me");
    first->sends(durable("/topic/a"));
    const Client second = connected_client("me");
    second->sends(durable("/topic/b").receipt("s"));
    second->expects(receipt("s"));
    EXPECT_EQ(first->expects_error("replaced").value("subscription"), "1");
    bob->sends(durable("/topic/a").receipt("s"));
    bob->expects(receipt("s"));
    carol->sends(durable("/topic/b").receipt("s"));
    carol->expects(receipt("s"));
    EXPECT_EQ(bob->expects_error("revoked").value("subscription"), "1");
    publishes("/topic/b", {"1"});
    second->expects(message("1", "1"));
    carol->expects(message("1", "1"));
}

TEST_P(DurableSubscription, P_DUR_06_TheNewerConnectionTakesOver) {
    const Client first = connected_client("me");
    first->sends(subscribe("old", "/topic/a", "client-individual")
                     .header("activemq.subscriptionName", "news")
                     .header("prefetch-count", "1"));
    publishes("/topic/a", {"1", "2"});
    first->expects(message("old", "1"));
    const Client second = connected_client("me");
    second->sends(durable("/topic/a").receipt("s"));
    EXPECT_EQ(first->expects_error("replaced").value("subscription"), "old");
    second->expects(receipt("s"));
    Texts got = bodies(*second);
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, (Texts{"1*", "2"}));
    publishes("/topic/a", {"3"});
    second->expects(message("1", "3"));
    const Client third = connected_client("me");
    third->sends(durable("/topic/a").receipt("s"));
    third->expects(receipt("s"));
    (void)second->expects_error("replaced");
}

TEST_P(DurableSubscription, P_DUR_06_ATakeOverOnTheShardOfTheSubscriptionItself) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        std::vector<Client> clients;
        TestClient::Options options;
        options.shard = shard;
        for (int i = 0; i < 4; ++i) {
            clients.push_back(std::make_unique<TestClient>(*broker, options));
            clients.back()->sends(connect().header("client-id", "me"));
            clients.back()->expects(connected("1.2"));
            clients.back()->sends(durable("/topic/a").receipt("s"));
            clients.back()->expects(receipt("s"));
            if (i > 0) { (void)clients[clients.size() - 2]->expects_error("replaced"); }
        }
    }
}

TEST_P(DurableSubscription, P_DUR_06_WithoutClientIdTheyCompete) {
    bob->sends(durable("/topic/a").receipt("s"));
    bob->expects(receipt("s"));
    carol->sends(durable("/topic/a").receipt("s"));
    carol->expects(receipt("s"));
    publishes("/topic/a", {"1", "2", "3", "4"});
    const Texts at_bob = bodies(*bob);
    const Texts at_carol = bodies(*carol);
    EXPECT_EQ(at_bob.size() + at_carol.size(), 4U);
    EXPECT_EQ(at_bob.size(), 2U);
}

TEST_P(DurableSubscription, P_DUR_06_SeveralAttachAtTheSameTime) {
    holds();
    std::vector<Client> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(connected_client());
        clients.back()->sends(durable("/topic/a").receipt("s"));
    }
    commits();
    for (const Client& client : clients) {
        client->expects(receipt("s"));
    }
    broker->drives(store.get());
    publishes("/topic/a", {"1", "2", "3"});
    for (const Client& client : clients) {
        EXPECT_EQ(bodies(*client).size(), 1U);
    }
}

// Whatever shard works first: who has the RECEIPT gets what is sent after it.
TEST_P(DurableSubscription, P_SUB_04_TheSecondToAttachWaitsForTheBindingToo) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        storage::MemoryStore disk;
        engine::RouterSettings on_disk;
        on_disk.store = &disk;
        TestBroker any(shards(), seed, WorkOrder::random, on_disk);
        TestClient first(any);
        TestClient second(any);
        TestClient publisher(any);
        for (TestClient* const client : {&first, &second, &publisher}) {
            client->connects();
        }
        Outgoing attaches = subscribe("1", "/topic/*");
        attaches.header("activemq.subscriptionName", std::to_string(seed));
        first.writes(attaches.encoded(protocol::Version::v1_2));
        second.writes(attaches.receipt("s").encoded(protocol::Version::v1_2));
        while (second.received().empty()) {
            if (any.shards().has_work()) { any.shards().run_one(); }
            for (unsigned shard = 0; shard < shards(); ++shard) {
                any.end_turn(shard);
            }
            disk.commit_all();
        }
        // The publisher is where the topic lives: it does not have to ask.
        const std::string topic = topic_at(publisher.shard());
        publisher.writes(send(topic, "x").encoded(protocol::Version::v1_2));
        any.drives(&disk);
        any.settle();
        second.expects(receipt("s"));
        EXPECT_EQ(bodies(first).size() + bodies(second).size(), 1U) << seed;
    }
}

TEST_P(DurableSubscription, P_DUR_06_WhoLeavesWhileItIsAttachedIsNotServed) {
    holds();
    Client client = connected_client();
    client->sends(durable("/topic/a").receipt("s"));
    alice->sends(send("/topic/a", "1"));
    client->drops();
    client.reset();
    commits();
    broker->drives(store.get());
    publishes("/topic/a", {"2"});
    EXPECT_EQ(kept("/topic/a"), (Texts{"1", "2"}));
}

TEST_P(DurableSubscription, P_SUB_02_AnotherWishUnderTheSameIdTakesItsPlace) {
    bob->sends(durable("/topic/a"));
    publishes("/topic/a", {"1"});
    bob->expects(message("1", "1"));
    Outgoing again = with_name(subscribe("1", "/topic/a", "client"), Dialect::active_mq);
    bob->sends(again.receipt("s"));
    bob->expects(receipt("s"));
    publishes("/topic/a", {"2"});
    EXPECT_FALSE(bob->expects(message("1", "2")).token().empty());
}

TEST_P(DurableSubscription, D_FULL_01_ALowDiskRefusesBeforeAnyoneGotTheMessage) {
    const Texts topics = {topic_at(0), topic_at(1), topic_at(2)};
    for (const std::string& topic : topics) {
        const Client client = connected_client();
        client->sends(
            subscribe("1", "/topic/*").header("activemq.subscriptionName", "all").receipt("s")
        );
        client->expects(receipt("s"));
        bob->sends(subscribe(topic, topic).receipt("s"));
        bob->expects(receipt("s"));
        if (shards() < 3) { break; }
    }
    store->set_disk_low(true);
    for (const std::string& topic : topics) {
        const Client client = connected_client();
        client->sends(send(topic, "x").receipt("r"));
        (void)client->expects_error("disk-full");
        const Client other = connected_client();
        other->sends(begin("t")).sends(send(topic, "x").transaction("t"));
        other->sends(commit("t").receipt("c"));
        (void)other->expects_error("disk-full");
    }
    bob->expects_nothing();
    // What is not stored goes on.
    alice->sends(send(topics[0], "x").header("persistent", "false").receipt("r"));
    alice->expects(receipt("r"));
    bob->expects(message(topics[0], "x"));
    carol->sends(durable("/topic/new").receipt("s"));
    (void)carol->expects_error("disk-full");
}

TEST_P(DurableSubscription, D_FULL_01_WhatTheTopicsHomeHasTakenIsNotLostWhenTheDiskRunsLow) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        starts();
        const std::string topic = topic_at(shard);
        leaves_one(topic);
        holds();
        // Nothing but the SEND is worked on before the disk runs low.
        TestClient::Options options;
        options.shard = shard;
        TestClient client(*broker, options);
        client.connects();
        client.writes(send(topic, "x").receipt("r").encoded(protocol::Version::v1_2));
        store->set_disk_low(true);
        broker->settle();
        commits();
        client.expects(receipt("r"));
        store->set_disk_low(false);
        crashes();
        EXPECT_EQ(kept(topic), Texts{"x"});
    }
}

TEST_P(DurableSubscription, D_FS_01_AFailureRefusesWhoWaits) {
    leaves_one("/topic/a");
    holds();
    alice->sends(send("/topic/a", "1").receipt("r"));
    bob->sends(durable("/topic/new", Dialect::rabbit).receipt("s"));
    store->fail("broken");
    broker->settle();
    EXPECT_EQ(alice->expects_error("storage-failed").value("receipt-id"), "r");
    EXPECT_EQ(bob->expects_error("storage-failed").value("receipt-id"), "s");
    carol->sends(send("/topic/a", "1").receipt("r"));
    (void)carol->expects_error("storage-failed");
}

TEST_P(DurableSubscription, P_LIM_01_DurableSubscriptionsOfAUserAreLimited) {
    settings.limits.durable_subscriptions_max = shards();
    starts();
    bool is_refused = false;
    for (unsigned i = 0; i <= shards() && !is_refused; ++i) {
        const Client client = connected_client();
        const std::string name = std::to_string(i);
        client->sends(subscribe("1", "/topic/a").header("activemq.subscriptionName", name));
        is_refused = !client->received().empty();
        if (is_refused) { (void)client->expects_error("limit-queues"); }
    }
    EXPECT_TRUE(is_refused);
    const Client guest = connected_client("", "guest");
    guest->sends(durable("/topic/a").receipt("s"));
    guest->expects(receipt("s"));
}

TEST_P(DurableSubscription, P_ACK_11_DeadLettersAreNamedAfterTheTopic) {
    bob->sends(subscribe("1", "/topic/a.b", "client-individual").header("durable", "true"));
    publishes("/topic/a.b", {"1"});
    bob->sends(nack(bob->expects(message("1", "1")).token()).header("requeue", "false"));
    crashes();
    carol->sends(subscribe("1", "/queue/DLQ.a.b"));
    carol->expects(message("1", "1")
                       .header("destination", "/topic/a.b")
                       .header("x-death-queue", "/topic/a.b")
                       .header("x-death-reason", "rejected"));
}

TEST_P(DurableSubscription, P_DUR_03_WithoutStoreItIsKeptInMemory) {
    TestBroker plain(GetParam());
    TestClient subscriber(plain);
    subscriber.connects();
    subscriber.sends(durable("/topic/a").receipt("s"));
    subscriber.expects(receipt("s"));
    subscriber.drops();
    TestClient publisher(plain);
    publisher.connects();
    publisher.sends(send("/topic/a", "1").receipt("r"));
    publisher.expects(receipt("r"));
    TestClient again(plain);
    again.connects();
    again.sends(durable("/topic/a"));
    again.expects(message("1", "1"));
}

RUN_SCRIPTS_ON_SHARDS(DurableSubscription);

}  // namespace support
