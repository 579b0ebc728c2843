// What one transaction has gathered, and its commit across shards: reserve everywhere, then apply.
// Lives on the session's shard; bounded by Limits (P-TX-01 to -07).
#pragma once

#include "broker/engine/destinations.hpp"
#include "broker/engine/message.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace engine {

struct Transaction {
    struct BufferedSend {
        Route route;
        MessageRef message;
    };

    /// Deliveries that one ACK or NACK has taken.
    struct Settlement {
        std::vector<std::uint64_t> numbers;
        Return how = Return::requeue;
        bool is_ack = true;
        std::int64_t delay_ms = 0;
    };

    std::uint64_t serial = 0;  ///< Never reused, unlike the client's id.
    std::vector<BufferedSend> sends;
    std::vector<Settlement> settlements;
    std::size_t frames = 0;
    std::size_t bytes = 0;
    Instant last_used{0};
};

/// Puts all `sends` where they belong, or none: room is reserved at every home shard first
/// (P-TX-04). Calls `done` on the shard of `router`, at once if all homes are there, with the
/// refusal or nothing.
void commit_sends(
    Destinations& router, std::vector<Transaction::BufferedSend> sends, Destinations::Done done
);

}  // namespace engine
