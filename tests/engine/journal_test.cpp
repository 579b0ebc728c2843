// A shard's end of the store alone: what lies in which batch, who waits for it, and what a failure
// does (durability.md, D-COM-03, D-COM-05, D-FS-01).
#include "broker/engine/journal.hpp"

#include "storage/memory_store.hpp"
#include "tests/support/queued_shard.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace engine {

namespace {

using support::ShardGroup;
using support::WorkOrder;

class JournalTest : public ::testing::Test {
protected:
    JournalTest() {
        store.start({&journal, &other});
        run([&] {
            queue = journal.new_queue_id();
            journal.batch().define({queue, {"/queue/a", ""}});
            journal.end_turn();
        });
        store.commit_all();
        settle();
    }

    template <class F>
    void run(F work) {
        shards.on(0, work);
    }

    void settle() {
        while (shards.has_work()) {
            shards.run_one();
        }
    }

    /// One message, in this turn's batch.
    void appends(const std::string& text) {
        const auto owner = std::make_shared<const std::string>(text);
        journal.batch().append({queue, ++last, *owner, owner});
    }

    void turn(const std::string& text) {
        run([&] {
            appends(text);
            journal.end_turn();
        });
    }

    void waits_as(const std::string& name) {
        journal.when_stored([this, name] {
            events.push_back(name + (journal.has_failed() ? " failed" : ""));
        });
    }

    ShardGroup shards{2, 1, WorkOrder::posted};
    storage::MemoryStore store;
    Journal journal{shards[0], &store};
    Journal other{shards[1], &store};
    storage::QueueId queue = 0;
    storage::Sequence last = 0;
    std::vector<std::string> events;
};

using Events = std::vector<std::string>;

}  // namespace

TEST_F(JournalTest, D_COM_03_WhoWaitsIsToldAfterTheCommit) {
    run([&] {
        waits_as("nothing to wait for");
        appends("1");
        waits_as("1");
        journal.end_turn();
    });
    settle();
    EXPECT_EQ(events, Events{"nothing to wait for"});
    store.commit_all();
    EXPECT_EQ(events.size(), 1U);
    settle();
    EXPECT_EQ(events, (Events{"nothing to wait for", "1"}));
}

TEST_F(JournalTest, D_COM_03_InTheOrderOfTheTurns) {
    for (const std::string name : {"1", "2", "3"}) {
        run([&] {
            appends(name);
            waits_as(name);
            journal.end_turn();
        });
    }
    (void)store.commit(0, 2);
    settle();
    EXPECT_EQ(events, (Events{"1", "2"}));
    store.commit_all();
    settle();
    EXPECT_EQ(events, (Events{"1", "2", "3"}));
}

TEST_F(JournalTest, D_COM_06_ATurnIsOneBatch) {
    const std::uint64_t before = journal.position();
    run([&] {
        EXPECT_EQ(journal.next_position(), before + 1);
        appends("1");
        EXPECT_EQ(journal.position(), before + 1);
        appends("2");
        journal.batch().set_dispatch_bound({queue, 2});
        EXPECT_EQ(journal.position(), before + 1);
        journal.end_turn();
        EXPECT_EQ(journal.position(), before + 1);
        journal.end_turn();
    });
    EXPECT_EQ(store.waiting(0), 1U);
    EXPECT_FALSE(journal.is_stored(before + 1));
    store.commit_all();
    settle();
    EXPECT_TRUE(journal.is_stored(before + 1));
}

TEST_F(JournalTest, D_COM_03_WaitersMayWaitAgain) {
    run([&] {
        appends("1");
        journal.when_stored([this] {
            events.push_back("1");
            appends("2");
            waits_as("2");
            waits_as("2 too");
            journal.end_turn();
        });
        journal.end_turn();
    });
    store.commit_all();
    settle();
    EXPECT_EQ(events, Events{"1"});
    store.commit_all();
    settle();
    EXPECT_EQ(events, (Events{"1", "2", "2 too"}));
}

TEST_F(JournalTest, D_FS_01_AFailureTellsAllWhoWait) {
    run([&] {
        appends("1");
        waits_as("1");
        journal.end_turn();
        appends("2");
        waits_as("2");
    });
    store.fail("broken");
    settle();
    EXPECT_EQ(events, (Events{"1 failed", "2 failed"}));
    EXPECT_EQ(journal.failure(), "broken");
    EXPECT_FALSE(journal.accepts_appends());
    run([&] {
        journal.end_turn();
        appends("3");
        waits_as("3");
        journal.end_turn();
    });
    EXPECT_EQ(events.back(), "3 failed");
    EXPECT_TRUE(journal.is_idle());
    EXPECT_FALSE(journal.is_congested());
}

