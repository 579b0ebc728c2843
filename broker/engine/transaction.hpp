// What one transaction has gathered, and its commit across shards: reserve everywhere, then apply.
// Lives on the session's shard; bounded by Limits (P-TX-01 to -07).
#pragma once

#include "broker/engine/destinations.hpp"
#include "broker/engine/message.hpp"
#include "broker/engine/subscription.hpp"

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

/// What a COMMIT does, and whom to tell.
struct Commitment {
    std::vector<Transaction::BufferedSend> sends;
    std::vector<unsigned> settlement_homes;  ///< Shards that `settle` has work for.
    /// Takes the deliveries off the session, once all sends have room; their queues' part is
    /// gathered.
    std::function<void(GatheredWork&)> settle;
    Destinations::Done applied;  ///< With the refusal, or nothing: it took place as a whole.
    ReplyTo stored;              ///< If set: told when all of it is stored.
};

/// Applies all of `commitment`, or nothing: room is reserved at every home shard first, and what
/// stores get is one transaction (P-TX-04, D contract 5). Calls back on the shard of `router`.
void commit(Destinations& router, Commitment commitment);

}  // namespace engine
