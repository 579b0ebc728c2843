// What a subscription to topics gets before the messages that come from now on: retained messages
// (P-QOS-09). Lives with its subscription; what it holds of later messages is charged to the
// connection's budget.
#pragma once

#include "broker/engine/fifo.hpp"
#include "broker/engine/message.hpp"

#include <cstddef>
#include <vector>

namespace engine {

struct Feed {
    Fifo<MessageRef> messages;
    std::size_t earlier =
        0;  ///< So many at the front are older than the subscription, not charged.
};

/// A SUBSCRIBE to a wildcard that not all shards have answered: what those have sent that have
/// comes after the retained messages of all.
struct Gathering {
    std::vector<bool> has_answered;  ///< By shard.
    std::vector<MessageRef> retained;
    std::vector<MessageRef> later;
    std::size_t later_bytes = 0;
};

}  // namespace engine
