// Delayed and repeated messages (P-QOS-03, P-QOS-02, P-RCPT-02), in memory.
#include "broker/engine/schedule.hpp"

#include "tests/support/script.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace support {

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

Outgoing delayed(const std::string& destination, const std::string& body, int milliseconds) {
    return send(destination, body).header("x-delay", std::to_string(milliseconds));
}

class Scheduling : public SessionScript {
protected:
    Scheduling() {
        alice.connects();
        bob.connects();
        carol.connects();
    }

    [[nodiscard]] std::string time_in(std::chrono::milliseconds wait) {
        const auto now = broker.shards()[0].wall_clock_ms();
        return std::to_string(static_cast<std::int64_t>(now) + wait.count());
    }

    [[nodiscard]] std::size_t scheduled() {
        std::size_t sum = 0;
        for (unsigned shard = 0; shard < GetParam(); ++shard) {
            sum +=
                broker.shards().on(shard, [&] { return broker.router(shard).schedule().size(); });
        }
        return sum;
    }
};

}  // namespace

TEST_P(Scheduling, P_QOS_03_ADelayedMessageIsRoutedWhenDueAndNotBefore) {
    for (const std::string destination : {"/queue/a", "/queue/b", "/topic/a", "/topic/b"}) {
        bob.sends(subscribe(destination, destination));
        alice.sends(delayed(destination, "x", 3000).receipt("r"));
        alice.expects(receipt("r"));
        broker.advance(2999ms);
        bob.expects_nothing();
        broker.advance(1ms);
        const Received frame = bob.expects(message(destination, "x"));
        EXPECT_EQ(frame.value("x-delay"), "3000");
        broker.advance(60s);
        bob.expects_nothing();
    }
    EXPECT_EQ(scheduled(), 0U);
}

TEST_P(Scheduling, P_QOS_03_EverySpellingOfADelay) {
    bob.sends(subscribe("1", "/queue/a"));
    const std::vector<std::pair<std::string, std::string>> spellings = {
        {"x-delay", "5000"}, {"AMQ_SCHEDULED_DELAY", "5000"}, {"AMQ_SCHEDULED_TIME", time_in(5s)}};
    for (const auto& [name, value] : spellings) {
        alice.sends(send("/queue/a", name).header(name, value));
    }
    broker.advance(4999ms);
    bob.expects_nothing();
    broker.advance(1ms);
    for (const auto& [name, value] : spellings) {
        bob.expects(message("1", name));
    }
}

TEST_P(Scheduling, P_QOS_03_ATimeInThePastIsNow) {
    bob.sends(subscribe("1", "/queue/a"));
    alice.sends(send("/queue/a", "x").header("AMQ_SCHEDULED_TIME", "1000000000000"));
    bob.expects(message("1", "x"));
    alice.sends(delayed("/queue/a", "y", 0));
    bob.expects(message("1", "y"));
}

TEST_P(Scheduling, P_QOS_03_TheSubscriptionsOfThatTimeGetIt) {
    bob.sends(subscribe("1", "/topic/a"));
    alice.sends(delayed("/topic/a", "x", 1000));
    bob.sends(unsubscribe("1"));
    carol.sends(subscribe("1", "/topic/*").receipt("s"));
    carol.expects(receipt("s"));
    broker.advance(1s);
    bob.expects_nothing();
    carol.expects(message("1", "x"));
}

TEST_P(Scheduling, P_QOS_03_ByDueTimeAndThenInTheOrderSent) {
    bob.sends(subscribe("1", "/queue/a"));
    alice.sends(delayed("/queue/a", "3", 3000)).sends(delayed("/queue/a", "1", 1000));
    alice.sends(delayed("/queue/a", "2a", 2000)).sends(delayed("/queue/a", "2b", 2000));
    alice.sends(send("/queue/a", "0"));
    broker.advance(10s);
    for (const std::string body : {"0", "1", "2a", "2b", "3"}) {
        bob.expects(message("1", body));
    }
}

TEST_P(Scheduling, P_QOS_03_RepeatsAreMessagesWithIdsOfTheirOwn) {
    bob.sends(subscribe("1", "/topic/a"));
    alice.sends(send("/topic/a", "x")
                    .header("AMQ_SCHEDULED_DELAY", "1000")
                    .header("AMQ_SCHEDULED_PERIOD", "2000")
                    .header("AMQ_SCHEDULED_REPEAT", "2"));
    std::vector<std::string> ids;
    for (const auto wait : {1000ms, 2000ms, 2000ms}) {
        broker.advance(wait - 1ms);
        bob.expects_nothing();
        broker.advance(1ms);
        const std::string id = bob.expects(message("1", "x")).value("message-id");
        ids.push_back(id.substr(0, id.rfind('-')));
    }
    EXPECT_NE(ids[0], ids[1]);
    EXPECT_NE(ids[1], ids[2]);
    EXPECT_NE(ids[0], ids[2]);
    broker.advance(60s);
    bob.expects_nothing();
    EXPECT_EQ(scheduled(), 0U);
}

