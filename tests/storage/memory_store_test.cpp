// The store without a disk: what its owner decides is what happens, and broken promises end it.
// One thread.
#include "storage/memory_store.hpp"

#include "tests/storage/recording_listener.hpp"
#include "tests/storage/store_model.hpp"

#include <gtest/gtest.h>

namespace {

using storage::Batch;
using storage::MemoryStore;

struct Started {
    explicit Started(std::unique_ptr<MemoryStore> the_store = std::make_unique<MemoryStore>())
        : store(std::move(the_store)) {
        store->start({&first, &second});
    }

    void define(storage::QueueId queue) {
        while (store->new_queue_id() < queue) {}
        auto batch = std::make_unique<Batch>();
        model.define(*batch, queue, "/queue/" + std::to_string(queue));
        store->store(0, std::move(batch));
    }

    void append(unsigned shard, storage::QueueId queue, std::string octets, Batch::Part part = {}) {
        auto batch = std::make_unique<Batch>();
        model.append(*batch, queue, std::move(octets));
        if (part.parts > 0) { batch->join(part); }
        store->store(shard, std::move(batch));
    }

    std::unique_ptr<MemoryStore> store;
    RecordingListener first;
    RecordingListener second;
    StoreModel model;
};

TEST(MemoryStore, D_COM_03_StoresNothingUntilToldAndLosesTheRestInACrash) {
    Started run;
    run.define(1);
    run.append(0, 1, "kept");
    EXPECT_EQ(run.first.stored_count(), 0U);
    EXPECT_EQ(run.store->commit(0, 2), 2U);
    EXPECT_EQ(run.first.stored_count(), 2U);
    const StoreModel kept = run.model;
    run.append(0, 1, "lost");
    const auto survivor = run.store->crash();
    expect_same(survivor->take_recovered(), kept);
    EXPECT_EQ(run.store->commit(0, 1), 0U);
    EXPECT_EQ(survivor->new_queue_id(), 2U);
}

TEST(MemoryStore, D_COM_02_StoresATransactionOfTwoShardsTogetherOrNotAtAll) {
    Started run;
    run.define(1);
    run.define(2);
    run.store->commit_all();
    run.append(0, 1, "before");
    run.append(0, 1, "part", {7, 2});
    run.append(0, 1, "behind");
    run.store->commit_all();
    EXPECT_EQ(run.store->waiting(0), 2U);
    run.append(1, 2, "first in its line");
    run.append(1, 2, "other part", {7, 2});
    EXPECT_EQ(run.store->commit(0, 1), 1U);
    EXPECT_EQ(run.store->waiting(0), 1U);
    EXPECT_EQ(run.store->waiting(1), 0U);
    EXPECT_EQ(run.second.stored_count(), 2U);
}

TEST(MemoryStore, AnswersReadsWithinTheirLimitsAndNamesDamage) {
    Started run;
    run.define(1);
    for (const char* const octets : {"aa", "bb", "cc", "dd"}) {
        run.append(0, 1, octets);
    }
    run.store->commit_all();
    run.store->damage(1, 2);
    run.store->read(0, {5, 1, 1, 4, 3, 1000});
    run.store->read(0, {6, 1, 4, 4, 3, 1});
    run.store->serve_reads();
    const storage::ReadResult some = run.first.wait_read();
    EXPECT_EQ(some.id, 5U);
    EXPECT_EQ(some.octets, "aacc");
    EXPECT_EQ(some.damaged, std::vector<storage::Sequence>{2});
    EXPECT_EQ(some.next, 4U);
    EXPECT_EQ(run.first.wait_read().next, 5U);
}

TEST(MemoryStore, D_FS_01_TellsOfAFailureOnceAndStoresNothingAfterIt) {
    Started run;
    run.define(1);
    run.store->fail("broken");
    run.store->fail("again");
    run.append(0, 1, "late");
    run.store->commit_all();
    EXPECT_EQ(run.first.failures(), std::vector<std::string>{"broken"});
    EXPECT_EQ(run.first.stored_count(), 0U);
    EXPECT_FALSE(run.store->accepts_appends());
    EXPECT_FALSE(run.store->close());
}

TEST(MemoryStoreDeathTest, EndsTheProcessWhenABatchBreaksAPromise) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    Started run;
    run.define(1);
    run.append(0, 1, "a");
    run.store->commit_all();
    const auto store = [&run](auto change) {
        auto batch = std::make_unique<Batch>();
        change(*batch);
        run.store->store(0, std::move(batch));
        run.store->commit_all();
    };
    EXPECT_DEATH(store([](Batch& batch) { batch.append({1, 3, "gap", {}}); }), "");
    EXPECT_DEATH(store([](Batch& batch) { batch.append({2, 1, "unknown", {}}); }), "");
    EXPECT_DEATH(store([](Batch& batch) { batch.remove({1, {1, 1}, 2}); }), "");
    store([](Batch& batch) { batch.remove({1, {1, 1}, 1}); });
    EXPECT_DEATH(store([](Batch& batch) { batch.remove({1, {1, 1}, 1}); }), "");
}

}  // namespace
