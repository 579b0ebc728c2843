// A broker without sockets, threads and clock: shards with their routers, driven by a test.
// Clients must be gone before it is.
#pragma once

#include "broker/engine/authenticator.hpp"
#include "broker/engine/destinations.hpp"
#include "storage/memory_store.hpp"
#include "tests/support/queued_shard.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace support {

class TestBroker {
public:
    /// If `settings` have a store, it is started and what it holds is restored.
    explicit TestBroker(
        unsigned shards = 1,
        std::uint64_t seed = 1,
        WorkOrder order = WorkOrder::posted,
        const engine::RouterSettings& settings = {},
        engine::Instant start = engine::Instant{1'000'000}
    );
    ~TestBroker();
    TestBroker(const TestBroker&) = delete;
    TestBroker& operator=(const TestBroker&) = delete;

    /// To be changed before clients connect.
    [[nodiscard]] engine::Limits& limits() { return settings_.limits; }

    [[nodiscard]] std::vector<engine::Policy>& policies() { return settings_.policies; }

    [[nodiscard]] ShardGroup& shards() { return shards_; }

    /// From now on settle() stores what was handed over to `store`, and answers its reads; null:
    /// that is the test's again. It is what the broker's store is, or what is behind that.
    void drives(storage::MemoryStore* store) { driven_ = store; }

    [[nodiscard]] engine::Authenticator& authenticator() { return *asked_; }

    /// Sessions made from now on ask `authenticator` instead of the built-in one.
    void uses(engine::Authenticator& authenticator) { asked_ = &authenticator; }

    [[nodiscard]] engine::Destinations& router(unsigned shard) { return *rooms_[shard]->router; }

    [[nodiscard]] engine::TurnOutput& output(unsigned shard) { return rooms_[shard]->output; }

    /// Ends the turn of a shard as its loop does: hands over what is to be stored, flushes what has
    /// output.
    void end_turn(unsigned shard);
    /// True if no work is posted and no output waits for a flush.
    [[nodiscard]] bool is_at_rest() const;
    /// Runs posted work and ends turns until all is at rest. Fails a test that never is.
    void settle();
    /// Lets time pass, timer by timer.
    void advance(std::chrono::milliseconds time);
    /// What a clean stop does after the last client has left (D-RUN-03); the store is closed then.
    void prepares_stop();

    [[nodiscard]] engine::Counters counters() const;

    /// The shards in turn, for new connections.
    [[nodiscard]] unsigned next_shard() { return next_shard_++ % shards_.size(); }

private:
    struct Room {
        engine::TurnOutput output;
        std::unique_ptr<engine::Destinations> router;
    };

    void start_store();
    [[nodiscard]] bool drive_store();

    ShardGroup shards_;
    engine::RouterSettings settings_;
    storage::MemoryStore* driven_ = nullptr;
    engine::LoopbackAuthenticator authenticator_{false};
    engine::Authenticator* asked_ = &authenticator_;
    std::vector<std::unique_ptr<Room>> rooms_;
    unsigned next_shard_ = 0;
};

}  // namespace support
