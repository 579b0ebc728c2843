// The store on disk against a model: random changes, clean stops, and stops that are none.
#include "storage/rocks_store.hpp"

#include "tests/storage/recording_listener.hpp"
#include "tests/storage/store_model.hpp"
#include "tests/storage/store_options.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <limits>

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

}  // namespace
