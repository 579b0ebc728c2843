// Histories and replays of topics (P-QOS-10 to -13): numbers, bounds, where a replay begins, and
// one stream without gap or doubling.
#include "tests/support/durable_script.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>

namespace support {

namespace {

using Client = std::unique_ptr<TestClient>;

class Replaying : public DurableScript {
protected:
    Replaying() { keeps({1000, 0, {}}); }

    /// Topics under `/topic/h.` keep that; a new broker.
    void keeps(const engine::HistoryPolicy& history, bool is_durable = true) {
        engine::Policy policy;
        policy.match = "/topic/h.#";
        policy.durable = is_durable;
        policy.history = history;
        settings.policies = {policy};
        starts();
    }

    void publishes(int from, int to, const std::string& topic = "/topic/h.a") {
        for (int i = from; i <= to; ++i) {
            const std::string text = std::to_string(i);
            alice->sends(send(topic, text).receipt(text));
            alice->expects(receipt(text));
        }
    }

    static Outgoing replay(const std::string& from, const std::string& mode = "auto") {
        return subscribe("1", "/topic/h.a", mode).header("x-stream-offset", from).receipt("s");
    }

    /// What a new subscription gets; each number must be that of its message.
    Texts replayed(const std::string& from, const std::string& mode = "auto") {
        const Client client = connected_client();
        client->sends(replay(from, mode));
        client->expects(receipt("s"));
        return offsets(*client);
    }

    static Texts offsets(TestClient& client) {
        Texts texts;
        while (!client.received().empty()) {
            const Received frame = client.take();
            EXPECT_EQ(frame.command, protocol::Command::message) << frame.describe();
            texts.push_back(frame.value("x-stream-offset"));
            if (!frame.token().empty()) { client.sends(ack(frame.token())); }
        }
        return texts;
    }

