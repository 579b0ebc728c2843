// The end of a run: clients are told to leave, what they changed is stored, the loops stop
// (P-ERR-06). Lives on the first shard; begun at most once.
#pragma once

#include "broker/server/store.hpp"
#include "broker/transport/connection.hpp"
#include "broker/transport/io_shard.hpp"
#include "broker/transport/listener.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace server {

/// What a drain works on; all of it outlives the drain. A shard and its connections have the same
/// index.
struct Running {
    std::vector<std::unique_ptr<transport::IoShard>> shards;
    std::vector<std::unique_ptr<transport::ConnectionSet>> connections;
    std::vector<std::shared_ptr<transport::Listener>> listeners;
};

class Drain {
public:
    /// `stop` ends the loops. It runs at the latest when the time of a drain is over.
    Drain(
        const transport::Options& options,
        Running& running,
        transport::Census& census,
        StoreKeeper& store,
        std::function<void()> stop
    );

    /// Closes the listeners and tells one connection after the other to leave.
    void begin();

    /// The same in 5 s at most, even if it has begun: the store has failed (D-FS-01).
    void hurry();

private:
    void leave(std::size_t index, std::chrono::milliseconds spread);
    void await_connections();
    void await_store();
    void on_answer(bool is_idle);

    [[nodiscard]] transport::IoShard& first() { return *running_.shards.front(); }

    [[nodiscard]] bool is_late() { return first().now() >= deadline_; }

    Running& running_;
    transport::Census& census_;
    StoreKeeper& store_;
    const std::function<void()> stop_;
    std::chrono::milliseconds spread_;
    std::chrono::milliseconds timeout_;
    engine::Instant deadline_ = engine::Instant::max();
    bool has_begun_ = false;
    bool is_prepared_ = false;  ///< For the end of the store.
    std::size_t awaited_ = 0;   ///< Shards that have not answered yet.
    bool is_idle_ = false;      ///< All that have answered are.
};

}  // namespace server
