// From the configuration to who comes in and what they may do: opens the files that it names.
// Start-up, reload and check-config; blocks. Errors are exceptions of one sentence.
#pragma once

#include "broker/engine/access.hpp"
#include "broker/engine/durable_name.hpp"
#include "broker/security/gate.hpp"
#include "broker/security/outbound.hpp"
#include "broker/server/config.hpp"

#include <memory>
#include <string>
#include <vector>

namespace server {

struct LoadedSources {
    security::Sources sources;
    std::vector<std::string> warnings;  ///< Files that others may read, keys left out.
};

/// Throws std::runtime_error if a file is missing, unreadable or wrong (S-BIND-05). What asks
/// others does so on `outbound`, once the caller starts it. Keys that `before` has fetched from
/// where they are still to be fetched are good until there are newer ones.
[[nodiscard]] LoadedSources load_sources(
    const Config& config, security::Outbound& outbound, const security::Sources& before = {}
);

/// The access list in force; null if everything is allowed: neither rules nor authentication
/// (S-ACL-02).
[[nodiscard]] std::shared_ptr<const engine::Authorizer> load_authorizer(const Config& config);

/// One line of the audit when the owner of a durable subscription has lost the right to read its
/// destination, and one when he has it again (S-ACL-11). Any thread.
void log_durable(const engine::DurableName& name, bool is_revoked);

}  // namespace server