TEST_P(Scheduling, P_QOS_02_ExpiryCountsFromTheSendAndWhatExpiredIsNeverRouted) {
    bob.sends(subscribe("1", "/queue/a"));
    alice.sends(delayed("/queue/a", "dead", 5000).header("expiration", "4000"));
    alice.sends(delayed("/queue/a", "alive", 5000).header("ttl", "6000"));
    EXPECT_EQ(scheduled(), 2U);
    broker.advance(4s);
    EXPECT_EQ(scheduled(), 1U) << "removed whether or not anyone reads";
    broker.advance(60s);
    bob.expects(message("1", "alive"));
    bob.expects_nothing();
    EXPECT_EQ(broker.counters().messages_expired, 1U);
}

TEST_P(Scheduling, P_QOS_03_InATransactionItIsScheduledAtCommit) {
    bob.sends(subscribe("1", "/queue/a"));
    alice.sends(begin("t")).sends(delayed("/queue/a", "x", 2000).transaction("t"));
    alice.sends(delayed("/topic/a", "y", 2000).transaction("t"));
    broker.advance(3s);
    EXPECT_EQ(scheduled(), 0U);
    alice.sends(commit("t").receipt("c"));
    alice.expects(receipt("c"));
    EXPECT_EQ(scheduled(), 2U);
    broker.advance(1999ms);
    bob.expects_nothing();
    broker.advance(1ms);
    bob.expects(message("1", "x"));
    alice.sends(begin("u")).sends(delayed("/queue/a", "x", 2000).transaction("u"));
    alice.sends(abort("u"));
    EXPECT_EQ(scheduled(), 0U);
}

TEST_P(Scheduling, P_TX_04_ACommitWithoutRoomForItsDelayedMessagesAppliesNothing) {
    broker.limits().scheduled_max = 1;
    bob.sends(subscribe("1", "/queue/b"));
    alice.sends(begin("t")).sends(send("/queue/b", "now").transaction("t"));
    alice.sends(delayed("/queue/a", "x", 2000).transaction("t"));
    alice.sends(delayed("/queue/a", "y", 2000).transaction("t"));
    alice.sends(commit("t"));
    alice.expects_error("queue-full");
    bob.expects_nothing();
    EXPECT_EQ(scheduled(), 0U);
    carol.sends(delayed("/queue/a", "z", 2000).receipt("r"));
    carol.expects(receipt("r"));
}

TEST_P(Scheduling, P_QOS_03_BoundedByDestination) {
    broker.limits().scheduled_max = 2;
    for (const std::string destination : {"/queue/a", "/queue/b", "/topic/c"}) {
        TestClient client(broker);
        client.connects();
        client.sends(delayed(destination, "1", 1000)).sends(delayed(destination, "2", 1000));
        client.sends(delayed(destination, "3", 1000).receipt("r"));
        EXPECT_EQ(client.expects_error("queue-full").value("receipt-id"), "r");
    }
    EXPECT_EQ(scheduled(), 6U);
    broker.advance(1s);
    alice.sends(delayed("/queue/a", "4", 1000).receipt("r"));
    alice.expects(receipt("r"));
}

TEST_P(Scheduling, P_QOS_03_BoundedByOctets) {
    broker.limits().queue_bytes_max = 4000;
    alice.sends(delayed("/queue/a", std::string(3000, 'x'), 1000).receipt("r"));
    alice.expects(receipt("r"));
    alice.sends(delayed("/queue/a", std::string(3000, 'x'), 1000));
    alice.expects_error("queue-full");
}

TEST_P(Scheduling, P_QOS_03_WhatAFullQueueRefusesIsTriedAgain) {
    broker.limits().queue_messages_max = 2;
    alice.sends(delayed("/queue/a", "1", 1000)).sends(delayed("/queue/a", "2", 1000));
    alice.sends(delayed("/queue/a", "3", 1000)).sends(delayed("/queue/a", "4", 1500));
    broker.advance(10s);
    EXPECT_EQ(scheduled(), 2U);
    bob.sends(subscribe("1", "/queue/a"));
    bob.expects(message("1", "1"));
    bob.expects(message("1", "2"));
    broker.advance(1s);
    bob.expects(message("1", "3"));
    bob.expects(message("1", "4"));
    EXPECT_EQ(scheduled(), 0U);
}

