// The store on disk against a model: random changes, clean stops, and stops that are none.
#include "storage/rocks_store.hpp"

#include "tests/storage/recording_listener.hpp"
#include "tests/storage/store_model.hpp"
#include "tests/storage/store_options.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <thread>

namespace {

using storage::Batch;
using storage::MessageStore;
using storage::Sequence;

storage::ReadResult read_all(
    MessageStore& store, RecordingListener& listener, storage::QueueId queue, Sequence last
) {
    constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
    store.read(0, {1, queue, 1, last, unlimited, unlimited});
    return listener.wait_read();
}

void expect_messages(MessageStore& store, RecordingListener& listener, const StoreModel& model) {
    for (const auto& [id, queue] : model.queues()) {
        if (queue.last == 0) { continue; }
        expect_same(read_all(store, listener, id, queue.last), queue);
    }
}

class RocksStoreRuns : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RocksStoreRuns, D_LSM_05_HoldWhatTheModelHoldsAfterEveryKindOfStop) {
    TemporaryDirectory directory;
    std::mt19937_64 random(GetParam());
    StoreModel model;
    std::string place = directory / "0";
    for (int run = 1; run <= 6; ++run) {
        RecordingListener listener;
        auto store = storage::open_rocks_store(options_for(place));
        expect_same(store->take_recovered(), model);
        store->start({&listener});
        expect_messages(*store, listener, model);
        auto batch = urgent_batch();
        const storage::QueueId fresh = store->new_queue_id();
        EXPECT_EQ(fresh, static_cast<storage::QueueId>(run));
        model.define(*batch, fresh, "/queue/" + std::to_string(run));
        if (run == 4) { model.drop(*batch, 2); }
        store->store(0, std::move(batch));
        constexpr std::size_t batches = 120;
        for (std::size_t i = 0; i < batches; ++i) {
            store->store(0, model.random_batch(random));
        }
        listener.wait_stored(batches + 1);
        expect_messages(*store, listener, model);
        EXPECT_EQ(store->state().pending, 0U);
        EXPECT_TRUE(listener.failures().empty());
        if (run % 2 == 0) {
            EXPECT_TRUE(store->close());
            continue;
        }
        // A copy of the open store is what a kill would leave.
        const std::string copy = directory / std::to_string(run);
        copy_open_store(place, copy);
        place = copy;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RocksStoreRuns, testing::Range<std::uint64_t>(1, 9));

/// A started store with two shards and one queue for each.
class RocksStore : public testing::Test {
protected:
    RocksStore() { open(); }

    void open() {
        store = storage::open_rocks_store(options_for(place / "store"));
        expect_same(store->take_recovered(), model);
        first = std::make_unique<RecordingListener>();
        second = std::make_unique<RecordingListener>();
        store->start({first.get(), second.get()});
    }

    void reopen() {
        EXPECT_TRUE(store->close());
        store.reset();
        open();
    }

    /// Stores what `change` does, and waits until it is stored.
    template <class Change>
    void run(Change change) {
        auto batch = urgent_batch();
        change(*batch);
        const std::size_t count = first->stored_count();
        store->store(0, std::move(batch));
        first->wait_stored(count + 1);
    }

    storage::QueueId define() {
        const storage::QueueId queue = store->new_queue_id();
        run([&](Batch& batch) { model.define(batch, queue, "/queue/" + std::to_string(queue)); });
        return queue;
    }

