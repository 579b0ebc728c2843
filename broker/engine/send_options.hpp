// What a SEND asks for beyond its destination and transaction, in every dialect's spelling
// (section 15 of docs/protocol.md). Parsed once for each head; nothing is ignored silently
// (P-SEND-06).
#pragma once

#include "broker/engine/queue_arguments.hpp"
#include "protocol/request.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace engine {

enum class Retain : std::uint8_t { none, set, remove };

/// When a message is routed, and how often again (P-QOS-03).
struct Delay {
    std::int64_t delay_ms = 0;               ///< From now, if `at_ms` is not set.
    std::optional<std::int64_t> at_ms = {};  ///< Since 1970.
    std::int64_t period_ms = 0;              ///< 0: once.
    std::uint32_t repeats = 0;               ///< Further times after the first.

    /// Milliseconds since 1970.
    [[nodiscard]] std::int64_t due(std::int64_t now_ms) const {
        return at_ms ? (*at_ms > now_ms ? *at_ms : now_ms) : now_ms + delay_ms;
    }
};

struct SendOptions {
    std::int64_t expires_at = 0;         ///< `expires`: ms since 1970; 0: never.
    std::optional<std::int64_t> ttl_ms;  ///< The smaller of `expiration` and `ttl`.
    std::optional<Delay> delay;
    Retain retain = Retain::none;  ///< Topics only.
    std::string dedup_id;          ///< Empty: none (P-QOS-06).
    std::string session;           ///< `x-session` (P-USER-02).
    QueueArguments arguments;      ///< Queues only.

    [[nodiscard]] bool expires() const { return expires_at != 0 || ttl_ms.has_value(); }

    /// When a message sent now expires: ms since 1970, or 0.
    [[nodiscard]] std::int64_t expiry(std::int64_t now_ms) const;
};

/// Refuses `bad-header`, and `unsupported` for AMQ_SCHEDULED_CRON.
[[nodiscard]] protocol::Result<SendOptions> send_options(
    const protocol::Send& request, bool is_queue, bool is_user
);

}  // namespace engine
