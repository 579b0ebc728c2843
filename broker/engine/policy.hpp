// What the operator wants for destinations by name: the life of queues, slow consumers and history
// of topics.
// Plain values; matched with the router's own patterns.
#pragma once

#include "broker/engine/queue_arguments.hpp"
#include "protocol/destination.hpp"

#include <chrono>
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

/// When a message that came back is delivered again: after `delay` for its first return, each
/// time `multiplier` times as long, at most `delay_max` (0: no limit but NACK's, a day).
struct RedeliveryPolicy {
    std::chrono::milliseconds delay{0};
    std::uint32_t multiplier = 1;
    std::chrono::milliseconds delay_max{0};

    friend bool operator==(const RedeliveryPolicy&, const RedeliveryPolicy&) = default;
};

/// What a policy says about queues; what is not set is left to arguments and defaults.
struct QueuePolicy {
    std::optional<std::chrono::milliseconds> message_ttl;
    std::optional<std::chrono::milliseconds> idle_life;  ///< Removed after so long unused.
    std::optional<std::uint64_t> messages_max;
    std::optional<std::uint64_t> bytes_max;
    std::optional<Overflow> overflow;
    std::optional<int> priority_max;
    std::optional<std::string> dead_letter;  ///< A destination; empty: none.
    bool dead_letters_expired = false;
    bool dead_letters_overflow = false;
    std::optional<std::uint32_t> delivery_limit;
    RedeliveryPolicy redelivery;
    std::optional<bool> auto_delete;
    bool is_single_active = false;
    bool is_last_value = false;

    friend bool operator==(const QueuePolicy&, const QueuePolicy&) = default;
};

/// How much a topic keeps (P-QOS-10): nothing, if all are 0; else as long as no bound that is not 0
/// is exceeded.
struct HistoryPolicy {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::chrono::milliseconds age{0};

    [[nodiscard]] bool keeps() const { return messages != 0 || bytes != 0 || age.count() != 0; }

    friend bool operator==(const HistoryPolicy&, const HistoryPolicy&) = default;
};

/// A policy for the destinations whose canonical name matches `match`: a name or a pattern of
/// topics or of queues.
struct Policy {
    std::string match;
    SlowConsumerPolicy slow_consumer;  ///< Of topics.
    /// Of queues, and of topics' history; not set: as the broker is (P-DEST-11).
    std::optional<bool> durable = std::nullopt;
    QueuePolicy queue = {};
    HistoryPolicy history = {};  ///< Of topics.
    std::uint16_t number = 0;    ///< Its place in the list, from 1, for counting.
};

/// What `match` stands for, with views into it: as protocol::parse_pattern, and patterns of queues
/// (`/queue/orders.*`), which no client can use, as is a `*` among other text of a level
/// (`/queue/*-user*`): any text within that level. Nothing if it is no name and no pattern.
[[nodiscard]] std::optional<protocol::Pattern> parse_match(
    std::string_view match, const protocol::Limits& limits
);

/// Whether `level` has a `*` among other text.
[[nodiscard]] bool is_part_pattern(std::string_view level);

/// The first of `policies` that matches `destination`, or null.
[[nodiscard]] const Policy* find_policy(
    const std::vector<Policy>& policies,
    const protocol::Destination& destination,
    const protocol::Limits& limits
);

}  // namespace engine
