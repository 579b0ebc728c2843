// What one shard counts: plain numbers, written by its thread only; the transport takes snapshots.
// Bounded: fixed arrays by token and kind.
#pragma once

#include "protocol/error.hpp"

#include <array>
#include <cstdint>

namespace engine {

struct Counters {
    std::uint64_t messages_published = 0;
    std::uint64_t messages_delivered = 0;
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
        0;  ///< Read back and found bad: stay in the store (D-ROCK-01).
    std::uint64_t receipts = 0;
    std::uint64_t tolerances = 0;
    std::uint64_t transactions_committed = 0;
    std::uint64_t transactions_aborted = 0;
    std::array<std::uint64_t, protocol::error_code_count> refusals{};
    std::array<std::uint64_t, protocol::limit_key_count> limit_hits{};  ///< S-RATE-01.

    /// A client was refused.
    void count(const protocol::Error& refusal);

    /// A client met a limit.
    void count(protocol::LimitKey limit) { ++limit_hits[static_cast<std::size_t>(limit)]; }

    void add(const Counters& other);
};

/// Octets of messages and output blocks held by the current thread's shard: allocations minus
/// releases. One shard's figure can be negative, since a message may be released elsewhere; the sum
/// over all is exact.
[[nodiscard]] std::int64_t accounted_bytes();
void account(std::int64_t octets);

}  // namespace engine
