// The assembly: builds shards, listeners and health from a configuration, runs them, drains them.
#pragma once

#include "broker/server/config.hpp"
#include "broker/server/store.hpp"

namespace server {

/// Runs the broker until it has drained after SIGTERM or SIGINT, or its store has failed; the
/// calling thread becomes the first shard. Logging must have been started. Returns the process's
/// exit code: 0, or 7 if the store failed. Start-up failures are exceptions of one sentence, those
/// of the store storage::StoreError.
[[nodiscard]] int run(const Config& config, const StoreFactory& make_store = open_store);

}  // namespace server
