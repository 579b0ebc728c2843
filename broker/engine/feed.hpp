// What a subscription to topics gets before the messages that come from now on: retained messages
// (P-QOS-09), or a topic's history (P-QOS-12). Lives with its subscription; what it holds of later
// messages is charged to the connection's budget.
#pragma once

#include "broker/engine/fifo.hpp"
#include "broker/engine/message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace engine {

/// A topic's history that a subscription reads its way through (P-QOS-12). As long as it does, it
/// ignores what is published: it will come to that.
struct Past {
    std::string topic;  ///< Canonical.
    unsigned home = 0;
    std::uint64_t next = 0;
    bool is_asking = false;
    bool is_head = false;  ///< There was nothing behind the last part that was read.
};

struct Feed {
    Fifo<MessageRef> messages;
    std::unique_ptr<Past> past = {};  ///< None: what is published meanwhile waits behind.
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
