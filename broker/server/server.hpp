// The assembly: builds shards, listeners and health from a configuration, runs them, drains them.
#pragma once

#include "broker/server/config.hpp"

namespace server {

/// Runs the broker until it has drained after SIGTERM or SIGINT; the calling thread becomes the
/// first shard. Logging must have been started. Returns the process's exit code; start-up failures
/// are exceptions of one sentence.
[[nodiscard]] int run(const Config& config);

}  // namespace server