    TemporaryDirectory place;
    StoreModel model;
    std::unique_ptr<storage::MessageStore> store;
    std::unique_ptr<RecordingListener> first;
    std::unique_ptr<RecordingListener> second;
};

TEST_F(RocksStore, D_COM_02_PartsOfATransactionAreStoredTogetherOrNotAtAll) {
    const auto a = define();
    const auto b = define();
    auto part = urgent_batch();
    StoreModel with_parts = model;
    with_parts.append(*part, a, "one part");
    part->join({5, 2});
    store->store(0, std::move(part));
    // What comes before on another shard is stored; the lone part is not, even at the end.
    auto batch = urgent_batch();
    model.append(*batch, b, "alone");
    store->store(1, std::move(batch));
    second->wait_stored(1);
    EXPECT_EQ(first->stored_count(), 2U);
    reopen();
    auto again = urgent_batch();
    model.append(*again, a, "one part");
    again->join({5, 2});
    store->store(0, std::move(again));
    auto other = urgent_batch();
    model.append(*other, b, "other part");
    other->join({5, 2});
    store->store(1, std::move(other));
    first->wait_stored(1);
    second->wait_stored(1);
    reopen();
}

TEST_F(RocksStore, D_LSM_03_ManyGapsBecomeMarksAndComeBack) {
    const auto queue = define();
    run([&](Batch& batch) {
        for (int i = 0; i < 2000; ++i) {
            model.append(batch, queue, std::to_string(i));
        }
    });
    for (Sequence message = 2; message <= 2000; message += 4) {
        run([&](Batch& batch) { model.remove(batch, queue, {message, message + 1}); });
    }
    expect_same(read_all(*store, *first, queue, 2000), model.queues().at(queue));
    reopen();
    expect_same(read_all(*store, *first, queue, 2000), model.queues().at(queue));
    // The gaps close: the head runs over all of the marks.
    for (Sequence message = 1; message <= 2000; message += 4) {
        run([&](Batch& batch) {
            model.remove(batch, queue, {message, message});
            model.remove(batch, queue, {message + 3, message + 3});
        });
    }
    reopen();
    EXPECT_EQ(model.queues().at(queue).messages.size(), 0U);
}

TEST_F(RocksStore, D_LSM_03_WhatHasLeftIsDeletedInRanges) {
    const auto queue = define();
    for (int round = 0; round < 5; ++round) {
        run([&](Batch& batch) {
            for (int i = 0; i < 5000; ++i) {
                model.append(batch, queue, std::string(20, 'x'));
            }
        });
        const Sequence last = model.queues().at(queue).last;
        // The oldest stays, then goes: once beyond the head, once at it.
        run([&](Batch& batch) { model.remove(batch, queue, {last - 4998, last}); });
        run([&](Batch& batch) { model.remove(batch, queue, {last - 4999, last - 4999}); });
    }
    store->read(0, {1, queue, 1, 25'000, 100'000, 10'000'000});
    EXPECT_TRUE(first->wait_read().messages.empty());
    reopen();
}

TEST_F(RocksStore, ReadsEndAtTheirLimits) {
    const auto queue = define();
    run([&](Batch& batch) {
        for (int i = 0; i < 10; ++i) {
            model.append(batch, queue, "0123456789");
        }
        model.set_deliveries(batch, queue, 3, 7);
    });
    store->read(0, {1, queue, 2, 9, 3, 1000});
    store->read(1, {2, queue, 2, 9, 100, 11});
    store->read(0, {3, queue, 9, 9, 1, 1});
    storage::ReadResult read = first->wait_read();
    EXPECT_EQ(read.id, 1U);
    EXPECT_EQ(read.next, 5U);
    ASSERT_EQ(read.messages.size(), 3U);
    EXPECT_EQ(read.messages[1].deliveries, 7U);
    EXPECT_EQ(read.messages[2].deliveries, 0U);
    EXPECT_EQ(second->wait_read().next, 4U);
    read = first->wait_read();
    EXPECT_EQ(read.id, 3U);
    EXPECT_EQ(read.next, 10U);
}

TEST_F(RocksStore, LargeMessagesAreStoredAsBlobsAndComeBack) {
    const auto queue = define();
    run([&](Batch& batch) {
        for (std::size_t size = 1; size < 4'000'000; size *= 4) {
            model.append(batch, queue, std::string(size, static_cast<char>(size % 251)));
        }
    });
    reopen();
    const auto& expected = model.queues().at(queue);
    expect_same(read_all(*store, *first, queue, expected.last), expected);
}

TEST_F(RocksStore, D_RUN_03_CloseStoresWhatWasHandedOver) {
    const auto queue = define();
    for (int i = 0; i < 500; ++i) {
        auto batch = std::make_unique<Batch>();
        model.append(*batch, queue, std::to_string(i));
        store->store(0, std::move(batch));
    }
    reopen();
}

TEST_F(RocksStore, D_COM_01_ShardsHandOverAndReadAtTheSameTime) {
    constexpr int shards = 2;
    std::vector<storage::QueueId> queues = {define(), define()};
    std::vector<RecordingListener*> listeners = {first.get(), second.get()};
    std::vector<std::size_t> before = {first->stored_count(), second->stored_count()};
    std::vector<StoreModel> models(shards);
    std::vector<std::thread> threads;
    for (unsigned shard = 0; shard < shards; ++shard) {
        threads.emplace_back([&, shard] {
            Batch defined;
            StoreModel& own = models[shard];
            own.define(defined, queues[shard], "/queue/" + std::to_string(queues[shard]));
            std::mt19937_64 random(shard);
            for (std::size_t i = 1; i <= 300; ++i) {
                store->store(shard, own.random_batch(random));
                if (i % 50 != 0) { continue; }
                listeners[shard]->wait_stored(before[shard] + i);
                const auto& queue = own.queues().at(queues[shard]);
                constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
                store->read(shard, {1, queues[shard], 1, queue.last, unlimited, unlimited});
                expect_same(listeners[shard]->wait_read(), queue);
                EXPECT_TRUE(store->accepts_appends());
                EXPECT_TRUE(store->state().failure.empty());
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(store->close());
    store.reset();
    store = storage::open_rocks_store(options_for(place / "store"));
    const auto recovered = store->take_recovered();
    ASSERT_EQ(recovered.size(), 2U);
    expect_same({recovered[0]}, models[0]);
    expect_same({recovered[1]}, models[1]);
}

TEST_F(RocksStore, D_RUN_01_ASecondStoreOnTheSameDirectoryIsRefused) {
    EXPECT_THROW(
        static_cast<void>(storage::open_rocks_store(options_for(place / "store"))),
        storage::StoreError
    );
}

}  // namespace
