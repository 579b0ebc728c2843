// What one shard counts: plain numbers, written by its thread only; the transport takes snapshots.
// Bounded: fixed arrays by token and kind, and one place for each policy.
#pragma once

#include "broker/engine/access.hpp"
#include "broker/engine/histogram.hpp"
#include "broker/engine/principal.hpp"
#include "protocol/command.hpp"
#include "protocol/error.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace engine {

/// Messages of the destinations of one policy.
struct PolicyCounters {
    std::uint64_t published = 0;  ///< SENDs that were well-formed and allowed.
    std::uint64_t delivered = 0;  ///< MESSAGE frames.
};

/// Logins of one method.
struct LoginCounters {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    LongTimes time;  ///< From CONNECT to the answer, refusals that are held back included.
};

/// What a subscription reads.
enum class SubscriptionKind : std::uint8_t { topic, wildcard, queue, browser, durable, temporary };

inline constexpr std::size_t subscription_kind_count = 6;

struct Counters {
    std::uint64_t messages_acked = 0;
    std::uint64_t messages_nacked = 0;
    std::uint64_t messages_redelivered = 0;
    std::uint64_t messages_dead_lettered = 0;
    std::uint64_t messages_unroutable = 0;  ///< To who is gone or absent (P-TEMP-04, P-USER-04).
    std::uint64_t messages_dropped_oldest = 0;  ///< By slow-consumer policy.
    std::uint64_t messages_dropped_newest = 0;
    std::uint64_t messages_conflated = 0;
    std::uint64_t messages_expired = 0;
    std::uint64_t messages_overflowed = 0;  ///< Dropped from the head of a full queue.
    std::uint64_t messages_replaced = 0;    ///< By a newer one of the same last value.
    std::uint64_t messages_discarded =
        0;  ///< Delivery limit without dead-letter queue, lost with a cut consumer.
    std::uint64_t messages_deduplicated = 0;  ///< SENDs that repeated one (P-QOS-06).
    std::uint64_t messages_damaged =
        0;                        ///< Read back and found bad: stay in the store (D-ROCK-01).
    std::uint64_t connected = 0;  ///< CONNECTED frames.
    std::uint64_t receipts = 0;
    std::uint64_t receipts_refused = 0;  ///< Frames that asked for one and got an ERROR.
    std::uint64_t errors = 0;            ///< ERROR frames.
    std::uint64_t tolerances = 0;
    std::uint64_t transactions_committed = 0;
    std::uint64_t transactions_aborted = 0;
    std::int64_t transactions_open = 0;  ///< Now.
    std::int64_t outbound_bytes = 0;     ///< Not sent yet; exact between two turns.
    std::array<std::uint64_t, protocol::command_count> frames_received{};
    std::array<std::uint64_t, protocol::error_code_count> refusals{};
    std::array<std::uint64_t, protocol::limit_key_count> limit_hits{};  ///< S-RATE-01.
    std::array<std::uint64_t, action_count> denied{};
    std::array<std::int64_t, subscription_kind_count> subscriptions{};  ///< Now.
    std::array<LoginCounters, login_method_count> logins{};
    std::vector<PolicyCounters> policies = std::vector<PolicyCounters>(1);  ///< 0: no policy.

    // Of a sample: one message and one RECEIPT a turn.
    ShortTimes fanout_time;
    ShortTimes delivery_time;
    ShortTimes receipt_time;         ///< Of what needs no store.
    ShortTimes stored_receipt_time;  ///< Of what was stored first.

    /// A client was refused.
    void count(const protocol::Error& refusal);

    /// A client met a limit.
    void count(protocol::LimitKey limit) { ++limit_hits[static_cast<std::size_t>(limit)]; }

    [[nodiscard]] std::uint64_t messages_published() const;
    [[nodiscard]] std::uint64_t messages_delivered() const;

    void add(const Counters& other);
};

/// Octets of messages and output blocks held by the current thread's shard: allocations minus
/// releases. One shard's figure can be negative, since a message may be released elsewhere; the sum
/// over all is exact.
[[nodiscard]] std::int64_t accounted_bytes();
void account(std::int64_t octets);

}  // namespace engine