    static Texts range(int from, int to) {
        Texts texts;
        for (int i = from; i <= to; ++i) {
            texts.push_back(std::to_string(i));
        }
        return texts;
    }
};

class ReplayingInAnyOrder : public ::testing::TestWithParam<unsigned> {};

}  // namespace

TEST_P(Replaying, P_QOS_10_MessagesAreNumberedFromOneWithoutHoles) {
    bob->sends(subscribe("1", "/topic/h.a"));
    carol->sends(subscribe("1", "/topic/h.*", "client-individual"));
    for (int i = 1; i <= 3; ++i) {
        alice->sends(send("/topic/h.a", "x")
                         .header("x-stream-offset", "77")
                         .header("persistent", i == 2 ? "false" : "true")
                         .header("k", "v"));
        for (TestClient* const client : {bob.get(), carol.get()}) {
            client->expects(
                message("1", "x").header("x-stream-offset", std::to_string(i)).header("k", "v")
            );
        }
    }
    alice->sends(send("/topic/h.b", "x"));
    carol->expects(message("1", "x").header("x-stream-offset", "1"));
    alice->sends(send("/topic/other", "x"));
    bob->sends(subscribe("2", "/topic/other"));
    alice->sends(send("/topic/other", "x"));
    bob->expects(message("2", "x").without("x-stream-offset"));
}

TEST_P(Replaying, P_QOS_10_NumbersGoOnAfterARestart) {
    publishes(1, 3);
    restarts();
    publishes(4, 5);
    crashes();
    publishes(6, 6);
    EXPECT_EQ(replayed("first"), range(1, 6));
}

TEST_P(Replaying, P_QOS_10_OneThatIsNotDurableBeginsAnew) {
    keeps({1000, 0, {}}, false);
    publishes(1, 3);
    EXPECT_EQ(replayed("first"), range(1, 3));
    EXPECT_EQ(stored_names(), Texts{});
    restarts();
    EXPECT_EQ(replayed("first"), Texts{});
    publishes(1, 1);
    EXPECT_EQ(replayed("first"), range(1, 1));
}

TEST_P(Replaying, P_QOS_10_ItIsBoundedByMessages) {
    for (const bool is_durable : {true, false}) {
        keeps({3, 0, {}}, is_durable);
        publishes(1, 10);
        EXPECT_EQ(replayed("first"), range(8, 10));
        if (!is_durable) { continue; }
        restarts();
        EXPECT_EQ(replayed("first"), range(8, 10));
        publishes(11, 12);
        EXPECT_EQ(replayed("first"), range(10, 12));
    }
}

TEST_P(Replaying, P_QOS_10_ItIsBoundedByOctets) {
    for (const bool is_durable : {true, false}) {
        keeps({0, 5000, {}}, is_durable);
        for (int i = 0; i < 20; ++i) {
            alice->sends(send("/topic/h.a", std::string(1000, 'x')));
        }
        EXPECT_EQ(replayed("first"), range(17, 20));
        alice->sends(send("/topic/h.a", std::string(10'000, 'x')));
        EXPECT_EQ(replayed("first"), range(21, 21));
    }
}

TEST_P(Replaying, P_QOS_10_ItIsBoundedByAge) {
    for (const bool is_durable : {true, false}) {
        keeps({0, 0, std::chrono::minutes(1)}, is_durable);
        publishes(1, 2);
        broker->advance(std::chrono::seconds(40));
        publishes(3, 4);
        broker->advance(std::chrono::seconds(30));
        EXPECT_EQ(replayed("first"), range(3, 4));
        broker->advance(std::chrono::seconds(40));
        EXPECT_EQ(replayed("first"), Texts{});
        publishes(5, 5);
        EXPECT_EQ(replayed("first"), range(5, 5));
    }
}

TEST_P(Replaying, P_QOS_10_AgeCountsOverARestart) {
    keeps({0, 0, std::chrono::minutes(1)});
    publishes(1, 3);
    restarts();
    EXPECT_EQ(replayed("first"), range(1, 3));
    // The test's clock begins anew with the broker.
    broker->advance(std::chrono::minutes(3));
    EXPECT_EQ(replayed("first"), Texts{});
    publishes(4, 4);
    EXPECT_EQ(replayed("first"), range(4, 4));
}

TEST_P(Replaying, P_QOS_10_WithoutStoreTheLimitsOfQueuesBoundIt) {
    settings.limits.queue_messages_max = 4;
    keeps({0, 0, std::chrono::hours(1)}, false);
    publishes(1, 10);
    EXPECT_EQ(replayed("first"), range(7, 10));
}

TEST_P(Replaying, P_QOS_11_WhereItBegins) {
    for (const bool is_durable : {true, false}) {
        keeps({5, 0, {}}, is_durable);
        publishes(1, 8);
        for (const std::string mode : {"auto", "client", "client-individual"}) {
            EXPECT_EQ(replayed("first", mode), range(4, 8));
            EXPECT_EQ(replayed("last", mode), range(8, 8));
            EXPECT_EQ(replayed("next", mode), Texts{});
            EXPECT_EQ(replayed("offset=6", mode), range(6, 8));
            EXPECT_EQ(replayed("offset:6", mode), range(6, 8));
            EXPECT_EQ(replayed("offset=2", mode), range(4, 8));
            EXPECT_EQ(replayed("offset=8", mode), range(8, 8));
            EXPECT_EQ(replayed("offset=99", mode), Texts{});
        }
    }
}

TEST_P(Replaying, P_QOS_11_OtherDialects) {
    publishes(1, 3);
    const auto gets = [&](const std::string& name, const std::string& value) {
        const Client client = connected_client();
        client->sends(subscribe("1", "/topic/h.a").header(name, value));
        return offsets(*client);
    };
    EXPECT_EQ(gets("from-seq", "2"), range(2, 3));
    EXPECT_EQ(gets("from-seq", "0"), range(1, 3));
    EXPECT_EQ(gets("from-seq", "-1"), Texts{});
    EXPECT_EQ(gets("activemq.retroactive", "true"), range(1, 3));
    EXPECT_EQ(gets("activemq.retroactive", "false"), Texts{});
    EXPECT_EQ(gets("k", "v"), Texts{});
}

TEST_P(Replaying, P_QOS_11_ATimeIsInSecondsOrMilliseconds) {
    settings.limits.queue_memory_bytes = 600;
    for (const bool is_durable : {true, false}) {
        keeps({1000, 0, {}}, is_durable);
        std::vector<std::uint64_t> times;
        for (int i = 1; i <= 12; ++i) {
            times.push_back(broker->shards()[0].wall_clock_ms());
            publishes(i, i);
            broker->advance(std::chrono::seconds(10));
        }
        const auto at = [](std::uint64_t time) { return "timestamp=" + std::to_string(time); };
        for (int round = 0; round < (is_durable ? 2 : 1); ++round) {
            for (int i = 1; i <= 12; ++i) {
                const std::uint64_t time = times[static_cast<std::size_t>(i) - 1];
                EXPECT_EQ(replayed(at(time)), range(i, 12));
                EXPECT_EQ(replayed(at(time + 1)), range(i + 1, 12));
            }
            EXPECT_EQ(replayed("timestamp=1"), range(1, 12));
            EXPECT_EQ(replayed(at(times[0] / 1000 + 1)), range(2, 12));
            EXPECT_EQ(replayed(at(times.back() + 1'000'000)), Texts{});
            if (is_durable) { restarts(); }
        }
    }
}

TEST_P(Replaying, P_QOS_11_TheNumberInAHeaderOfTheClientsChoice) {
    alice->sends(send("/topic/h.a", "1").header("expires", "9999999999999").header("é", "x"));
    alice->sends(send("/topic/h.a", "2").header("seq", "mine").header("k", "v"));
    bob->sends(subscribe("1", "/topic/h.a").header("include-seq", "seq").header("from-seq", "0"));
    carol->sends(subscribe("1", "/topic/h.*").header("include-seq", "seq"));
    alice->sends(send("/topic/h.a", "3"));
    alice->sends(send("/topic/h.a", ""));
    bob->expects(message("1", "1").header("seq", "1").header("é", "x"));
    bob->expects(
        message("1", "2").header("seq", "2").header("k", "v").header("x-stream-offset", "2")
    );
    bob->expects(message("1", "3").header("seq", "3"));
    bob->expects(message("1", "").header("seq", "4"));
    carol->expects(message("1", "3").header("seq", "3"));
    for (const std::string name : {"destination", "x-stream-offset", "a:b", ""}) {
        const Client client = connected_client();
        client->sends(subscribe("1", "/topic/h.a").header("include-seq", name));
        client->expects_error("bad-header");
    }
}

TEST_P(Replaying, P_QOS_12_ReplayedAndLiveMessagesAreOneStream) {
    publishes(1, 5);
    for (const std::string mode : {"auto", "client", "client-individual"}) {
        const Client client = connected_client();
        client->sends(replay("offset=3", mode));
        publishes(6, 8);
        client->expects(receipt("s"));
        EXPECT_EQ(offsets(*client), range(3, std::stoi(replayed("last")[0])));
        publishes(9, 9);
        EXPECT_EQ(offsets(*client).size(), 1U);
    }
}

TEST_P(Replaying, P_QOS_12_MoreThanMemoryHolds) {
    settings.limits.queue_memory_bytes = 5000;
    keeps({100'000, 0, {}});
    bob->sends(subscribe("1", "/topic/h.a"));
    const std::string body(300, 'x');
    for (int i = 0; i < 3000; ++i) {
        alice->sends(send("/topic/h.a", body));
    }
    EXPECT_EQ(offsets(*bob), range(1, 3000));
    EXPECT_EQ(replayed("first"), range(1, 3000));
    restarts();
    publishes(3001, 3003);
    EXPECT_EQ(replayed("offset=2990"), range(2990, 3003));
    EXPECT_EQ(replayed("first", "client"), range(1, 3003));
}

TEST_P(Replaying, P_QOS_12_TheWindowAndTheSocketSetThePace) {
    const std::string body(50'000, 'x');
    for (int i = 0; i < 200; ++i) {
        alice->sends(send("/topic/h.a", body));
    }
    const Client slow = connected_client();
    slow->stops_reading();
    slow->sends(replay("first"));
    EXPECT_LE(slow->outbox().pending(), settings.limits.outbound_bytes_max);
    publishes(201, 205);
    slow->reads_all();
    slow->expects(receipt("s"));
    EXPECT_EQ(offsets(*slow), range(1, 205));
    const Client careful = connected_client();
    careful->sends(replay("first", "client-individual").header("prefetch-count", "2"));
    careful->expects(receipt("s"));
    EXPECT_EQ(careful->received().size(), 2U);
    publishes(206, 210);
    EXPECT_EQ(offsets(*careful), range(1, 210));
}

TEST_P(Replaying, P_QOS_12_WhatIsTrimmedMeanwhileIsAGap) {
    for (const bool is_durable : {true, false}) {
        keeps({20, 0, {}}, is_durable);
        publishes(1, 20);
        const Client client = connected_client();
        client->sends(replay("first", "client-individual").header("prefetch-count", "2"));
        client->expects(receipt("s"));
        // Part of it is on its way to the client already.
        publishes(21, 300);
        Texts got = offsets(*client);
        ASSERT_GE(got.size(), 20U);
        EXPECT_EQ(got.front(), "1");
        const Texts end(got.end() - 20, got.end());
        EXPECT_EQ(end, range(281, 300));
        EXPECT_TRUE(std::is_sorted(got.begin(), got.end(), [](const auto& a, const auto& b) {
            return std::stoi(a) < std::stoi(b);
        }));
    }
}

TEST_P(Replaying, P_QOS_12_SelectorsNoLocalAndExpiryApply) {
    for (int i = 1; i <= 6; ++i) {
        Outgoing frame = send("/topic/h.a", "x").header("k", std::to_string(i % 2));
        if (i > 4) { frame.header("ttl", "1000"); }
        (i % 3 == 0 ? *alice : *bob).sends(frame);
    }
    alice->sends(replay("first").header("selector", "k = 1").header("no-local", "true"));
    alice->expects(receipt("s"));
    EXPECT_EQ(offsets(*alice), (Texts{"1", "5"}));
    broker->advance(std::chrono::seconds(2));
    EXPECT_EQ(replayed("first"), range(1, 4));
}

TEST_P(Replaying, P_QOS_12_NobodySeesWhatACrashCouldTakeBack) {
    bob->sends(subscribe("1", "/topic/h.a"));
    holds();
    alice->sends(send("/topic/h.a", "x").receipt("r"));
    carol->sends(replay("first"));
    carol->expects(receipt("s"));
    alice->expects_nothing();
    bob->expects_nothing();
    carol->expects_nothing();
    commits();
    alice->expects(receipt("r"));
    bob->expects(message("1", "x").header("x-stream-offset", "1"));
    carol->expects(message("1", "x").header("x-stream-offset", "1"));
}

TEST_P(Replaying, P_QOS_12_ATransactionIsNumberedAtCommit) {
    alice->sends(begin("t"));
    for (int i = 1; i <= 3; ++i) {
        alice->sends(send("/topic/h.a", "x").transaction("t"));
        alice->sends(send("/topic/h.b", "x").transaction("t"));
    }
    EXPECT_EQ(replayed("first"), Texts{});
    holds();
    alice->sends(commit("t").receipt("c"));
    alice->expects_nothing();
    commits();
    alice->expects(receipt("c"));
    crashes();
    EXPECT_EQ(replayed("first"), range(1, 3));
}

TEST_P(Replaying, P_SUB_02_AnotherSubscriptionGoesOnWithTheReplay) {
    publishes(1, 50);
    const Client client = connected_client();
    client->sends(replay("first", "client-individual").header("prefetch-count", "5"));
    client->expects(receipt("s"));
    Texts got;
    for (int i = 0; i < 5; ++i) {
        const Received frame = client->take();
        got.push_back(frame.value("x-stream-offset"));
        client->sends(ack(frame.token()));
    }
    while (!client->received().empty()) {
        got.push_back(client->take().value("x-stream-offset"));
    }
    client->sends(replay("first"));
    client->expects(receipt("s"));
    publishes(51, 52);
    const Texts rest = offsets(*client);
    got.insert(got.end(), rest.begin(), rest.end());
    EXPECT_EQ(got, range(1, 52));
}

TEST_P(Replaying, P_QOS_09_ARetainedMessageIsNotReplayedTwice) {
    alice->sends(send("/topic/h.a", "x").header("retain", "set"));
    EXPECT_EQ(replayed("first"), range(1, 1));
    bob->sends(subscribe("1", "/topic/h.a"));
    bob->expects(message("1", "x").header("retained", "true").header("x-stream-offset", "1"));
    restarts();
    carol->sends(subscribe("1", "/topic/h.a"));
    carol->expects(message("1", "x").header("retained", "true").header("x-stream-offset", "1"));
}

TEST_P(Replaying, P_DUR_03_DurableSubscriptionsKeepTheNumbers) {
    const auto durable = [] {
        return subscribe("1", "/topic/h.a").header("activemq.subscriptionName", "news");
    };
    bob->sends(durable().receipt("s"));
    bob->expects(receipt("s"));
    bob->drops();
    publishes(1, 2);
    restarts();
    publishes(3, 3);
    const Client client = connected_client();
    client->sends(durable().header("include-seq", "n"));
    client->expects(message("1", "1").header("x-stream-offset", "1").header("n", "1"));
    client->expects(message("1", "2").header("x-stream-offset", "2"));
    client->expects(message("1", "3").header("x-stream-offset", "3").header("n", "3"));
}

TEST_P(Replaying, P_QOS_13_WhereThereIsNoHistory) {
    for (const std::string name :
         {"/topic/other", "/temp-topic/t", "/user/queue/a", "/topic/h.*"}) {
        for (const std::string header : {"x-stream-offset", "from-seq"}) {
            const Client client = connected_client();
            const std::string value = header == "from-seq" ? "0" : "next";
            client->sends(subscribe("1", name).header(header, value));
            client->expects_error("unsupported");
        }
        const Client client = connected_client();
        client->sends(subscribe("1", name).header("activemq.retroactive", "true").receipt("s"));
        client->expects(receipt("s"));
    }
    alice->sends(subscribe("1", "/topic/other").header("activemq.retroactive", "true"));
    bob->sends(send("/topic/other", "x"));
    alice->expects(message("1", "x"));
}

TEST_P(Replaying, D_FULL_01_NothingIsKeptBelowTheDiskFloor) {
    bob->sends(subscribe("1", "/topic/h.a"));
    store->set_disk_low(true);
    alice->sends(send("/topic/h.a", "x"));
    alice->expects_error("disk-full");
    carol->sends(begin("t"));
    carol->sends(send("/topic/h.a", "x").transaction("t"));
    carol->sends(commit("t"));
    carol->expects_error("disk-full");
    bob->expects_nothing();
}

TEST_P(Replaying, P_LIM_01_ThereAreOnlySoManyHistories) {
    settings.limits.queues_max = GetParam();
    starts();
    for (unsigned shard = 0; shard < GetParam(); ++shard) {
        publishes(1, 1, topic_at(shard, "h."));
    }
    alice->sends(send("/topic/h.more", "x"));
    alice->expects_error("limit-queues");
    carol->sends(send(topic_at(0, "h."), "x").receipt("r"));
    carol->expects(receipt("r"));
}

TEST_P(Replaying, P_DEST_10_TheSweepOfIdleTopicsLeavesThemAlone) {
    settings.limits.idle_topics_max = 4;
    for (const bool is_durable : {true, false}) {
        keeps({1000, 0, {}}, is_durable);
        publishes(1, 2);
        for (int i = 0; i < 100; ++i) {
            bob->sends(send("/topic/idle." + std::to_string(i), "x"));
        }
        publishes(3, 3);
        EXPECT_EQ(replayed("first"), range(1, 3));
    }
}

namespace {

/// One run: publishers and subscribers do what dice say, work is done in any order.
class RandomReplay {
public:
    RandomReplay(unsigned shards, std::uint64_t seed) : dice_(seed), seed_(seed) {
        engine::Policy policy;
        policy.match = "/topic/h";
        policy.durable = seed % 2 == 0;
        policy.history.messages = 100'000;
        engine::RouterSettings settings;
        settings.policies = {policy};
        settings.limits.queue_memory_bytes = 2000;
        settings.store = &store_;
        broker_ = std::make_unique<TestBroker>(shards, seed, WorkOrder::random, settings);
        broker_->drives(nullptr);
        publisher_ = std::make_unique<TestClient>(*broker_);
        publisher_->connects();
    }

    void run() {
        for (int step = 0; step < 60; ++step) {
            act();
            for (unsigned work = roll(6); work != 0 && broker_->shards().has_work(); --work) {
                broker_->shards().run_one();
            }
            if (roll(3) == 0) { broker_->end_turn(roll(broker_->shards().size())); }
            if (roll(4) == 0) { store_.commit_all(); }
            if (roll(3) == 0) { store_.serve_reads(); }
        }
        broker_->drives(&store_);
        broker_->settle();
        for (Subscriber& subscriber : subscribers_) {
            finish(subscriber);
        }
    }

    ~RandomReplay() {
        subscribers_.clear();
        publisher_.reset();
        broker_->drives(&store_);
    }

private:
    struct Subscriber {
        std::unique_ptr<TestClient> client;
        std::uint64_t begin = 0;  ///< 0: a live one.
        bool is_careful = false;
        std::vector<std::uint64_t> got;
    };

    unsigned roll(unsigned sides) { return static_cast<unsigned>(dice_() % sides); }

    void write(TestClient& client, const Outgoing& frame) {
        client.writes(frame.encoded(protocol::Version::v1_2));
    }

    void act() {
        const unsigned what = roll(10);
        if (what < 6) {
            for (unsigned i = roll(4) + 1; i != 0; --i) {
                ++published_;
                write(*publisher_, send("/topic/h", std::string(roll(300), 'x')));
            }
            return;
        }
        if (what < 8) { return subscribe_one(); }
        if (subscribers_.empty()) { return; }
        Subscriber& one = subscribers_[roll(static_cast<unsigned>(subscribers_.size()))];
        if (what == 8) { return take(one); }
        if (roll(4) == 0) {
            one.client->vanishes();
            std::erase_if(subscribers_, [](const Subscriber& other) {
                return !other.client->is_open();
            });
        }
    }

    void subscribe_one() {
        Subscriber one;
        one.client = std::make_unique<TestClient>(*broker_);
        one.client->connects();
        one.begin = roll(3) == 0 ? 0 : roll(static_cast<unsigned>(published_) + 1) + 1;
        one.is_careful = roll(2) == 0;
        Outgoing frame = subscribe("1", "/topic/h", one.is_careful ? "client" : "auto");
        frame.header("prefetch-count", "7");
        if (one.begin != 0) {
            frame.header("x-stream-offset", "offset=" + std::to_string(one.begin));
        }
        write(*one.client, frame);
        subscribers_.push_back(std::move(one));
    }

    void take(Subscriber& one) {
        std::string last;
        while (!one.client->received().empty()) {
            const Received frame = one.client->take();
            ASSERT_EQ(frame.command, protocol::Command::message) << frame.describe();
            one.got.push_back(std::stoull(frame.value("x-stream-offset")));
            if (one.is_careful) { last = frame.token(); }
        }
        if (!last.empty()) { write(*one.client, ack(last)); }
    }

    void finish(Subscriber& one) {
        while (!one.client->received().empty()) {
            take(one);
            broker_->settle();
        }
        for (std::size_t i = 1; i < one.got.size(); ++i) {
            ASSERT_EQ(one.got[i], one.got[i - 1] + 1) << "seed " << seed_;
        }
        if (one.begin != 0 && !one.got.empty()) {
            // Beyond the head a replay begins there.
            ASSERT_LE(one.got.front(), one.begin) << "seed " << seed_;
            if (one.begin == 1) { ASSERT_EQ(one.got.front(), 1U) << "seed " << seed_; }
        }
        if (one.begin == 1 && published_ != 0) {
            ASSERT_EQ(one.got.size(), published_) << "seed " << seed_;
        }
        if (!one.got.empty()) { ASSERT_EQ(one.got.back(), published_) << "seed " << seed_; }
    }

    std::mt19937_64 dice_;
    const std::uint64_t seed_;
    storage::MemoryStore store_;
    std::unique_ptr<TestBroker> broker_;
    std::unique_ptr<TestClient> publisher_;
    std::vector<Subscriber> subscribers_;
    std::uint64_t published_ = 0;
};

}  // namespace

TEST_P(ReplayingInAnyOrder, P_QOS_12_NeitherGapNorDoubling) {
    for (std::uint64_t seed = 1; seed <= 300 && !HasFatalFailure(); ++seed) {
        RandomReplay replay(GetParam(), seed);
        replay.run();
    }
}

RUN_SCRIPTS_ON_SHARDS(Replaying);
RUN_SCRIPTS_ON_SHARDS(ReplayingInAnyOrder);

}  // namespace support