TEST_F(JournalTest, D_FS_01_WhatWasStoredBeforeIsToldAsStored) {
    run([&] {
        appends("1");
        waits_as("1");
        journal.end_turn();
        appends("2");
        waits_as("2");
        journal.end_turn();
    });
    (void)store.commit(0, 1);
    store.fail("broken");
    settle();
    EXPECT_EQ(events, (Events{"1", "2 failed"}));
}

TEST_F(JournalTest, D_FS_01_AFailureWithoutReasonIsOne) {
    store.fail("");
    settle();
    EXPECT_TRUE(journal.has_failed());
    EXPECT_TRUE(other.has_failed());
}

TEST_F(JournalTest, D_COM_05_CongestedByOctets) {
    turn(std::string(65 * 1024 * 1024, 'x'));
    EXPECT_TRUE(journal.is_congested());
    EXPECT_FALSE(other.is_congested());
    store.commit_all();
    settle();
    EXPECT_FALSE(journal.is_congested());
}

TEST_F(JournalTest, D_COM_05_CongestedByTime) {
    turn("1");
    shards.run_timer(shards.now() + Instant(150));
    turn("2");
    EXPECT_FALSE(journal.is_congested());
    shards.run_timer(shards.now() + Instant(51));
    EXPECT_TRUE(journal.is_congested());
    (void)store.commit(0, 1);
    settle();
    // The second one has not waited that long.
    EXPECT_FALSE(journal.is_congested());
    shards.run_timer(shards.now() + Instant(150));
    EXPECT_TRUE(journal.is_congested());
    store.commit_all();
    settle();
    EXPECT_FALSE(journal.is_congested());
}

TEST_F(JournalTest, D_COM_01_ReadsAreAnsweredInOrder) {
    turn("one");
    turn("two");
    store.commit_all();
    settle();
    run([&] {
        for (const storage::Sequence at : {2U, 1U}) {
            storage::ReadRequest request;
            request.queue = queue;
            request.from = at;
            request.to = at;
            journal.read(request, [this](const storage::ReadResult& result) {
                events.push_back(result.octets);
            });
        }
    });
    store.serve_reads();
    EXPECT_TRUE(events.empty());
    settle();
    EXPECT_EQ(events, (Events{"two", "one"}));
}

TEST_F(JournalTest, D_FS_01_ReadsAreNotAnsweredAfterAFailure) {
    turn("one");
    store.commit_all();
    storage::ReadRequest request;
    request.queue = queue;
    request.from = 1;
    request.to = 1;
    const auto read = [&] {
        journal.read(request, [this](const storage::ReadResult&) { events.push_back("read"); });
    };
    run(read);
    store.serve_reads();
    store.fail("broken");
    // The answer was on its way before the failure.
    settle();
    EXPECT_EQ(events, Events{"read"});
    run(read);
    store.serve_reads();
    settle();
    EXPECT_EQ(events, Events{"read"});
}

TEST_F(JournalTest, D_CONTRACT_5_TransactionsOfShardsHaveDifferentNumbers) {
    std::set<std::uint64_t> numbers;
    for (int i = 0; i < 100; ++i) {
        numbers.insert(journal.new_transaction());
        numbers.insert(other.new_transaction());
    }
    EXPECT_EQ(numbers.size(), 200U);
}

TEST_F(JournalTest, D_RUN_03_IdleMeansThatNothingWaits) {
    EXPECT_TRUE(journal.is_idle());
    run([&] { appends("1"); });
    EXPECT_FALSE(journal.is_idle());
    run([&] { journal.end_turn(); });
    EXPECT_FALSE(journal.is_idle());
    store.commit_all();
    EXPECT_FALSE(journal.is_idle());
    settle();
    EXPECT_TRUE(journal.is_idle());
}

TEST(Journal, D_RUN_03_WhatComesAfterItsEndIsDropped) {
    ShardGroup shards(1, 1, WorkOrder::posted);
    storage::MemoryStore store;
    auto journal = std::make_unique<Journal>(shards[0], &store);
    store.start({journal.get()});
    shards.on(0, [&] {
        journal->batch().define({journal->new_queue_id(), {"/queue/a", ""}});
        journal->when_stored([] { ADD_FAILURE(); });
        journal->end_turn();
    });
    store.commit_all();
    journal.reset();
    while (shards.has_work()) {
        shards.run_one();
    }
}

TEST(Journal, P_DEST_11_WithoutStoreNothingIsDurable) {
    ShardGroup shards(1, 1, WorkOrder::posted);
    Journal journal(shards[0], nullptr);
    EXPECT_FALSE(journal.has_store());
    bool is_told = false;
    shards.on(0, [&] {
        journal.when_stored([&] { is_told = true; });
        journal.end_turn();
    });
    EXPECT_TRUE(is_told);
    EXPECT_FALSE(journal.is_congested());
    EXPECT_TRUE(journal.is_idle());
}

}  // namespace engine
