// SENDs that repeat one (P-QOS-06), in memory and with a store.
#include "tests/support/durable_script.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace support {

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

Outgoing once(const std::string& destination, const std::string& body, const std::string& id) {
    return send(destination, body).header("dedup-id", id);
}

class Duplicate : public SessionScript {
protected:
    Duplicate() {
        alice.connects();
        bob.connects();
        carol.connects();
    }
};

class DurableDuplicate : public DurableScript {};

}  // namespace

TEST_P(Duplicate, P_QOS_06_ARepeatedSendIsOneMessage) {
    for (const std::string destination : {"/queue/a", "/queue/b", "/topic/a", "/topic/b"}) {
        carol.sends(subscribe(destination, destination));
        alice.sends(once(destination, "x", "1").receipt("r1"));
        alice.expects(receipt("r1"));
        // Another connection of the same user.
        bob.sends(once(destination, "y", "1").receipt("r2"));
        bob.expects(receipt("r2"));
        alice.sends(send(destination, "z").header("_AMQ_DUPL_ID", "1").receipt("r3"));
        alice.expects(receipt("r3"));
        alice.sends(once(destination, "w", "2"));
        EXPECT_EQ(carol.expects(message(destination, "x")).value("dedup-id"), "1");
        carol.expects(message(destination, "w"));
        carol.expects_nothing();
    }
    EXPECT_EQ(broker.counters().messages_deduplicated, 8U);
}

TEST_P(Duplicate, P_QOS_06_IdsBelongToAUserAndADestination) {
    carol.sends(subscribe("1", "/queue/a")).sends(subscribe("2", "/queue/b"));
    alice.sends(once("/queue/a", "x", "1")).sends(once("/queue/b", "x", "1"));
    TestClient guest(broker);
    guest.sends(connect().header("login", "guest").header("passcode", "guest"));
    guest.expects(connected("1.2"));
    guest.sends(once("/queue/a", "y", "1"));
    carol.expects(message("1", "x"));
    carol.expects(message("2", "x"));
    carol.expects(message("1", "y"));
}

