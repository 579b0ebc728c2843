#include "broker/server/reloads.hpp"

#include "broker/log/log.hpp"
#include "broker/security/remote_keys.hpp"
#include "broker/server/rights.hpp"
#include "broker/server/system.hpp"

#include <chrono>
#include <exception>
#include <utility>

namespace server {

double wall_seconds() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration<double>(since).count();
}

std::vector<std::string> Reloads::take() {
    std::vector<std::string> errors = renew();
    for (const std::string& error : errors) {
        logging::error("reload-failed", error);
    }
    if (errors.empty()) {
        ++good_;
        configured_at_ = wall_seconds();
    } else {
        ++failed_;
        logging::warn(
            "reload-failed", "The old users, keys, access rules and limits stay in force."
        );
    }
    return errors;
}

std::vector<std::string> Reloads::renew() {
    ignored_.clear();
    if (!read_) { return {"there is nothing to read again"}; }
    const LoadedConfig loaded = read_();
    std::vector<std::string> errors;
    for (const ConfigError& error : loaded.errors) {
        errors.push_back(error.text());
    }
    return errors.empty() ? take_over(loaded) : errors;
}

std::vector<std::string> Reloads::take_over(const LoadedConfig& loaded) {
    Config config = loaded.config;
    // Read at start only, for listeners and for what is read again alike.
    config.strict_file_modes = parts_.config.strict_file_modes;
    if (config.auth.is_set() != (parts_.gate != nullptr)) {
        return {
            "[auth], [jwt], [hook] and client certificates: authentication is switched on or off "
            "by a restart only"};
    }
    try {
        exchange(config);
    } catch (const std::exception& error) { return {error.what()}; }
    logging::info(
        "reloaded",
        "Users, keys of tokens, access rules, limits and the log's level are those of now.",
        {{"rules", config.access_rules.size()}}
    );
    ignored_ = keys_for_restart(values_, loaded.values);
    for (const std::string& key : ignored_) {
        logging::warn("reload-ignored", key + ": it is read at start only", {{"key", key}});
    }
    values_ = values_after_reload(values_, loaded.values);
    return {};
}

// What can fail comes first.
void Reloads::exchange(const Config& config) {
    security::Gate* const gate = parts_.gate;
    LoadedSources found;
    if (gate != nullptr) { found = load_sources(config, *parts_.outbound, gate->sources()); }
    const auto authorizer = load_authorizer(config);
    for (const std::string& warning : found.warnings) {
        logging::warn("credentials", warning);
    }
    if (gate != nullptr) {
        if (found.sources.remote_keys) { found.sources.remote_keys->start(); }
        gate->exchange(std::move(found.sources));
    }
    set_rights(authorizer);
    set_limits(config);
    logging::set_level(config.log.level);
}

// On every shard: sessions are asked anew what they may.
void Reloads::set_rights(const std::shared_ptr<const engine::Authorizer>& authorizer) {
    for (const auto& shard : parts_.running.shards) {
        shard->post([authorizer, &authenticator = parts_.authenticator, router = &shard->router()] {
            router->set_authorizer(authorizer, authenticator);
        });
    }
}

// Every shard has copies of its own: no lock, no half of them.
void Reloads::set_limits(const Config& config) {
    take_limits(parts_.config, config);
    parts_.options = settled(parts_.config.transport);
    parts_.census.set_limits(parts_.options);
    for (const auto& shard : parts_.running.shards) {
        shard->post([shard = shard.get(), limits = parts_.config.limits, options = parts_.options] {
            shard->set_limits(limits, options);
        });
    }
}

}  // namespace server
