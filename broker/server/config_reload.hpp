// What SIGHUP takes over from a configuration that was read again, and what needs a restart.
// Pure.
#pragma once

#include "broker/server/config.hpp"

#include <functional>
#include <string>
#include <vector>

namespace server {

/// The configuration as it is now, from where it came from.
using Reload = std::function<LoadedConfig()>;

/// Puts the limits and heart-beats of `fresh` into `running`: `[limits]` and `[heartbeat]`.
void take_limits(Config& running, Config fresh);

/// The keys whose values in `fresh` are others than in `running`, but are read at start only, in
/// order: `storage.directory`, or the whole entry of a repeated section, `policy[0]`.
[[nodiscard]] std::vector<std::string> keys_for_restart(
    const std::vector<EffectiveValue>& running, const std::vector<EffectiveValue>& fresh
);

/// The values in force once those that are read again are taken over from `fresh`.
[[nodiscard]] std::vector<EffectiveValue> values_after_reload(
    const std::vector<EffectiveValue>& running, const std::vector<EffectiveValue>& fresh
);

}  // namespace server
