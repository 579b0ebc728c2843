// The output of a connection that does not keep up: budget, policies, two stages (P-LIM-03).
#include "tests/support/script.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace support {

namespace {

using engine::SlowConsumerAction;
using protocol::Command;

constexpr std::size_t budget = 400'000;

class Lagging : public SessionScript {
protected:
    Lagging() { broker.limits().outbound_bytes_max = budget; }

    void policy(SlowConsumerAction action, const std::string& key = {}) {
        broker.policies().push_back({"/topic/#", {action, key}});
    }

    /// Bob subscribes to /topic/a and stops reading.
    void lags(const std::string& mode = "auto") {
        alice.connects();
        bob.connects().sends(subscribe("1", "/topic/a", mode).receipt("r"));
        bob.expects(receipt("r"));
        bob.stops_reading();
    }

    void publishes(int from, int to, std::size_t size = 20'000, const std::string& key = {}) {
        for (int i = from; i < to; ++i) {
            std::string body = std::to_string(i);
            body.resize(std::max(size, body.size()), ' ');
            Outgoing outgoing = send("/topic/a", body);
            if (!key.empty()) { outgoing.header("key", key + std::to_string(i % 3)); }
            alice.sends(outgoing);
        }
    }

    std::vector<int> numbers() {
        std::vector<int> got;
        while (!bob.received().empty()) {
            const Received frame = bob.take();
            if (frame.command == Command::message) { got.push_back(std::stoi(frame.body)); }
        }
        return got;
    }
};

}  // namespace

TEST_P(Lagging, P_LIM_03_OverTheBudgetTheConnectionIsCut) {
    lags();
    publishes(0, 19);
    EXPECT_TRUE(bob.is_open());
    EXPECT_LE(bob.outbox().pending(), budget);
    publishes(19, 22);
    bob.reads_all();
    const std::size_t messages = bob.received().size() - 1;
    for (std::size_t i = 0; i < messages; ++i) {
        EXPECT_EQ(bob.take().command, Command::message);
    }
    EXPECT_EQ(
        bob.expects_error("slow-consumer").body.find("octets are pending") != std::string::npos,
        true
    );
    EXPECT_EQ(bob.closing()->code, 1013);
}

TEST_P(Lagging, P_LIM_03_OthersAreNotDisturbed) {
    carol.connects().sends(subscribe("c", "/topic/a"));
    lags();
    publishes(0, 30);
    for (int i = 0; i < 30; ++i) {
        carol.expects(message("c"));
    }
}

TEST_P(Lagging, P_LIM_03_ClientModesBacklogCounts) {
    lags("client");
    bob.reads_all();
    // It reads, but acknowledges nothing: window first, then the backlog fills the budget.
    bob.sends(unsubscribe("1"));
    bob.sends(subscribe("2", "/topic/a", "client").header("prefetch-count", "1"));
    publishes(0, 19);
    EXPECT_TRUE(bob.is_open());
    publishes(19, 25);
    while (bob.received().size() > 1) {
        (void)bob.take();
    }
    bob.expects_error("slow-consumer");
}

TEST_P(Lagging, P_LIM_03_DropNewest) {
    policy(SlowConsumerAction::drop_newest);
    lags();
    publishes(0, 40);
    EXPECT_LE(bob.outbox().pending(), budget);
    bob.reads_all();
    const std::vector<int> got = numbers();
    EXPECT_LT(got.size(), 22U);
    for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i], static_cast<int>(i));
    }
    EXPECT_EQ(broker.counters().messages_dropped_newest, 40 - got.size());
    publishes(40, 41);
    EXPECT_EQ(numbers(), std::vector<int>{40});
}

TEST_P(Lagging, P_LIM_03_DropOldest) {
    policy(SlowConsumerAction::drop_oldest);
    lags();
    publishes(0, 40);
    EXPECT_LE(bob.outbox().pending(), budget);
    bob.reads_all();
    const std::vector<int> got = numbers();
    EXPECT_LT(got.size(), 22U);
    EXPECT_EQ(got.front(), 0);  // Encoded before: it cannot be taken back.
    EXPECT_EQ(got.back(), 39);
    EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
    EXPECT_EQ(broker.counters().messages_dropped_oldest, 40 - got.size());
}

