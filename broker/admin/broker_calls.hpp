// The calls about the broker as a whole: what it is, how it fares, how it is configured, its end.
// What they tell and do is the server's; they run on the first shard.
#pragma once

#include "broker/admin/api.hpp"
#include "broker/admin/overview.hpp"
#include "broker/admin/sampler.hpp"
#include "broker/admin/shards.hpp"

#include <functional>
#include <string>
#include <vector>

namespace admin {

/// A value of the configuration in force, as print-config shows it.
struct ConfigValue {
    std::string key;
    std::string value;
    std::string origin;
};

struct PolicyView {
    std::string name;
    std::string match;
    std::string origin;
    std::vector<ConfigValue> settings;
};

/// What a reload came to.
struct ReloadResult {
    std::vector<std::string> errors;   ///< A sentence each; none if all is well.
    std::vector<std::string> ignored;  ///< Keys whose change needs a restart.
};

/// What the server offers; called on the first shard.
struct BrokerHandles {
    std::function<ServerView()> view;
    const Sampler* sampler = nullptr;
    std::function<std::vector<ConfigValue>()> config;
    std::vector<PolicyView> policies;  ///< In the order in which they are asked.
    /// What SIGHUP does.
    std::function<ReloadResult()> reload;
    /// What SIGTERM does, or SIGUSR2; false: a drain is under way that is no slower.
    std::function<bool(bool is_lame_duck)> drain;
    /// MessageStore::back_up().
    std::function<void(std::string directory, std::function<void(std::string error)> done)> back_up;
};

/// GET openapi.json, overview, history, policies, config; POST reload, drain, backup. `shards`
/// outlives the calls.
void add_broker_calls(Api& api, const Shards& shards, BrokerHandles handles);

}  // namespace admin
