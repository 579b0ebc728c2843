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

    /// For those who only look.
    [[nodiscard]] std::vector<const transport::IoShard*> all_shards() const;
};

/// How a drain goes: the listeners stay open for `delay`, then the connections leave over `spread`,
/// and `timeout` after the delay everything is over.
struct DrainPace {
    std::chrono::milliseconds delay{0};
    std::chrono::milliseconds spread{0};
    std::chrono::milliseconds timeout{0};
    bool fills_spread = false;  ///< Few connections take that long too.

    /// On SIGTERM.
    [[nodiscard]] static DrainPace ordinary(const Config& config);

    /// On SIGUSR2: for those who come back elsewhere, one at a time.
    [[nodiscard]] static DrainPace lame_duck(const Config& config);

    /// When the store has failed (D-FS-01).
    [[nodiscard]] static DrainPace hurried(const Config& config);
};

class Drain {
public:
    /// `stop` ends the loops. It runs at the latest when the time of a drain is over.
    Drain(
        Running& running, transport::Census& census, StoreKeeper& store, std::function<void()> stop
    );

    /// Closes the listeners and tells one connection after the other to leave. If one is under way
    /// already, the one that is over sooner counts. Returns whether that is the new one.
    bool begin(const DrainPace& pace);

    [[nodiscard]] bool has_begun() const { return deadline_ != engine::Instant::max(); }

    /// Nobody is let in any more.
    [[nodiscard]] bool has_closed() const { return has_closed_; }

private:
    void close_listeners();
    void leave(std::size_t index, const DrainPace& pace);
    void await_connections();
    void await_store();
    void on_answer(bool is_idle);

    [[nodiscard]] transport::IoShard& first() { return *running_.shards.front(); }

    [[nodiscard]] bool is_late() { return first().now() >= deadline_; }

    Running& running_;
    transport::Census& census_;
    StoreKeeper& store_;
    const std::function<void()> stop_;
    engine::Instant deadline_ = engine::Instant::max();
    unsigned pace_number_ = 0;  ///< Of the pace that counts.
    bool has_closed_ = false;   ///< The listeners.
    bool is_prepared_ = false;  ///< For the end of the store.
    std::size_t awaited_ = 0;   ///< Shards that have not answered yet.
    bool is_idle_ = false;      ///< All that have answered are.
};

}  // namespace server
