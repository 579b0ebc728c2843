// What SIGHUP and POST reload exchange: users, keys, access rules and limits, all or none of them.
// Lives on the first shard.
#pragma once

#include "broker/engine/access.hpp"
#include "broker/security/gate.hpp"
#include "broker/security/outbound.hpp"
#include "broker/server/config.hpp"
#include "broker/server/config_reload.hpp"
#include "broker/server/drain.hpp"
#include "broker/transport/options.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace server {

/// Seconds since 1970.
[[nodiscard]] double wall_seconds();

class Reloads {
public:
    /// What they change; all of it outlives them.
    struct Parts {
        Config& config;
        transport::Options& options;  ///< config.transport, with what "auto" stands for.
        transport::Census& census;
        Running& running;
        const engine::Authenticator& authenticator;
        security::Gate* gate;          ///< Null: no authentication is configured.
        security::Outbound* outbound;  ///< Null without a gate.
    };

    /// `read` gives the configuration as it is now; `values` are those in force.
    Reloads(const Parts& parts, Reload read, std::vector<EffectiveValue> values)
        : parts_(parts), read_(std::move(read)), values_(std::move(values)) {}

    /// Takes over what can be taken over from the configuration as it is now. Returns what is wrong
    /// with it, a sentence each; then the old one stays in force. Both are logged.
    [[nodiscard]] std::vector<std::string> take();

    /// Keys that differ, but are read at start only; those of the last take().
    [[nodiscard]] const std::vector<std::string>& ignored() const { return ignored_; }

    /// In force.
    [[nodiscard]] const std::vector<EffectiveValue>& values() const { return values_; }

    [[nodiscard]] std::uint64_t good() const { return good_; }

    [[nodiscard]] std::uint64_t failed() const { return failed_; }

    /// When the configuration in force was taken over, in seconds since 1970.
    [[nodiscard]] double configured_at() const { return configured_at_; }

private:
    [[nodiscard]] std::vector<std::string> renew();
    [[nodiscard]] std::vector<std::string> take_over(const LoadedConfig& loaded);
    void exchange(const Config& config);
    void set_rights(const std::shared_ptr<const engine::Authorizer>& authorizer);
    void set_limits(const Config& config);

    const Parts parts_;
    const Reload read_;
    std::vector<EffectiveValue> values_;
    std::vector<std::string> ignored_;
    std::uint64_t good_ = 0;
    std::uint64_t failed_ = 0;
    double configured_at_ = wall_seconds();
};

}  // namespace server
