#include "broker/server/server_report.hpp"

#include "broker/admin/metrics.hpp"
#include "broker/log/log.hpp"
#include "broker/security/remote_keys.hpp"
#include "broker/server/admin_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace server {

namespace {

constexpr std::chrono::milliseconds hang_time{10'000};  // Of a loop that counts as dead.

admin::LoginFigures login_figures(const security::Gate& gate) {
    const security::Sources sources = gate.sources();
    admin::LoginFigures figures{gate.cache_hits(), gate.hashing().waiting, std::nullopt};
    if (!sources.remote_keys) { return figures; }
    const security::RemoteKeys::Counters counters = sources.remote_keys->counters();
    figures.keys = admin::KeyFigures{counters.good, counters.failures, {}};
    if (counters.fetched_at.time_since_epoch().count() != 0) {
        const auto age = std::chrono::steady_clock::now() - counters.fetched_at;
        figures.keys->age = std::chrono::duration<double>(age).count();
    }
    return figures;
}

}  // namespace

admin::HealthChecks ServerReport::health() const {
    return {
        parts_.store.durability(),
        [this] { return live_checks(); },
        [this] { return ready_checks(); },
        [this] {
            return std::vector<admin::Check>{{"recovery", parts_.is_serving ? "" : "under way"}};
        }};
}

std::string ServerReport::state() const {
    if (parts_.drain.has_begun()) { return "draining"; }
    return parts_.is_serving ? "serving" : "starting";
}

// The first shard answers by answering at all, the others by their pulse (O-4).
std::vector<admin::Check> ServerReport::live_checks() const {
    std::vector<admin::Check> checks{{"loop", ""}};
    for (const auto& [shard, time] : parts_.pulse.silent_for(hang_time)) {
        checks.push_back(
            {fmt::format("shard-{}", shard),
             fmt::format("its event loop has not answered for {} s", time.count() / 1000)}
        );
    }
    return checks;
}

std::vector<admin::Check> ServerReport::ready_checks() const {
    std::vector<admin::Check> checks{
        {"serving", state() == "serving" ? "" : state()},
        {"memory",
         parts_.alarms.memory().level() >= 2 ? "memory alarm 2: limits.memory is nearly used up"
                                             : ""},
    };
    parts_.store.add_checks(checks);
    return checks;
}

std::function<std::string()> ServerReport::metrics() const {
    admin::Metrics::Names names;
    names.listeners = parts_.listeners.names();
    names.policies.emplace_back("default");
    for (const engine::Policy& policy : parts_.config.policies) {
        names.policies.push_back(policy.match);
    }
    const auto metrics = std::make_shared<const admin::Metrics>(
        parts_.running.all_shards(), std::move(names), [this] { return figures(); }
    );
    return [metrics] { return metrics->text(); };
}

admin::Figures ServerReport::figures() const {
    admin::Figures figures;
    const auto checks = ready_checks();
    figures.is_ready = std::ranges::all_of(checks, [](const admin::Check& check) {
        return check.problem.empty() || !check.is_needed;
    });
    figures.is_draining = parts_.drain.has_begun();
    figures.reloads_good = parts_.reloads.good();
    figures.reloads_failed = parts_.reloads.failed();
    figures.configured_at = parts_.reloads.configured_at();
    figures.log_lines_suppressed = logging::suppressed_total();
    figures.log_lines_lost = logging::overrun_total();
    figures.unauthenticated = parts_.census.unauthenticated();
    figures.memory_used = parts_.alarms.memory().used();
    figures.memory_limit = parts_.options.memory_limit;
    figures.memory_alarm = parts_.alarms.memory().level();
    figures.durability = parts_.store.durability();
    figures.store = parts_.store.figures();
    if (parts_.gate != nullptr) { figures.logins = login_figures(*parts_.gate); }
    for (const auto& [listener, expires_at] : parts_.listeners.expiries()) {
        figures.certificates.push_back({listener, static_cast<double>(expires_at) / 1000});
    }
    return figures;
}

admin::ServerView ServerReport::view() const {
    admin::ServerView view;
    view.state = parts_.drain.has_begun() ? "draining" : parts_.is_serving ? "serving" : "starting";
    view.started_at = started_at_;
    view.unauthenticated = parts_.census.unauthenticated();
    const std::size_t connections = parts_.census.connections();
    view.connections = connections - std::min(connections, view.unauthenticated);
    view.memory_limit = parts_.options.memory_limit;
    view.memory_alarm = parts_.alarms.memory().level();
    view.listeners = parts_.listeners.views();
    show_store(view, parts_.store);
    const auto now = static_cast<std::int64_t>(parts_.running.shards.front()->wall_clock_ms());
    for (const auto& [listener, expires_at] : parts_.listeners.expiries()) {
        show_certificate(view, listener, expires_at, now);
    }
    show_alarms(view, parts_.store);
    return view;
}

}  // namespace server
