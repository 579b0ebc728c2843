// The store in the life of the broker: when there is one, what is said about it, and its failures.
#include "broker/server/store.hpp"

#include "broker/log/log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace server {
namespace {

/// What the test sees of a store that its keeper owns.
struct FakeState {
    std::string failure;
    std::uint64_t damaged = 0;
    bool is_disk_low = false;
    bool closes_well = true;
    std::size_t listeners = 0;
    unsigned closed = 0;
};

class FakeStore : public storage::MessageStore {
public:
    explicit FakeStore(FakeState& state) : state_(state) {}

    std::vector<storage::RecoveredQueue> take_recovered() override {
        storage::RecoveredQueue queue;
        queue.definition.name = "/queue/a";
        queue.messages = 3;
        return {queue};
    }

    void start(std::vector<storage::StoreListener*> listeners) override {
        state_.listeners = listeners.size();
    }

    storage::QueueId new_queue_id() override { return 1; }

    void store(unsigned, std::unique_ptr<storage::Batch>) override {}

    void read(unsigned, storage::ReadRequest) override {}

    [[nodiscard]] storage::StoreState state() const override {
        storage::StoreState state;
        state.failure = state_.failure;
        state.damaged = state_.damaged;
        state.is_disk_low = state_.is_disk_low;
        state.durability = "relaxed";
        return state;
    }

    [[nodiscard]] bool accepts_appends() const override { return !state_.is_disk_low; }

    bool close() override {
        ++state_.closed;
        return state_.closes_well && state_.failure.empty();
    }

private:
    FakeState& state_;
};

std::vector<admin::Check> checks_of(const StoreKeeper& keeper) {
    std::vector<admin::Check> checks;
    keeper.add_checks(checks);
    return checks;
}

class Keeper : public testing::Test {
protected:
    [[nodiscard]] std::unique_ptr<StoreKeeper> started() {
        auto keeper = std::make_unique<StoreKeeper>(std::make_unique<FakeStore>(state), options);
        keeper->start({nullptr, nullptr});
        return keeper;
    }

    FakeState state;
    StorageOptions options;
};

TEST_F(Keeper, WithoutAStoreNothingIsDurable) {
    StoreKeeper keeper(nullptr, options);
    keeper.start({nullptr});
    EXPECT_EQ(keeper.get(), nullptr);
    EXPECT_EQ(keeper.durability(), "memory");
    EXPECT_TRUE(keeper.take_recovered().empty());
    EXPECT_FALSE(keeper.watch());
    EXPECT_TRUE(checks_of(keeper).empty());
    keeper.close();
    EXPECT_FALSE(keeper.has_failed());
}

TEST_F(Keeper, HandsOverWhatWasRecoveredAndListensForAllShards) {
    const auto keeper = started();
    EXPECT_EQ(keeper->durability(), "relaxed");
    EXPECT_EQ(state.listeners, 2U);
    const auto queues = keeper->take_recovered();
    ASSERT_EQ(queues.size(), 1U);
    EXPECT_EQ(queues[0].definition.name, "/queue/a");
}

TEST_F(Keeper, D_FS_01_AFailureIsToldOnceAndStaysInReadyz) {
    const auto keeper = started();
    EXPECT_FALSE(keeper->watch());
    ASSERT_EQ(checks_of(*keeper).size(), 2U);
    EXPECT_EQ(checks_of(*keeper)[0].problem, "");
    state.failure = "no";
    EXPECT_TRUE(keeper->watch());
    EXPECT_FALSE(keeper->watch());
    EXPECT_TRUE(keeper->has_failed());
    EXPECT_EQ(checks_of(*keeper)[0].problem, "the store has failed: no");
}

TEST_F(Keeper, D_ROCK_01_DamagedRecordsAreReported) {
    testing::internal::CaptureStderr();
    logging::init({logging::Level::info, logging::Format::json, false});
    const auto keeper = started();
    state.damaged = 2;
    EXPECT_FALSE(keeper->watch());
    EXPECT_FALSE(keeper->watch());
    state.damaged = 3;
    EXPECT_FALSE(keeper->watch());
    logging::shutdown();
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
    EXPECT_NE(text.find("\"event\":\"record-damaged\",\"records\":2,\"total\":2"), text.npos)
        << text;
    EXPECT_NE(text.find("\"records\":1,\"total\":3"), text.npos) << text;
}

TEST_F(Keeper, D_FULL_04_ALowDiskIsShownAndCountsIfWanted) {
    state.is_disk_low = true;
    EXPECT_FALSE(checks_of(*started()).at(1).is_needed);
    options.ready_requires_disk = true;
    const auto keeper = started();
    ASSERT_EQ(checks_of(*keeper).size(), 2U);
    EXPECT_EQ(checks_of(*keeper)[1].name, "disk");
    EXPECT_TRUE(checks_of(*keeper)[1].is_needed);
    EXPECT_NE(checks_of(*keeper)[1].problem, "");
    state.is_disk_low = false;
    EXPECT_EQ(checks_of(*keeper)[1].problem, "");
}

TEST_F(Keeper, D_RUN_03_ClosesOnceAndSaysWhetherItWorked) {
    {
        const auto keeper = started();
        keeper->close();
        EXPECT_FALSE(keeper->has_failed());
    }
    EXPECT_EQ(state.closed, 1U);
    state.closes_well = false;
    const auto keeper = started();
    keeper->close();
    EXPECT_TRUE(keeper->has_failed());
    EXPECT_EQ(state.closed, 2U);
}

TEST_F(Keeper, ClosesAStoreThatWasStartedWhateverHappens) {
    { const auto keeper = started(); }
    EXPECT_EQ(state.closed, 1U);
}

TEST(OpenStore, OpensNothingWithoutDirectoryOrWithDurabilityMemory) {
    Config config;
    EXPECT_EQ(open_store(config), nullptr);
    config.storage.directory = testing::TempDir() + "stampede-store-not-made";
    config.storage.durability = Durability::memory;
    EXPECT_EQ(open_store(config), nullptr);
    EXPECT_FALSE(std::filesystem::exists(config.storage.directory));
}

}  // namespace
}  // namespace server
