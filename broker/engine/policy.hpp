// What the operator wants for destinations by name: the slow-consumer policy of topics.
// Plain values; matched with the router's own patterns.
#pragma once

#include "protocol/destination.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

/// What happens to a topic subscription whose connection is over its outbound budget (P-LIM-03).
enum class SlowConsumerAction : std::uint8_t { disconnect, drop_oldest, drop_newest, conflate };

struct SlowConsumerPolicy {
    SlowConsumerAction action = SlowConsumerAction::disconnect;
    std::string conflate_key;  ///< The header whose equal values replace each other.
};

/// A policy for the topics whose canonical name matches `match`: a name or a topic pattern.
struct Policy {
    std::string match;
    SlowConsumerPolicy slow_consumer;
};

/// The first of `policies` that matches `destination`, or the default.
[[nodiscard]] SlowConsumerPolicy slow_consumer_policy(
    const std::vector<Policy>& policies,
    const protocol::Destination& destination,
    const protocol::Limits& limits
);

}  // namespace engine
