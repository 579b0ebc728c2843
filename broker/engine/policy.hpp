// What the operator wants for destinations by name: slow consumers of topics, durability of queues.
// Plain values; matched with the router's own patterns.
#pragma once

#include "protocol/destination.hpp"

#include <cstdint>
#include <optional>
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

/// A policy for the destinations whose canonical name matches `match`: a name or a pattern of
/// topics or of queues.
struct Policy {
    std::string match;
    SlowConsumerPolicy slow_consumer;  ///< Of topics.
    std::optional<bool> durable =
        std::nullopt;  ///< Of queues; not set: as the broker is (P-DEST-11).
};

/// What `match` stands for, with views into it: as protocol::parse_pattern, and patterns of queues
/// (`/queue/orders.*`), which no client can use. Nothing if it is no name and no pattern.
[[nodiscard]] std::optional<protocol::Pattern> parse_match(
    std::string_view match, const protocol::Limits& limits
);

/// The first of `policies` that matches `destination`, or the default.
[[nodiscard]] SlowConsumerPolicy slow_consumer_policy(
    const std::vector<Policy>& policies,
    const protocol::Destination& destination,
    const protocol::Limits& limits
);

/// What the first of `policies` that matches `destination` says about durability, if anything.
[[nodiscard]] std::optional<bool> durable_policy(
    const std::vector<Policy>& policies,
    const protocol::Destination& destination,
    const protocol::Limits& limits
);

}  // namespace engine
