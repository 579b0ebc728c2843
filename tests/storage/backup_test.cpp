// Copies of a store at work (D-RUN-05): whole, of one moment, and nothing is left of one that
// failed.
#include "storage/check.hpp"
#include "storage/rocks_store.hpp"
#include "storage/store_world.hpp"
#include "tests/storage/faulty_file_system.hpp"
#include "tests/storage/recording_listener.hpp"
#include "tests/storage/store_model.hpp"
#include "tests/storage/store_options.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Backup : public testing::Test {
protected:
    Backup() {
        storage::StoreWorld world;
        world.file_system = files;
        store = storage::open_rocks_store(options_for(place / "store"), world);
        store->start({&listener});
        auto batch = urgent_batch();
        model.define(*batch, store->new_queue_id(), "/queue/a");
        add(std::move(batch));
        append(100);
        append(100'000);  // In a file of its own.
        append(10);
        batch = urgent_batch();
        model.remove(*batch, 1, {1, 1});
        model.set_deliveries(*batch, 1, 2, 3);
        add(std::move(batch));
        listener.wait_stored(batches);
    }

    void add(std::unique_ptr<storage::Batch> batch) {
        store->store(0, std::move(batch));
        ++batches;
    }

    void append(std::size_t size) {
        auto batch = urgent_batch();
        model.append(*batch, 1, std::string(size, 'x'));
        add(std::move(batch));
    }

    std::future<std::string> begin(const std::string& directory) {
        const auto told = std::make_shared<std::promise<std::string>>();
        store->back_up(directory, [told](std::string error) { told->set_value(std::move(error)); });
        return told->get_future();
    }

    [[nodiscard]] std::string back_up(const std::string& directory) {
        return begin(directory).get();
    }

    [[nodiscard]] std::size_t entries() const {
        const auto all = std::filesystem::directory_iterator(place.path());
        return static_cast<std::size_t>(
            std::distance(std::filesystem::begin(all), std::filesystem::end(all))
        );
    }

    TemporaryDirectory place;
    std::shared_ptr<FaultyFileSystem> files = std::make_shared<FaultyFileSystem>();
    RecordingListener listener;
    StoreModel model;
    std::size_t batches = 0;
    std::unique_ptr<storage::MessageStore> store;
};

TEST_F(Backup, D_RUN_05_ItHoldsWhatWasStoredAndIsAStore) {
    EXPECT_EQ(back_up(place / "copy/"), "");
    const StoreModel then = model;
    append(50);
    listener.wait_stored(batches);
    EXPECT_THAT(storage::check(place / "copy").faults, IsEmpty());
    const auto copy = storage::open_rocks_store(options_for(place / "copy"));
    expect_same(copy->take_recovered(), then);
    EXPECT_TRUE(copy->close());
    EXPECT_TRUE(store->close());
    const auto again = storage::open_rocks_store(options_for(place / "store"));
    expect_same(again->take_recovered(), model);
}

TEST_F(Backup, D_RUN_05_OneOfAStoreThatIsWrittenToIsOfOneMoment) {
    for (int round = 0; round < 3; ++round) {
        const std::string directory = place / ("copy" + std::to_string(round));
        const storage::Sequence before = model.queues().at(1).last;
        auto told = begin(directory);
        while (told.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
            append(1000);
            listener.wait_stored(batches);
        }
        EXPECT_EQ(told.get(), "");
        EXPECT_THAT(storage::check(directory).faults, IsEmpty());
        const auto copy = storage::open_rocks_store(options_for(directory));
        const auto queues = copy->take_recovered();
        ASSERT_EQ(queues.size(), 1U);
        EXPECT_GE(queues.front().last, before);
        EXPECT_LE(queues.front().last, model.queues().at(1).last);
    }
}

TEST_F(Backup, D_RUN_05_WrongPlacesAreRefusedAndNothingIsLeft) {
    const std::size_t before = entries();
    EXPECT_THAT(back_up("copy"), HasSubstr("from the root"));
    EXPECT_THAT(back_up(place / "store"), HasSubstr("a name that is free"));
    EXPECT_THAT(back_up(place / "not/there"), HasSubstr(place / "not/there.part"));
    EXPECT_EQ(entries(), before);
}

TEST_F(Backup, D_RUN_05_OnlyOneAtATime) {
    auto first = begin(place / "copy");
    auto second = begin(place / "copy2");
    const std::string errors = first.get() + second.get();
    EXPECT_TRUE(errors.empty() || errors.find("another backup") != std::string::npos) << errors;
    EXPECT_EQ(back_up(place / "copy3"), "");
}

TEST_F(Backup, D_RUN_05_OneThatFailsLeavesNothing) {
    const std::size_t before = entries();
    files->set(FaultyFileSystem::Fault::table_broken);
    EXPECT_THAT(back_up(place / "copy"), HasSubstr("cannot be made"));
    EXPECT_EQ(entries(), before);
}

TEST_F(Backup, D_RUN_05_ClosingWaitsForIt) {
    auto told = begin(place / "copy");
    EXPECT_TRUE(store->close());
    ASSERT_EQ(told.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_EQ(told.get(), "");
    EXPECT_THAT(storage::check(place / "copy").faults, IsEmpty());
}

}  // namespace
