// What a SUBSCRIBE asks for beyond its destination, in every dialect's spelling (P-SUB-10, -11).
// Parsed once; a wish that cannot be granted is refused, not ignored (P-SUB-12).
#pragma once

#include "broker/engine/durable_name.hpp"
#include "broker/engine/limits.hpp"
#include "broker/engine/queue_arguments.hpp"
#include "protocol/request.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace engine {

/// Where a subscription to a topic with history begins (P-QOS-11).
struct Replay {
    enum class From : std::uint8_t {
        live,    ///< Only what comes from now on: not asked for, or `next`.
        first,   ///< The oldest kept message.
        last,    ///< The newest kept message.
        offset,  ///< The message numbered `value`.
        time,    ///< The first published at or after `value`, ms since 1970.
    };
    From from = From::live;
    std::uint64_t value = 0;
    bool is_required = false;  ///< Refused where there is no history (P-QOS-13).

    friend bool operator==(const Replay&, const Replay&) = default;
};

struct SubscriptionOptions {
    protocol::AckMode ack = protocol::AckMode::automatic;
    std::size_t window_messages = 256;
    std::size_t window_bytes = 4 * 1024 * 1024;
    int priority = 0;
    std::optional<DurableName> durable;  ///< Of topics; the session fills in who it is.
    std::string selector = {};           ///< Its text; empty: none (section 16).
    bool no_local = false;
    bool is_single_active = false;     ///< `activemq.exclusive`, on queues.
    bool is_browser = false;           ///< On queues.
    std::string sequence_header = {};  ///< `include-seq`: a header that also has the offset.
    Replay replay = {};
    QueueArguments arguments = {};  ///< On queues.

    friend bool operator==(const SubscriptionOptions&, const SubscriptionOptions&) = default;
};

/// `is_queue`: the destination is a queue, where `durable` and its like are queue arguments
/// (P-SUB-14).
[[nodiscard]] protocol::Result<SubscriptionOptions> subscription_options(
    const protocol::Subscribe& request, bool is_queue, const Limits& limits
);

}  // namespace engine
