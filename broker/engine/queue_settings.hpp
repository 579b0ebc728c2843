// What one queue does, and why: policy over argument over default (P-SUB-14).
// Plain values, worked out once, when the queue is made.
#pragma once

#include "broker/engine/limits.hpp"
#include "broker/engine/policy.hpp"
#include "broker/engine/queue_arguments.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace engine {

struct QueueSettings {
    bool is_durable = false;
    bool is_auto_delete = false;
    bool is_exclusive = false;
    std::chrono::milliseconds idle_life{0};  ///< Without consumer; 0: as P-DEST-10 says.
    std::optional<std::chrono::milliseconds> message_ttl;
    /// Of messages that only memory holds, and, if `bounds_stored`, of all.
    std::uint64_t messages_max = 1'000'000;
    std::uint64_t bytes_max = 256ULL * 1024 * 1024;
    bool bounds_stored = false;
    Overflow overflow = Overflow::reject;
    int priority_max = 0;  ///< 0: first in, first out.
    int priority_default = 0;
    /// A destination; empty: none. Not set: `/queue/DLQ.` and the queue's name (P-ACK-11).
    std::optional<std::string> dead_letter;
    bool dead_letters_expired = false;
    bool dead_letters_overflow = false;
    std::uint32_t delivery_limit = 20;  ///< 0: none.
    RedeliveryPolicy redelivery;
    bool is_single_active = false;
    bool is_last_value = false;
    std::uint16_t policy = 0;  ///< Policy::number of the one that matches it; 0: none.

    /// Everything waiting is kept in memory, also of a durable queue: the order in which messages
    /// leave is not the one in which they are stored.
    [[nodiscard]] bool is_reordered() const { return priority_max != 0 || is_last_value; }
};

/// What queue `name` (canonical) gets. `policy`: the one that matches it, or null. `has_store`: the
/// broker has storage.
[[nodiscard]] QueueSettings queue_settings(
    std::string_view name,
    const Limits& limits,
    const Policy* policy,
    const QueueArguments& arguments,
    bool has_store
);

/// An argument of `asked` that differs from what the queue has and that no policy overrides:
/// refuses `bad-header` with both values.
[[nodiscard]] protocol::Result<void> check_arguments(
    std::string_view name,
    const QueueArguments& asked,
    const QueueSettings& has,
    const QueueArguments& made_with,
    const Policy* policy,
    bool has_store
);

}  // namespace engine
