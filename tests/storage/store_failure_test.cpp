// Disks that fail while the store runs: it stops confirming, says so once, and never hopes.
// Faults come from the file system that the database is given.
#include "storage/rocks_store.hpp"
#include "storage/store_world.hpp"
#include "tests/storage/faulty_file_system.hpp"
#include "tests/storage/recording_listener.hpp"
#include "tests/storage/store_model.hpp"
#include "tests/storage/store_options.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

namespace {

using storage::StoreWorld;
using Fault = FaultyFileSystem::Fault;

/// Events of a store's log, to be waited for.
class Notices {
public:
    void add(const storage::Notice& notice) {
        const std::lock_guard lock(mutex_);
        events_.push_back(notice.event);
        changed_.notify_all();
    }

    void wait(const std::string& event) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, std::chrono::minutes(1), [&] {
            return std::ranges::count(events_, event) > 0;
        })) << event;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> events_;
};

class StoreFailure : public testing::Test {
protected:
    void open(storage::RocksOptions options) {
        options.notice = [this](const storage::Notice& notice) { notices.add(notice); };
        StoreWorld world;
        world.file_system = files;
        world.space = [this] { return space(); };
        store = storage::open_rocks_store(options, world);
        expect_same(store->take_recovered(), model);
        store->start({&listener, &other});
    }

    void open() { open(options_for(place / "store")); }

    void define() {
        auto batch = urgent_batch();
        model.define(*batch, store->new_queue_id(), "/queue/a");
        store->store(0, std::move(batch));
        listener.wait_stored(1);
    }

    void append(std::size_t size) {
        auto batch = urgent_batch();
        model.append(*batch, 1, std::string(size, 'x'));
        store->store(0, std::move(batch));
    }

    void expect_failed() {
        listener.wait_failed();
        other.wait_failed();
        EXPECT_FALSE(store->accepts_appends());
        EXPECT_FALSE(store->state().failure.empty());
        const std::size_t stored = listener.stored_count();
        files->set(Fault::none);
        append(10);
        EXPECT_FALSE(store->close());
        EXPECT_EQ(listener.stored_count(), stored);
        EXPECT_EQ(listener.failures().size(), 1U);
        EXPECT_EQ(other.failures().size(), 1U);
    }

    std::optional<storage::DiskSpace> space() {
        const std::lock_guard lock(mutex);
        return disk;
    }

    void set_free(std::uint64_t free) {
        const std::lock_guard lock(mutex);
        disk.free = free;
    }

    TemporaryDirectory place;
    std::mutex mutex;
    storage::DiskSpace disk{1ULL << 40, 1ULL << 39, 0, 0};
    std::shared_ptr<FaultyFileSystem> files = std::make_shared<FaultyFileSystem>();
    Notices notices;
    RecordingListener listener;
    RecordingListener other;
    StoreModel model;
    std::unique_ptr<storage::MessageStore> store;
};

TEST_F(StoreFailure, D_FS_01_AFailedSyncIsTheStoresEnd) {
    open();
    define();
    append(100);
    listener.wait_stored(2);
    files->set(Fault::log_sync);
    append(100);
    expect_failed();
    notices.wait("storage-failed");
}

TEST_F(StoreFailure, D_FS_01_AFailedWriteOfTheLogIsTheStoresEndAndWhatWasConfirmedIsThere) {
    open();
    define();
    append(100);
    listener.wait_stored(2);
    files->set(Fault::log_append);
    const StoreModel confirmed = model;
    append(100);
    expect_failed();
    store.reset();
    model = confirmed;
    open();
}

// The log holds the batch whose sync has failed. If tables were written then, as RocksDB does by
// itself when there is room, a crash between two of them would part queues' states from their
// messages: so many milliseconds are given to it.
TEST_F(StoreFailure, D_FS_01_AfterASyncWithoutRoomNoTableIsWritten) {
    open();
    define();
    for (std::size_t stored = 1; stored < 5; ++stored) {
        append(100);
        listener.wait_stored(stored + 1);
    }
    files->set(Fault::log_sync_full);
    auto batch = urgent_batch();
    model.remove(*batch, 1, {1, 2});
    store->store(0, std::move(batch));
    listener.wait_failed();
    EXPECT_FALSE(files->wait_for_table(std::chrono::milliseconds(300)));
    EXPECT_FALSE(store->close());
    store.reset();
    files->set(Fault::none);
    open();
}

TEST_F(StoreFailure, D_FS_01_AFailedSyncInRelaxedModeIsTheStoresEnd) {
    storage::RocksOptions options = options_for(place / "store");
    options.durability = storage::Durability::relaxed;
    options.relaxed_interval = std::chrono::milliseconds(1);
    open(options);
    EXPECT_EQ(store->state().durability, "relaxed");
    define();
    files->set(Fault::log_sync);
    append(100);
    expect_failed();
}

TEST_F(StoreFailure, D_FULL_03_AFullDiskDuringACommitIsTheStoresEnd) {
    open();
    define();
    files->set(Fault::log_full);
    append(100);
    expect_failed();
}

TEST_F(StoreFailure, D_FS_01_ATableThatCannotBeWrittenIsTheStoresEnd) {
    open();
    define();
    files->set(Fault::table_broken);
    // More than what is kept in memory, so that it is written to a table.
    for (int i = 0; i < 12'000; ++i) {
        append(7 * 1024);
    }
    expect_failed();
}

TEST_F(StoreFailure, D_FULL_03_ATableThatWaitsForSpaceHoldsTheStoreUpAndNoMore) {
    open();
    define();
    files->set(Fault::table_full);
    std::size_t batches = 1;
    for (int i = 0; i < 12'000; ++i, ++batches) {
        append(7 * 1024);
    }
    notices.wait("disk-full");
    EXPECT_FALSE(store->accepts_appends());
    EXPECT_THAT(listener.failures(), testing::IsEmpty());
    files->set(Fault::none);
    notices.wait("disk-recovered");
    listener.wait_stored(batches);
    EXPECT_TRUE(store->close());
    store.reset();
    open();
}

TEST_F(StoreFailure, D_FULL_01_BelowTheFloorNothingIsTakenAndAboveItIsAgain) {
    storage::RocksOptions options = options_for(place / "store");
    options.disk_floor = 1ULL << 30;
    open(options);
    define();
    EXPECT_TRUE(store->accepts_appends());
    set_free(1);
    notices.wait("disk-low");
    EXPECT_FALSE(store->accepts_appends());
    EXPECT_TRUE(store->state().is_disk_low);
    EXPECT_EQ(store->state().disk_free, 1U);
    // Removals go on.
    auto batch = urgent_batch();
    batch->set_dispatch_bound({1, 0});
    store->store(0, std::move(batch));
    listener.wait_stored(2);
    set_free(1ULL << 39);
    notices.wait("disk-recovered");
    EXPECT_TRUE(store->accepts_appends());
    EXPECT_TRUE(store->close());
}

}  // namespace