TEST_P(Scheduling, P_QOS_03_ADelayAtATemporaryAndAReplyDestination) {
    bob.sends(subscribe("1", "/queue/requests"));
    alice.sends(subscribe("t", "/temp-queue/t"));
    alice.sends(delayed("/temp-queue/t", "own", 1000));
    alice.sends(send("/queue/requests", "q").header("reply-to", "/temp-queue/t"));
    const std::string reply_to = bob.expects(message("1", "q")).value("reply-to");
    bob.sends(delayed(reply_to, "answer", 2000).receipt("r"));
    bob.expects(receipt("r"));
    alice.expects_nothing();
    broker.advance(1s);
    alice.expects(message("t", "own"));
    broker.advance(1s);
    alice.expects(message("t", "answer"));
    // Its owner's destination vanishes with what is delayed for it.
    alice.sends(delayed("/temp-queue/t", "late", 60'000));
    alice.drops();
    broker.advance(11s);
    EXPECT_EQ(scheduled(), 0U);
}

TEST_P(Scheduling, P_QOS_03_TemporaryDestinationsOfOneNameAreNotMixedUp) {
    alice.sends(subscribe("t", "/temp-queue/t"));
    bob.sends(subscribe("t", "/temp-queue/t"));
    TestClient dave(broker);  // On a shard with one of them.
    dave.connects().sends(subscribe("t", "/temp-queue/t"));
    alice.sends(delayed("/temp-queue/t", "alice", 1000));
    bob.sends(delayed("/temp-queue/t", "bob", 1000));
    dave.sends(delayed("/temp-queue/t", "dave", 1000));
    broker.advance(2s);
    alice.expects(message("t", "alice"));
    bob.expects(message("t", "bob"));
    dave.expects(message("t", "dave"));
    dave.expects_nothing();
}

TEST_P(Scheduling, P_QOS_03_WrongNumbersAreRefused) {
    const std::vector<std::pair<std::string, std::string>> wrong = {
        {"x-delay", "-1"},
        {"x-delay", "2592000001"},
        {"x-delay", "1s"},
        {"AMQ_SCHEDULED_DELAY", ""},
        {"AMQ_SCHEDULED_TIME", "tomorrow"},
        {"AMQ_SCHEDULED_TIME", time_in(std::chrono::hours(31 * 24))},
        {"AMQ_SCHEDULED_PERIOD", "999"},
        {"AMQ_SCHEDULED_REPEAT", "-1"}};
    for (const auto& [name, value] : wrong) {
        TestClient client(broker);
        client.connects().sends(send("/queue/a", "x").header(name, value));
        const Received refusal = client.expects_error("bad-header");
        EXPECT_NE(refusal.body.find(name), std::string::npos) << refusal.body;
    }
}

TEST_P(Scheduling, P_QOS_03_ListedByTimeAndCancelledById) {
    alice.sends(delayed("/queue/a", "second", 20'000));
    alice.sends(delayed("/queue/a", "first", 10'000));
    alice.sends(delayed("/topic/b", "other", 15'000).header("AMQ_SCHEDULED_PERIOD", "1000"));
    std::vector<engine::ScheduledMessage> all;
    std::size_t total = 0;
    for (unsigned shard = 0; shard < GetParam(); ++shard) {
        broker.shards().on(shard, [&] {
            std::size_t here = 0;
            const auto found = broker.router(shard).schedule().list("/queue/a", 1, here);
            all.insert(all.end(), found.begin(), found.end());
            total += here;
        });
    }
    EXPECT_EQ(total, 2U);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].destination, "/queue/a");
    EXPECT_EQ(all[0].size, 5U);
    unsigned cancelled = 0;
    for (unsigned shard = 0; shard < GetParam(); ++shard) {
        broker.shards().on(shard, [&] {
            cancelled += broker.router(shard).schedule().cancel(all[0].id) ? 1U : 0U;
        });
    }
    EXPECT_EQ(cancelled, 1U);
    bob.sends(subscribe("1", "/queue/a"));
    broker.advance(30s);
    bob.expects(message("1", "second"));
    bob.expects_nothing();
}

RUN_SCRIPTS_ON_SHARDS(Scheduling);

}  // namespace support