TEST_P(Lagging, P_LIM_03_DropOldestMakesRoomForALargerOne) {
    policy(SlowConsumerAction::drop_oldest);
    lags();
    publishes(0, 18);
    for (int i = 0; i < 10; ++i) {
        publishes(100 + i, 101 + i, 100'000);
        EXPECT_LE(bob.outbox().pending(), budget);
    }
    bob.reads_all();
    EXPECT_EQ(numbers().back(), 109);
}

TEST_P(Lagging, P_LIM_03_AMessageLargerThanTheBudgetCannotWait) {
    policy(SlowConsumerAction::drop_oldest);
    lags();
    publishes(0, 10);
    publishes(10, 11, budget + 1);
    bob.reads_all();
    EXPECT_EQ(numbers().back(), 6);  // Those behind were encoded already.
    EXPECT_TRUE(bob.is_open());
    publishes(11, 12, budget + 1);
    EXPECT_EQ(numbers(), std::vector<int>{11});
}

TEST_P(Lagging, P_LIM_03_WhatQueuesSendDoesNotCutTheConnection) {
    alice.connects();
    bob.connects().sends(subscribe("t", "/topic/a").receipt("r"));
    bob.expects(receipt("r"));
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c"}) {
        for (int i = 0; i < 30; ++i) {
            alice.sends(send(queue, std::string(20'000, 'q')));
        }
        bob.writes(subscribe(queue, queue, "client").encoded(bob.version()));
    }
    // In the turn in which the other shards' deliveries arrive.
    bob.stops_reading();
    broker.settle();
    alice.sends(send("/topic/a", std::string(20'000, 't')));
    bob.reads_all();
    EXPECT_TRUE(bob.is_open());
    EXPECT_EQ(bob.received().size(), 91U);
}

TEST_P(Lagging, P_LIM_03_Conflate) {
    policy(SlowConsumerAction::conflate, "key");
    lags();
    publishes(0, 60, 20'000, "k");
    EXPECT_LE(bob.outbox().pending(), budget);
    bob.reads_all();
    const std::vector<int> got = numbers();
    EXPECT_LT(got.size(), 15U);
    std::vector<int> last(got.end() - 3, got.end());
    std::sort(last.begin(), last.end());
    EXPECT_EQ(last, (std::vector<int>{57, 58, 59}));
    EXPECT_EQ(broker.counters().messages_conflated, 60 - got.size());
}

TEST_P(Lagging, P_LIM_03_ConflateKeepsWhatHasNoKey) {
    policy(SlowConsumerAction::conflate, "key");
    lags();
    publishes(0, 15);
    bob.reads_all();
    EXPECT_EQ(numbers().size(), 15U);
}

TEST_P(Lagging, P_LIM_03_ConflatedMessagesMayNotGrowBeyondTheBudget) {
    policy(SlowConsumerAction::conflate, "key");
    lags();
    for (int i = 0; i < 400; ++i) {
        alice.sends(send("/topic/a", std::string(i < 200 ? 600 : 50'000, 'x'))
                        .header("key", std::to_string(i % 200)));
        EXPECT_LE(bob.outbox().pending(), budget);
    }
    bob.reads_all();
    EXPECT_TRUE(bob.is_open());
}

TEST_P(Lagging, P_LIM_03_PoliciesHoldInClientModesToo) {
    for (const auto action : {SlowConsumerAction::drop_newest, SlowConsumerAction::drop_oldest}) {
        TestBroker other(GetParam());
        other.limits().outbound_bytes_max = budget;
        other.policies().push_back({"/topic/#", {action, {}}});
        TestClient sender(other);
        sender.connects();
        TestClient reader(other);
        reader.connects().sends(
            subscribe("1", "/topic/a", "client-individual").header("prefetch-count", "1")
        );
        for (int i = 0; i < 40; ++i) {
            sender.sends(send("/topic/a", std::to_string(i) + std::string(20'000, ' ')));
        }
        EXPECT_LE(reader.outbox().pending(), budget);
        std::vector<int> got;
        while (!reader.received().empty()) {
            const Received frame = reader.take();
            got.push_back(std::stoi(frame.body));
            reader.sends(ack(frame.token()));
        }
        EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
        EXPECT_GT(got.size(), 15U);
        EXPECT_LT(got.size(), 25U);
        EXPECT_EQ(got.back() == 39, action == SlowConsumerAction::drop_oldest);
    }
}

TEST_P(Lagging, TheOldestOfTheRightSubscriptionIsDropped) {
    broker.policies().push_back({"/topic/lossy", {SlowConsumerAction::drop_oldest, {}}});
    alice.connects();
    bob.connects().sends(subscribe("1", "/topic/lossy")).sends(subscribe("2", "/topic/safe"));
    bob.stops_reading();
    for (int i = 0; i < 10; ++i) {
        alice.sends(send("/topic/safe", std::string(20'000, 's')));
    }
    for (int i = 0; i < 40; ++i) {
        alice.sends(send("/topic/lossy", std::string(20'000, 'l')));
    }
    bob.reads_all();
    std::size_t safe = 0;
    while (!bob.received().empty()) {
        safe += bob.take().value("subscription") == "2" ? 1U : 0U;
    }
    EXPECT_EQ(safe, 10U);
    EXPECT_TRUE(bob.is_open());
}

TEST_P(Lagging, EncodedOctetsStayWithinTheFirstStage) {
    lags();
    publishes(0, 15);
    EXPECT_LE(bob.outbox().ahead(), broker.limits().outbound_ahead_max + 21'000);
    EXPECT_TRUE(bob.outbox().is_waiting());
    bob.reads(60'000);
    EXPECT_LE(bob.outbox().ahead(), broker.limits().outbound_ahead_max + 21'000);
    bob.reads_all();
    EXPECT_EQ(numbers().size(), 15U);
    EXPECT_TRUE(bob.outbox().is_empty());
}

TEST_P(Lagging, OctetByOctetNothingIsLost) {
    lags();
    publishes(0, 10, 100);
    while (!bob.outbox().is_empty()) {
        bob.reads(1);
    }
    EXPECT_EQ(numbers().size(), 10U);
}

TEST_P(Lagging, ControlFramesOvertakeMessagesThatWait) {
    lags();
    publishes(0, 15);
    bob.sends(send("/queue/x").receipt("now"));
    bob.reads_all();
    std::size_t position = 0;
    while (bob.take().command == Command::message) {
        ++position;
    }
    EXPECT_LT(position, 10U);
}

TEST_P(Lagging, AHeldBackTopicSubscriptionGoesOnWhenThereIsRoom) {
    // The window is open, but another subscription fills the output to its brink.
    alice.connects();
    bob.connects();
    bob.sends(subscribe("auto", "/topic/a")).sends(subscribe("client", "/topic/b", "client"));
    bob.stops_reading();
    publishes(0, 16);
    for (int i = 0; i < 3; ++i) {
        alice.sends(send("/topic/b", "held back"));
    }
    bob.reads_all();
    int held_back = 0;
    while (!bob.received().empty()) {
        held_back += bob.take().body == "held back" ? 1 : 0;
    }
    EXPECT_EQ(held_back, 3);
}

TEST_P(Lagging, AHeldBackTopicSubscriptionGoesOnEvenWithALargeBacklog) {
    alice.connects();
    bob.connects();
    bob.sends(subscribe("auto", "/topic/a")).sends(subscribe("client", "/topic/b", "client"));
    bob.stops_reading();
    publishes(0, 16);
    alice.sends(send("/topic/b", "first"));
    bob.reads(280'000);
    for (int i = 0; i < 13; ++i) {
        alice.sends(send("/topic/b", std::string(20'000, 'b')));
    }
    bob.reads_all();
    int of_client = 0;
    while (!bob.received().empty()) {
        of_client += bob.take().value("subscription") == "client" ? 1 : 0;
    }
    EXPECT_EQ(of_client, 14);
}

TEST_P(Lagging, AClientThatReadsNothingIsNotReadFrom) {
    // RECEIPTs are always taken: whoever does not read them may not ask for more and more.
    broker.limits().outbound_bytes_max = 20'000;
    alice.connects();
    alice.stops_reading();
    for (int i = 0; i < 5000 && !alice.has_input(); ++i) {
        alice.sends(unsubscribe("x").receipt(std::string(100, 'r')));
    }
    EXPECT_TRUE(alice.has_input());
    EXPECT_LE(alice.outbox().pending(), 21'000U);
    alice.reads_all();
    EXPECT_FALSE(alice.has_input());
}

TEST_P(Lagging, AFrameThatWasReadAlreadyIsStillProcessed) {
    broker.limits().outbound_bytes_max = 2000;
    alice.connects();
    alice.stops_reading();
    while (alice.session().may_read()) {
        alice.sends(unsubscribe("x").receipt(std::string(100, 'r')));
    }
    // RECEIPTs from other shards may come between a connection's look and its next frame.
    const protocol::Header headers[] = {{"destination", "/queue/a"}};
    broker.shards().on(alice.shard(), [&] {
        alice.session().handle({Command::send, headers, "x"});
    });
    bob.connects().sends(subscribe("1", "/queue/a"));
    bob.expects(message("1", "x"));
}

RUN_SCRIPTS_ON_SHARDS(Lagging);

}  // namespace support
