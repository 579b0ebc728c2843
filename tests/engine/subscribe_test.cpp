// SUBSCRIBE and UNSUBSCRIBE (P-SUB).
#include "tests/support/script.hpp"

#include <map>
#include <string>
#include <vector>

namespace support {

namespace {

using protocol::Command;
using protocol::Version;

class Subscribing : public SessionScript {
protected:
    Subscribing() {
        alice.connects();
        bob.connects();
        carol.connects();
    }

    void refuses(const Outgoing& request, const std::string& token) {
        TestClient client(broker);
        client.connects().sends(request);
        client.expects_error(token);
    }

    void accepts(Outgoing request) {
        TestClient client(broker);
        client.connects().sends(request.receipt("ok"));
        client.expects(receipt("ok"));
    }

    void publishes(const std::string& destination, int count, std::size_t size = 1) {
        for (int i = 0; i < count; ++i) {
            std::string body = std::to_string(i);
            body.resize(std::max(size, body.size()), ' ');
            alice.sends(send(destination, body));
        }
    }
};

std::vector<std::string> bodies(TestClient& client) {
    std::vector<std::string> texts;
    while (!client.received().empty()) {
        texts.push_back(client.take().body);
    }
    return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_P(Subscribing, P_SUB_01_RequiredHeaders) {
    refuses(frame(Command::subscribe).header("id", "1"), "missing-header");
    refuses(frame(Command::subscribe).header("destination", "/topic/a"), "missing-header");
    refuses(subscribe("1", "/topic/a", "Client"), "bad-header");
    refuses(subscribe("1", "/topic/a", "dups-ok"), "bad-header");
    TestClient older(broker);
    older.connects("1.1").sends(frame(Command::subscribe).header("destination", "/topic/a"));
    older.expects_error("missing-header");
    for (const std::string version : {"1.0", "1.1", "1.2"}) {
        TestClient client(broker);
        client.connects(version);
        for (const std::string mode : {"auto", "client", "client-individual"}) {
            client.sends(subscribe(mode, "/topic/" + mode, mode).receipt(mode));
            client.expects(receipt(mode));
        }
    }
}

TEST_P(Subscribing, P_SUB_02_TheSameAgainChangesNothing) {
    for (const std::string name : {"/topic/a", "/topic/a/#", "/queue/a", "/temp-queue/a"}) {
        TestClient client(broker);
        client.connects();
        client.sends(subscribe("1", name).receipt("r1")).sends(subscribe("1", name).receipt("r2"));
        client.expects(receipt("r1"));
        client.expects(receipt("r2"));
        const bool is_wild = name.back() == '#';
        client.sends(send(is_wild ? "/topic/a/x" : name, "once"));
        client.expects(message("1", "once"));
        client.expects_nothing();
    }
}

TEST_P(Subscribing, P_SUB_02_AnotherDestinationIsRefused) {
    alice.sends(subscribe("1", "/topic/a")).sends(subscribe("1", "/topic/b").receipt("r"));
    EXPECT_EQ(alice.expects_error("bad-state").value("receipt-id"), "r");
}

TEST_P(Subscribing, P_SUB_02_ADifferentWishTakesTheOldPlace) {
    for (const std::string name : {"/topic/a", "/topic/*", "/queue/a", "/temp-topic/a"}) {
        TestClient client(broker);
        client.connects();
        const std::string target = name == "/topic/*" ? "/topic/x" : name;
        client.sends(subscribe("1", name));
        client.sends(send(target, "first"));
        EXPECT_EQ(client.expects(message("1", "first")).token(), "");
        client.sends(subscribe("1", name, "client").receipt("r"));
        client.expects(receipt("r"));
        client.sends(send(target, "second"));
        EXPECT_NE(client.expects(message("1", "second")).token(), "") << name;
        client.expects_nothing();
    }
}

TEST_P(Subscribing, P_SUB_02_NothingIsMissedOrDoubledMeanwhile) {
    for (const std::string name : {"/topic/a", "/topic/#", "/topic/b", "/topic/c"}) {
        TestClient client(broker);
        client.connects().sends(subscribe("1", name).receipt("r"));
        client.expects(receipt("r"));
        const std::string target = name == "/topic/#" ? "/topic/z" : name;
        // Messages arrive while the replacement is on its way between shards.
        for (int i = 0; i < 8; ++i) {
            alice.writes(send(target, std::to_string(i)).encoded(alice.version()));
            const std::string mode = i % 2 == 0 ? "client" : "auto";
            client.writes(subscribe("1", name, mode).encoded(client.version()));
            bob.writes(send(target, "b" + std::to_string(i)).encoded(bob.version()));
        }
        broker.settle();
        std::map<std::string, int> seen;
        for (const std::string& body : bodies(client)) {
            ++seen[body];
        }
        EXPECT_EQ(seen.size(), 16U) << name;
        for (const auto& entry : seen) {
            EXPECT_EQ(entry.second, 1) << entry.first;
        }
    }
}

TEST_P(Subscribing, P_SUB_02_WhatTheOldOneHadNotSentMovesToTheNew) {
    for (const std::string mode : {"auto", "client"}) {
        TestClient client(broker);
        client.connects().sends(subscribe("1", "/topic/a", mode).header("prefetch-count", "100"));
        client.stops_reading();
        publishes("/topic/a", 20, 20'000);  // Far more than what is encoded ahead.
        client.sends(subscribe("1", "/topic/a", "client-individual").receipt("r"));
        client.reads_all();
        std::vector<int> order;
        while (!client.received().empty()) {
            const Received got = client.take();
            if (got.command == Command::message) { order.push_back(std::stoi(got.body)); }
        }
        ASSERT_EQ(order.size(), 20U) << mode;
        for (int i = 0; i < 20; ++i) {
            EXPECT_EQ(order[static_cast<std::size_t>(i)], i) << mode;
        }
    }
}

TEST_P(Subscribing, P_SUB_02_IdsMayBeAnyText) {
    for (const std::string id : {"/topic/a", " ", "\xE2\x98\x83:\n\\"}) {
        TestClient client(broker);
        client.connects().sends(subscribe(id, "/topic/a"));
        alice.sends(send("/topic/a", "x"));
        client.expects(message(id, "x"));
    }
    accepts(subscribe(std::string(128, 'i'), "/topic/a"));
    refuses(subscribe(std::string(129, 'i'), "/topic/a"), "bad-frame");
}

TEST_P(Subscribing, Section10_AnEmptyIdIsCarriedToo) {
    TestClient client(broker);
    client.connects().sends(subscribe("", "/topic/a"));
    alice.sends(send("/topic/a", "x"));
    EXPECT_TRUE(client.expects(frame_is(Command::message)).find("subscription"));
    client.sends(unsubscribe("").receipt("r"));
    client.expects(receipt("r"));
    alice.sends(send("/topic/a", "x"));
    client.expects_nothing();
}

TEST_P(Subscribing, P_SUB_03_WithoutIdIn10TheDestinationIdentifies) {
    TestClient old(broker);
    old.connects("1.0");
    const auto bare = [](const std::string& destination) {
        return frame(Command::subscribe).header("destination", destination);
    };
    old.sends(bare("/topic/a")).sends(bare("/topic/a")).sends(bare("/queue/b"));
    alice.sends(send("/topic/a", "x"));
    old.expects(frame_is(Command::message).without("subscription").body("x"));
    alice.sends(send("/queue/b", "y"));
    old.expects(frame_is(Command::message).without("subscription").body("y"));
    old.expects_nothing();
    old.sends(bare("/topic/a").header("ack", "client"));
    alice.sends(send("/topic/a", "z"));
    const Received got = old.expects(frame_is(Command::message).body("z"));
    old.sends(frame(Command::ack).header("message-id", got.value("message-id")).receipt("r"));
    old.expects(receipt("r"));
    old.sends(frame(Command::unsubscribe).header("destination", "/topic/a"));
    alice.sends(send("/topic/a", "gone"));
    old.expects_nothing();
}

TEST_P(Subscribing, P_SUB_04_TheReceiptComesBeforeTheFirstMessage) {
    publishes("/queue/a", 3);
    bob.sends(subscribe("1", "/queue/a").receipt("r"));
    bob.expects(receipt("r"));
    EXPECT_EQ(bodies(bob), (Texts{"0", "1", "2"}));
}

TEST_P(Subscribing, P_SUB_04_AlsoBehindReceiptsThatAreStillAwaited) {
    for (const std::string name :
         {"/queue/a", "/queue/b", "/queue/c", "/topic/a", "/topic/b", "/topic/#"}) {
        const std::string target = name == "/topic/#" ? "/topic/z" : name;
        TestClient hearer(broker);  // Makes sure that messages cross between shards.
        hearer.connects().sends(subscribe("h", target == name ? "/topic/x" : target));
        alice.sends(send(target, "before"));
        TestClient client(broker);
        client.connects();
        client.writes(send("/queue/p", "x").receipt("p").encoded(client.version()));
        client.writes(send("/queue/q", "x").receipt("q").encoded(client.version()));
        client.writes(send("/queue/r", "x").receipt("r").encoded(client.version()));
        client.writes(subscribe("1", name).receipt("s").encoded(client.version()));
        for (int i = 0; i < 5; ++i) {
            alice.writes(send(target, "meanwhile").encoded(alice.version()));
        }
        broker.settle();
        bool is_granted = false;
        while (!client.received().empty()) {
            const Received got = client.take();
            if (got.value("receipt-id") == "s") { is_granted = true; }
            EXPECT_TRUE(is_granted || got.command == Command::receipt) << name;
        }
        EXPECT_TRUE(is_granted);
        hearer.drops();
    }
}

TEST_P(Subscribing, P_SUB_04_LaterSendsFromAnywhereAreSeen) {
    for (const std::string name : {"/topic/a", "/topic/b", "/topic/c", "/topic/d/*"}) {
        TestClient client(broker);
        client.connects().sends(subscribe("1", name).receipt("r"));
        client.expects(receipt("r"));
        const std::string target = name == "/topic/d/*" ? "/topic/d/x" : name;
        alice.sends(send(target, "a"));
        bob.sends(send(target, "b"));
        carol.sends(send(target, "c"));
        EXPECT_EQ(bodies(client), (Texts{"a", "b", "c"}));
    }
}

TEST_P(Subscribing, P_SUB_05_UnknownIdsAreSuccess) {
    alice.sends(unsubscribe("nothing").receipt("r"));
    alice.expects(receipt("r"));
    alice.sends(frame(Command::unsubscribe).header("destination", "/topic/a"));
    alice.expects_error("missing-header");
    TestClient old(broker);
    old.connects("1.0").sends(frame(Command::unsubscribe).header("destination", "/x").receipt("r"));
    old.expects(receipt("r"));
    old.sends(frame(Command::unsubscribe));
    old.expects_error("missing-header");
}

TEST_P(Subscribing, P_SUB_05_In10TheDestinationStandsForTheId) {
    TestClient old(broker);
    old.connects("1.0").sends(subscribe("1", "/topic/a"));
    old.sends(frame(Command::unsubscribe).header("destination", "/topic/a"));
    alice.sends(send("/topic/a", "x"));
    old.expects_nothing();
}

TEST_P(Subscribing, P_SUB_06_NoMessageFollowsTheReceipt) {
    for (const std::string name : {"/topic/a", "/topic/a/#", "/queue/a", "/queue/b", "/queue/c"}) {
        const std::string target = name.back() == '#' ? "/topic/a/x" : name;
        TestClient client(broker);
        client.connects().sends(subscribe("1", name).receipt("s"));
        client.stops_reading();
        for (int i = 0; i < 30; ++i) {
            alice.writes(send(target, std::string(20'000, 'x')).encoded(alice.version()));
        }
        client.writes(unsubscribe("1").receipt("u").encoded(client.version()));
        for (int i = 0; i < 3; ++i) {
            alice.writes(send(target, "late").encoded(alice.version()));
        }
        broker.settle();
        client.reads_all();
        bool is_over = false;
        while (!client.received().empty()) {
            const Received got = client.take();
            EXPECT_FALSE(is_over && got.command == Command::message) << name;
            if (got.value("receipt-id") == "u") { is_over = true; }
        }
        EXPECT_TRUE(is_over);
    }
}

TEST_P(Subscribing, P_SUB_06_OutstandingDeliveriesCanStillBeSettled) {
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c"}) {
        alice.sends(send(queue, "1")).sends(send(queue, "2"));
        TestClient client(broker);
        client.connects().sends(subscribe("1", queue, "client-individual"));
        const std::string first = client.expects(message("1", "1")).token();
        client.expects(message("1", "2"));
        client.sends(unsubscribe("1").receipt("u"));
        client.expects(receipt("u"));
        TestClient other(broker);
        other.connects().sends(subscribe("o", queue));
        other.expects_nothing();
        client.sends(ack(first).receipt("a"));
        client.expects(receipt("a"));
        client.drops();
        other.expects(message("o", "2").header("redelivered", "true"));
        other.expects_nothing();
    }
}

TEST_P(Subscribing, P_SUB_06_WhatWasNotSentGoesToOthersAtOnce) {
    TestClient client(broker);
    client.connects().sends(subscribe("1", "/queue/a"));
    client.stops_reading();
    publishes("/queue/a", 20, 20'000);
    client.sends(unsubscribe("1"));
    bob.sends(subscribe("b", "/queue/a"));
    std::vector<int> order;
    for (const std::string& body : bodies(bob)) {
        order.push_back(std::stoi(body));
    }
    ASSERT_FALSE(order.empty());
    EXPECT_EQ(order.back(), 19);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_P(Subscribing, P_SUB_07_TheWindowHoldsDeliveriesBack) {
    for (const std::string name : {"/queue/a", "/queue/b", "/topic/a", "/topic/b"}) {
        TestClient client(broker);
        client.connects().sends(
            subscribe("1", name, "client-individual").header("prefetch-count", "2")
        );
        publishes(name, 4);
        const std::string first = client.expects(message("1", "0")).token();
        client.expects(message("1", "1"));
        client.expects_nothing();
        client.sends(ack(first));
        client.expects(message("1", "2"));
        client.expects_nothing();
        TestClient rest(broker);
        rest.connects().sends(subscribe("r", name));
    }
}

TEST_P(Subscribing, P_SUB_07_TheDefaultWindowIs256) {
    for (const std::string name : {"/queue/a", "/topic/a"}) {
        TestClient client(broker);
        client.connects().sends(subscribe("1", name, "client"));
        publishes(name, 260);
        EXPECT_EQ(bodies(client).size(), 256U) << name;
    }
}

TEST_P(Subscribing, P_SUB_07_TheWindowCountsOctetsToo) {
    for (const std::string name : {"/queue/a", "/topic/a"}) {
        TestClient client(broker);
        client.connects().sends(
            subscribe("1", name, "client-individual").header("consumer-window-size", "3000")
        );
        publishes(name, 4, 1200);
        const std::string first = client.expects(message("1")).token();
        client.expects(message("1"));
        client.expects_nothing();
        client.sends(ack(first));
        client.expects(message("1"));
        client.expects_nothing();
    }
}

TEST_P(Subscribing, P_SUB_07_AMessageLargerThanTheWindowIsSentAlone) {
    for (const std::string name : {"/queue/a", "/topic/a"}) {
        TestClient client(broker);
        client.connects().sends(
            subscribe("1", name, "client-individual").header("consumer-window-size", "0")
        );
        publishes(name, 2, 5000);
        const std::string first = client.expects(message("1")).token();
        client.expects_nothing();
        client.sends(ack(first));
        client.expects(message("1"));
    }
}

TEST_P(Subscribing, P_SUB_08_QueuesHoldBackAt75PercentOfTheBudget) {
    broker.limits().outbound_bytes_max = 400'000;
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c"}) {
        TestClient client(broker);
        client.connects().sends(subscribe("1", queue).receipt("r"));
        client.expects(receipt("r"));
        client.stops_reading();
        publishes(queue, 50, 20'000);
        EXPECT_LE(client.outbox().pending(), 400'000U);
        EXPECT_GE(client.outbox().pending(), 250'000U);
        client.reads_all();
        EXPECT_EQ(bodies(client).size(), 50U);
    }
}

TEST_P(Subscribing, P_SUB_09_ConsumersTakeTurns) {
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c"}) {
        bob.sends(subscribe(queue, queue));
        carol.sends(subscribe(queue, queue));
        publishes(queue, 10);
        EXPECT_EQ(bodies(bob).size(), 5U);
        EXPECT_EQ(bodies(carol).size(), 5U);
    }
}

TEST_P(Subscribing, P_SUB_09_HigherPriorityComesFirst) {
    bob.sends(
        subscribe("1", "/queue/a", "client").header("x-priority", "5").header("prefetch-count", "3")
    );
    carol.sends(subscribe("1", "/queue/a", "client").header("activemq.priority", "-1"));
    publishes("/queue/a", 5);
    EXPECT_EQ(bodies(bob), (Texts{"0", "1", "2"}));
    EXPECT_EQ(bodies(carol), (Texts{"3", "4"}));
}

TEST_P(Subscribing, P_SUB_09_NobodyStarves) {
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(std::make_unique<TestClient>(broker));
        clients.back()->connects().sends(
            subscribe("1", "/queue/a", "client-individual").header("prefetch-count", "1")
        );
    }
    publishes("/queue/a", 100);
    std::vector<int> got(5);
    for (int round = 0; round < 20; ++round) {
        for (std::size_t i = 0; i < 5; ++i) {
            const Received one = clients[i]->expects(message("1"));
            clients[i]->sends(ack(one.token()));
            ++got[i];
        }
    }
    EXPECT_EQ(got, std::vector<int>(5, 20));
}

TEST_P(Subscribing, P_SUB_10_EveryDialectsWindow) {
    const auto window = [this](const Headers& headers) {
        TestClient client(broker);
        Outgoing request = subscribe("1", "/topic/w", "client");
        for (const auto& header : headers) {
            request.header(header.first, header.second);
        }
        client.connects().sends(request.receipt("r"));
        client.expects(receipt("r"));
        publishes("/topic/w", 8);
        return bodies(client).size();
    };
    EXPECT_EQ(window({{"prefetch-count", "3"}}), 3U);
    EXPECT_EQ(window({{"prefetch-count", "0"}}), 8U);
    EXPECT_EQ(window({{"activemq.prefetchSize", "4"}}), 4U);
    EXPECT_EQ(window({{"activemq.prefetchSize", "0"}}), 1U);
    EXPECT_EQ(window({{"credit", "5"}}), 5U);
    EXPECT_EQ(window({{"credit", "5,-1"}}), 5U);
    EXPECT_EQ(window({{"credit", "5,0"}}), 1U);
    EXPECT_EQ(window({{"credit", "0"}}), 8U);
    EXPECT_EQ(window({{"consumer-window-size", "-1"}}), 8U);
    EXPECT_EQ(window({{"consumer-window-size", "0"}}), 1U);
    EXPECT_EQ(window({{"credit", "2"}, {"prefetch-count", "3"}}), 3U);
    EXPECT_EQ(window({{"prefetch-count", "99999999"}}), 8U);
}

TEST_P(Subscribing, P_SUB_11_BadNumbersAndBooleansAreRefused) {
    refuses(subscribe("1", "/topic/a").header("prefetch-count", "-1"), "bad-header");
    refuses(subscribe("1", "/topic/a").header("prefetch-count", "1.5"), "bad-header");
    refuses(subscribe("1", "/topic/a").header("credit", "x"), "bad-header");
    refuses(subscribe("1", "/topic/a").header("consumer-window-size", "-2"), "bad-header");
    refuses(subscribe("1", "/topic/a").header("x-priority", "high"), "bad-header");
    refuses(subscribe("1", "/queue/a").header("browser", "yes"), "bad-header");
    refuses(subscribe("1", "/topic/a").header("no-local", "TRUE"), "bad-header");
    accepts(subscribe("1", "/topic/a").header("no-local", "False"));
}

TEST_P(Subscribing, P_SUB_12_WhatWouldLoseMessagesIsRefused) {
    refuses(subscribe("1", "/topic/a").header("x-stream-filter", "a"), "unsupported");
    refuses(subscribe("1", "/topic/a").header("x-stream-match-unfiltered", "true"), "unsupported");
    refuses(subscribe("1", "/queue/a").header("x-stream-offset", "first"), "unsupported");
    refuses(subscribe("1", "/temp-queue/a").header("browser", "true"), "unsupported");
    accepts(subscribe("1", "/topic/a").header("exclusive", "true"));
    accepts(subscribe("1", "/topic/a").header("x-unknown", "true").header("browser", "false"));
}

TEST_P(Subscribing, P_QOS_11_AnOffsetMustBeOne) {
    for (const std::string value : {"", "newest", "offset=", "offset=-1", "timestamp=x", "day=1"}) {
        refuses(subscribe("1", "/topic/a").header("x-stream-offset", value), "bad-header");
    }
    refuses(subscribe("1", "/topic/a").header("from-seq", "-2"), "bad-header");
    refuses(subscribe("1", "/topic/a").header("activemq.retroactive", "yes"), "bad-header");
}

TEST_P(Subscribing, P_SUB_14_DurableIsAnArgumentOfAQueue) {
    accepts(subscribe("1", "/queue/a").header("durable", "true").header("persistent", "true"));
    accepts(subscribe("1", "/queue/a").header("auto-delete", "false"));
    refuses(subscribe("1", "/queue/a").header("auto-delete", "true"), "bad-header");
}

TEST_P(Subscribing, P_LIM_01_SubscriptionsPerConnection) {
    broker.limits().subscriptions_max = 4;
    for (int i = 0; i < 4; ++i) {
        alice.sends(subscribe(std::to_string(i), "/topic/a").receipt("r"));
        alice.expects(receipt("r"));
    }
    alice.sends(subscribe("3", "/topic/a", "client").receipt("again"));
    alice.expects(receipt("again"));
    alice.sends(unsubscribe("0")).sends(subscribe("4", "/queue/a").receipt("r"));
    alice.expects(receipt("r"));
    alice.sends(subscribe("5", "/topic/b").receipt("over"));
    EXPECT_EQ(alice.expects_error("limit-subscriptions").value("receipt-id"), "over");
}

TEST_P(Subscribing, P_LIM_01_WildcardsAmongThem) {
    broker.limits().wildcard_subscriptions_max = 2;
    alice.sends(subscribe("1", "/topic/*")).sends(subscribe("2", "/topic/#"));
    alice.sends(unsubscribe("1")).sends(subscribe("3", "/topic/a/*"));
    alice.sends(subscribe("4", "/topic/plain").receipt("r"));
    alice.expects(receipt("r"));
    alice.sends(subscribe("5", "/topic/b/*"));
    alice.expects_error("limit-subscriptions");
}

TEST_P(Subscribing, AConnectionLostWhileSubscribingLeavesNothingBehind) {
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c"}) {
        TestClient client(broker);
        client.connects();
        client.writes(subscribe("1", queue).encoded(Version::v1_2));
        client.drops();
        publishes(queue, 3);
        bob.sends(subscribe(queue, queue));
        EXPECT_EQ(bodies(bob), (Texts{"0", "1", "2"})) << queue;
        bob.sends(unsubscribe(queue));
    }
}

TEST_P(Subscribing, ASessionRefusedWhileSubscribingLeavesNothingBehind) {
    for (const std::string name : {"/queue/a", "/queue/b", "/topic/c", "/topic/d", "/topic/#"}) {
        TestClient client(broker);
        client.connects();
        client.writes(subscribe("1", name).encoded(Version::v1_2));
        broker.shards().on(client.shard(), [&] {
            client.session().fail({protocol::ErrorCode::kicked, "Out.", "Go.", {}});
        });
        broker.settle();
        client.expects_error("kicked");
        const std::string target = name == "/topic/#" ? "/topic/x" : name;
        alice.sends(send(target, "x"));
        if (name.starts_with("/queue/")) {
            bob.sends(subscribe(name, name));
            bob.expects(message(name, "x").without("redelivered"));
        }
    }
}

RUN_SCRIPTS_ON_SHARDS(Subscribing);

}  // namespace support
