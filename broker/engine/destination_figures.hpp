// What an operator is told of one destination, and of who takes from it.
// Plain values, made on the destination's shard; any thread.
#pragma once

#include "broker/engine/arrivals.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

/// `durable`: the backlog of a durable or shared subscription.
enum class DestinationType : std::uint8_t { queue, topic, durable };

/// Of a topic, those of one shard: what its subscribers there got, and, on its home, what was
/// published.
struct DestinationNumbers {
    bool is_durable = false;
    std::size_t consumers = 0;  ///< Or subscribers.
    std::size_t depth = 0;      ///< Waiting.
    std::size_t bytes = 0;      ///< Of those.
    std::size_t unacked = 0;
    std::size_t memory_bytes = 0;  ///< Of waiting and unacked messages, or of a topic's history.
    std::uint64_t disk_bytes = 0;  ///< Of those that the store keeps.
    std::int64_t oldest_age_ms = 0;
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;
    std::uint64_t acked = 0;
    std::uint64_t dropped = 0;
    double published_rate = 0;
    double delivered_rate = 0;

    /// Adds what another shard says of the same topic.
    void add(const DestinationNumbers& other);
};

struct ConsumerFigures {
    std::string session;  ///< Session::name().
    std::string user;
    std::string subscription;
    std::size_t unacked = 0;
};

/// When messages were made, by the arrival times of all shards. Unknown ones count from the start.
struct Ages {
    std::vector<ArrivalTimes> shards;
    Instant started{0};

    [[nodiscard]] std::int64_t age_ms(std::string_view id, Instant now) const;
};

/// Where a walk through a shard's destinations has come to.
struct DestinationCursor {
    DestinationType type = DestinationType::queue;
    std::size_t bucket = 0;
    std::size_t buckets = 0;  ///< Of the table that it is in; others now: the walk begins anew.
    unsigned rounds = 0;      ///< How often it has: forget what was shown before.
};

}  // namespace engine
