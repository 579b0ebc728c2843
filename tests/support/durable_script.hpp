// The fixture of conversation scripts with a store, which survives its broker: crashes and stops
// are steps of the conversation. The disk is a storage::MemoryStore.
#pragma once

#include "storage/memory_store.hpp"
#include "tests/support/script.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace support {

using Texts = std::vector<std::string>;

/// Parameter: the number of shards. Alice, Bob and Carol are on the first three in turn.
class DurableScript : public ::testing::TestWithParam<unsigned> {
protected:
    DurableScript() { starts(); }

    ~DurableScript() override { ends(); }

    /// A new broker on an empty store, with `settings`; connects the clients.
    void starts();
    /// The broker dies now, with what was not stored; another one starts on what is left.
    void crashes();
    /// As crashes(), but from then on nothing is stored, and nothing read from the store, before
    /// commits() says so.
    void crashes_and_holds();
    /// A clean stop, and a new start.
    void restarts();

    /// The next start comes so much later than the end before it; else at the same time.
    void is_down_for(std::chrono::milliseconds time) { downtime_ = time; }

    /// Runs `scenario` on a new broker without storing anything, stores the first so many batches
    /// of each shard, for every choice of so many, crashes, and lets `check` look at what is left.
    void crashes_at_every_point(
        const std::function<void()>& scenario, const std::function<void()>& check
    );

    /// From now on nothing is stored before commits() says so.
    void holds() { broker->drives(nullptr); }

    /// Stores what was handed over, and lets the broker go on, until nothing is left to be stored.
    void commits();
    /// Stores the first batch of that shard's line (and what its transactions need), if there is
    /// one.
    void commits_one(unsigned shard);

    [[nodiscard]] unsigned shards() const { return GetParam(); }

    /// Names that live on `shard` (counted round), made different by `prefix`.
    [[nodiscard]] std::string queue_at(unsigned shard, const std::string& prefix = "q");
    [[nodiscard]] std::string topic_at(unsigned shard, const std::string& prefix = "t");

    [[nodiscard]] std::unique_ptr<TestClient> connected_client(
        const std::string& client_id = "", const std::string& login = ""
    );

    /// Takes and acknowledges all that `destination` holds: the bodies, those marked as redelivered
    /// with an asterisk.
    [[nodiscard]] Texts drained(const std::string& destination);
    /// What `client` has received: bodies of MESSAGEs, marked as above.
    [[nodiscard]] static Texts bodies(TestClient& client);

    /// The queues in the store by name.
    [[nodiscard]] Texts stored_names();

    engine::RouterSettings settings;
    std::unique_ptr<storage::MemoryStore> store;
    std::unique_ptr<TestBroker> broker;
    std::unique_ptr<TestClient> alice;
    std::unique_ptr<TestClient> bob;
    std::unique_ptr<TestClient> carol;

private:
    /// A broker that has ended, for clients of a test that still know it.
    struct Dead {
        std::unique_ptr<storage::MemoryStore> store;
        std::unique_ptr<TestBroker> broker;
    };

    void ends();
    void launches(bool is_driven = true);
    [[nodiscard]] bool stores_and_counts(std::vector<std::size_t>& chosen);
    [[nodiscard]] std::string name_at(const std::string& text, unsigned shard);

    std::vector<Dead> dead_;
    std::chrono::milliseconds downtime_{0};
    engine::Instant clock_{1'000'000};
};

}  // namespace support
