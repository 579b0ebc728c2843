// What a SUBSCRIBE asks for beyond its destination, in every dialect's spelling (P-SUB-10, -11).
// Parsed once; unsupported wishes are refused, not ignored (P-SUB-12).
#pragma once

#include "broker/engine/durable_name.hpp"
#include "broker/engine/limits.hpp"
#include "protocol/request.hpp"

#include <cstddef>
#include <optional>

namespace engine {

struct SubscriptionOptions {
    protocol::AckMode ack = protocol::AckMode::automatic;
    std::size_t window_messages = 256;
    std::size_t window_bytes = 4 * 1024 * 1024;
    int priority = 0;
    std::optional<DurableName> durable;    ///< Of topics; the session fills in who it is.
    std::optional<bool> is_queue_durable;  ///< The queue argument `durable` (P-SUB-14).

    friend bool operator==(const SubscriptionOptions&, const SubscriptionOptions&) = default;
};

/// `is_queue`: the destination is a queue, where `durable` and its like are queue arguments
/// (P-SUB-14).
[[nodiscard]] protocol::Result<SubscriptionOptions> subscription_options(
    const protocol::Subscribe& request, bool is_queue, const Limits& limits
);

}  // namespace engine
