// The answers to "are you alive", "have you started" and "may I send you work" (O-4). They need no
// token and tell nothing else.
#pragma once

#include "broker/admin/api.hpp"

#include <functional>
#include <string>
#include <vector>

namespace admin {

/// One check: a problem, if there is one, fails the answer unless it is only to be shown.
struct Check {
    std::string name;
    std::string problem;
    bool is_needed = true;
};

using Checks = std::function<std::vector<Check>()>;

/// What health is made of; called on the first shard.
struct HealthChecks {
    std::string durability;  ///< The mode in force.
    Checks alive;            ///< Fails slowly, and looks at nothing but this process.
    Checks ready;            ///< Fails at once.
    Checks started;          ///< What the last run left has been recovered.
};

/// /healthz, /readyz, /startupz.
void add_health(Api& api, HealthChecks checks);

/// /metrics, in Prometheus's text format 0.0.4 (O-5).
void add_metrics(Api& api, Scope scope, std::function<std::string()> text);

}  // namespace admin
