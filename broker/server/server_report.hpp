// What the admin listener tells of the server beyond its shards: health, metrics, the overview.
// Asked on the first shard; looks, changes nothing and waits for nothing.
#pragma once

#include "broker/admin/figures.hpp"
#include "broker/admin/health.hpp"
#include "broker/admin/overview.hpp"
#include "broker/server/alarms.hpp"
#include "broker/server/drain.hpp"
#include "broker/server/listeners.hpp"
#include "broker/server/pulse.hpp"
#include "broker/server/reloads.hpp"
#include "broker/server/store.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace server {

class ServerReport {
public:
    /// What it looks at; all of it outlives the report and what it has given out.
    struct Parts {
        const Config& config;
        const transport::Options& options;  ///< In force.
        const Running& running;
        const transport::Census& census;
        const security::Gate* gate;  ///< Null: no authentication is configured.
        const StoreKeeper& store;
        const Listeners& listeners;
        const Reloads& reloads;
        const Alarms& alarms;
        const Drain& drain;
        const Pulse& pulse;
        const bool& is_serving;  ///< Connections are accepted.
    };

    explicit ServerReport(const Parts& parts) : parts_(parts) {}

    ServerReport(const ServerReport&) = delete;
    ServerReport& operator=(const ServerReport&) = delete;

    [[nodiscard]] admin::HealthChecks health() const;

    /// What makes the text of /metrics, once every listener is bound.
    [[nodiscard]] std::function<std::string()> metrics() const;

    /// For the overview.
    [[nodiscard]] admin::ServerView view() const;

private:
    [[nodiscard]] std::string state() const;
    [[nodiscard]] std::vector<admin::Check> live_checks() const;
    [[nodiscard]] std::vector<admin::Check> ready_checks() const;
    [[nodiscard]] admin::Figures figures() const;

    const Parts parts_;
    const engine::Instant started_at_ = std::chrono::duration_cast<engine::Instant>(
        std::chrono::steady_clock::now().time_since_epoch()
    );
};

}  // namespace server
