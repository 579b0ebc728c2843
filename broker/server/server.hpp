// The assembly: builds shards, listeners and health from a configuration, runs them, drains them.
#pragma once

#include "broker/server/config.hpp"
#include "broker/server/config_reload.hpp"
#include "broker/server/store.hpp"

#include <stdexcept>

namespace server {

/// A file that the configuration names is no good.
class BadConfiguration : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Runs the broker until it has drained after SIGTERM or SIGINT, or its store has failed; the
/// calling thread becomes the first shard. SIGHUP takes users, keys of tokens, access rules, limits
/// and the log's level over from what `reload` returns (S-ACL-11), and certificates from their
/// files; what is wrong leaves the old ones in force (S-BIND-05), and what needs a restart is named
/// in the log. Logging must have been started. Returns the process's exit code: 0, or 7 if the
/// store failed. Start-up failures are exceptions of one sentence: BadConfiguration and
/// tls::Error, those of the store storage::StoreError, others std::runtime_error.
[[nodiscard]] int run(
    const LoadedConfig& loaded,
    const StoreFactory& make_store = open_store,
    const Reload& reload = {}
);

}  // namespace server