TEST_P(Duplicate, P_QOS_06_AfterTwoMinutesItIsANewMessage) {
    carol.sends(subscribe("1", "/queue/a"));
    alice.sends(once("/queue/a", "1", "x"));
    broker.advance(119'999ms);
    alice.sends(once("/queue/a", "2", "x"));
    broker.advance(1ms);
    alice.sends(once("/queue/a", "3", "x"));
    broker.advance(119s);
    alice.sends(once("/queue/a", "4", "x"));
    carol.expects(message("1", "1"));
    carol.expects(message("1", "3"));
    carol.expects_nothing();
}

TEST_P(Duplicate, P_QOS_06_TheOldestIdsGoFirst) {
    broker.limits().duplicate_ids_max = 3;
    carol.sends(subscribe("1", "/queue/a"));
    for (const std::string id : {"1", "2", "3", "4"}) {
        alice.sends(once("/queue/a", id, id));
        carol.expects(message("1", id));
    }
    alice.sends(once("/queue/a", "again", "2"));
    carol.expects_nothing();
    alice.sends(once("/queue/a", "again", "1"));
    carol.expects(message("1", "again"));
}

TEST_P(Duplicate, P_QOS_06_IdsOfAllDestinationsAreBounded) {
    broker.limits().duplicate_ids_all_max = 10;
    for (int i = 0; i < 200; ++i) {
        alice.sends(once("/queue/" + std::to_string(i % 20), "x", std::to_string(i)));
    }
    for (unsigned shard = 0; shard < GetParam(); ++shard) {
        broker.shards().on(shard, [&] {
            EXPECT_LE(broker.router(shard).duplicates().size(), 10 / GetParam());
        });
    }
    broker.advance(130s);
    for (unsigned shard = 0; shard < GetParam(); ++shard) {
        broker.shards().on(shard, [&] { EXPECT_EQ(broker.router(shard).duplicates().size(), 0U); });
    }
}

TEST_P(Duplicate, P_QOS_06_ARefusedSendClaimsNoId) {
    broker.limits().queue_messages_max = 1;
    alice.sends(send("/queue/a", "full"));
    bob.sends(once("/queue/a", "x", "1"));
    bob.expects_error("queue-full");
    carol.sends(subscribe("1", "/queue/a"));
    carol.expects(message("1", "full"));
    alice.sends(once("/queue/a", "x", "1"));
    carol.expects(message("1", "x"));
}

TEST_P(Duplicate, P_QOS_06_OfADelayedMessageTheIdCountsAtTheSend) {
    carol.sends(subscribe("1", "/queue/a"));
    alice.sends(once("/queue/a", "x", "1").header("x-delay", "5000").receipt("r"));
    alice.expects(receipt("r"));
    bob.sends(once("/queue/a", "y", "1").receipt("r"));
    bob.expects(receipt("r"));
    alice.sends(once("/queue/a", "z", "1").header("x-delay", "1000"));
    broker.advance(10s);
    carol.expects(message("1", "x"));
    carol.expects_nothing();
}

TEST_P(Duplicate, P_QOS_06_InATransactionTheIdIsClaimedAtCommit) {
    for (const std::string destination : {"/queue/a", "/queue/b", "/topic/a", "/topic/b"}) {
        carol.sends(subscribe(destination, destination));
        alice.sends(begin("t")).sends(once(destination, "in t", "1").transaction("t"));
        alice.sends(once(destination, "in t too", "2").transaction("t"));
        alice.sends(once(destination, "same id", "2").transaction("t"));
        alice.sends(once(destination, "delayed", "2").header("x-delay", "9").transaction("t"));
        bob.sends(once(destination, "first", "1"));
        carol.expects(message(destination, "first"));
        alice.sends(commit("t").receipt("c"));
        alice.expects(receipt("c"));
        carol.expects(message(destination, "in t too"));
        alice.sends(begin("u")).sends(once(destination, "x", "3").transaction("u"));
        alice.sends(abort("u")).sends(once(destination, "kept", "3"));
        carol.expects(message(destination, "kept"));
        broker.advance(10s);
        carol.expects_nothing();
    }
}

TEST_P(Duplicate, P_TX_04_ACommitThatIsNotAppliedClaimsNoId) {
    broker.limits().queue_messages_max = 1;
    alice.sends(send("/queue/full", "x"));
    bob.sends(begin("t")).sends(once("/queue/a", "x", "1").transaction("t"));
    bob.sends(send("/queue/full", "y").transaction("t")).sends(commit("t"));
    bob.expects_error("queue-full");
    carol.sends(subscribe("1", "/queue/a"));
    alice.sends(once("/queue/a", "x", "1"));
    carol.expects(message("1", "x"));
}

TEST_P(Duplicate, P_TX_04_ADuplicateGivesItsRoomBack) {
    broker.limits().queue_messages_max = 2;
    alice.sends(once("/queue/a", "1", "1"));
    bob.sends(begin("t")).sends(once("/queue/a", "x", "1").transaction("t"));
    bob.sends(commit("t").receipt("c"));
    bob.expects(receipt("c"));
    alice.sends(send("/queue/a", "2").receipt("r"));
    alice.expects(receipt("r"));
}

TEST_P(Duplicate, P_QOS_06_AtTemporaryDestinationsOfOneName) {
    alice.sends(subscribe("t", "/temp-queue/t")).sends(once("/temp-queue/t", "x", "1"));
    alice.expects(message("t", "x"));
    TestClient dave(broker);
    dave.connects().sends(subscribe("t", "/temp-queue/t")).sends(once("/temp-queue/t", "y", "1"));
    dave.expects(message("t", "y"));
}

RUN_SCRIPTS_ON_SHARDS(Duplicate);

TEST_P(DurableDuplicate, P_QOS_06_ADuplicateIsConfirmedWhenTheFirstIsStored) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        holds();
        alice->sends(once(queue_at(shard), "x", "1").receipt("r"));
        bob->sends(once(queue_at(shard), "x", "1").receipt("r"));
        alice->expects_nothing();
        bob->expects_nothing();
        commits();
        alice->expects(receipt("r"));
        bob->expects(receipt("r"));
        EXPECT_EQ(drained(queue_at(shard)), Texts{"x"});
    }
}

TEST_P(DurableDuplicate, P_QOS_06_IdsOfStoredMessagesSurviveARestart) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        alice->sends(once(queue_at(shard), "x", "1").receipt("r"));
        alice->expects(receipt("r"));
    }
    alice->sends(once(queue_at(0), "mortal", "2").header("persistent", "false"));
    crashes();
    for (unsigned shard = 0; shard < shards(); ++shard) {
        alice->sends(once(queue_at(shard), "again", "1").receipt("r"));
        alice->expects(receipt("r"));
    }
    alice->sends(once(queue_at(0), "y", "2").receipt("r"));
    alice->expects(receipt("r"));
    restarts();
    alice->sends(once(queue_at(0), "again", "2").receipt("r"));
    alice->expects(receipt("r"));
    EXPECT_EQ(drained(queue_at(0)), (Texts{"x", "y"}));
    for (unsigned shard = 1; shard < shards(); ++shard) {
        EXPECT_EQ(drained(queue_at(shard)), Texts{"x"});
    }
}

TEST_P(DurableDuplicate, P_QOS_06_NoDuplicateSlipsThroughWhileIdsAreRead) {
    alice->sends(once(queue_at(0), "x", "1")).sends(once(queue_at(1), "x", "1"));
    alice->sends(once(queue_at(0), "x", "7").receipt("r"));
    alice->expects(receipt("r"));
    crashes_and_holds();
    EXPECT_NE(store->waiting_reads(), 0U);
    alice->sends(once(queue_at(0), "again", "1").receipt("1"));
    alice->sends(begin("t")).sends(once(queue_at(1), "again", "1").transaction("t"));
    alice->sends(send(queue_at(2), "rest").transaction("t")).sends(commit("t").receipt("c"));
    bob->sends(once(queue_at(0), "again", "7")).sends(disconnect().receipt("d"));
    alice->expects_nothing();
    bob->expects_nothing();
    commits();
    alice->expects(receipt("1"));
    alice->expects(receipt("c"));
    bob->expects(receipt("d"));
    const bool is_same = queue_at(0) == queue_at(2);
    EXPECT_EQ(drained(queue_at(0)).size(), is_same ? 3U : 2U);
}

TEST_P(DurableDuplicate, P_QOS_06_TheAgeOfAnIdGoesOnWhileTheBrokerIsDown) {
    alice->sends(once(queue_at(0), "1", "x").receipt("r"));
    alice->expects(receipt("r"));
    is_down_for(90s);
    crashes();
    alice->sends(once(queue_at(0), "2", "y").receipt("r"));
    alice->expects(receipt("r"));
    broker->advance(29s);
    alice->sends(once(queue_at(0), "no", "x").receipt("r"));
    alice->expects(receipt("r"));
    broker->advance(1s);
    alice->sends(once(queue_at(0), "3", "x").receipt("r"));
    alice->expects(receipt("r"));
    EXPECT_EQ(drained(queue_at(0)), (Texts{"1", "2", "3"}));
}

TEST_P(DurableDuplicate, P_QOS_06_TheStoreForgetsThemToo) {
    alice->sends(once(queue_at(0), "x", "1").receipt("r"));
    alice->expects(receipt("r"));
    EXPECT_EQ(drained(queue_at(0)), Texts{"x"});
    const auto has_ids = [&] {
        const Texts names = stored_names();
        return std::count(names.begin(), names.end(), "/dedup" + queue_at(0)) != 0;
    };
    broker->advance(100s);
    restarts();
    EXPECT_TRUE(has_ids());
    broker->advance(100s);
    EXPECT_FALSE(has_ids());
}

RUN_SCRIPTS_ON_SHARDS(DurableDuplicate);

}  // namespace support
