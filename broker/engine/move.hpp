// Moving what waits in a queue elsewhere, or dead letters back to where they died: in batches, each
// of which is one transaction, so that a message is in one of the two places at every moment.
// Lives on the queue's shard; holds one batch at a time. Unacknowledged messages stay.
#pragma once

#include "broker/engine/destinations.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace engine {

struct MoveOrder {
    std::string from;    ///< Canonical; lives on this shard.
    std::string to;      ///< Canonical queue or topic; empty: each goes back where it died.
    SelectorRef filter;  ///< Null: all.
    std::size_t limit = ~std::size_t{0};
    Instant deadline{0};  ///< No further batch begins after it.
};

struct Moved {
    std::size_t messages = 0;
    bool is_complete = true;                    ///< False: the deadline came first.
    std::optional<protocol::Error> error = {};  ///< Why it ended early; what was moved is moved.
};

using MoveDone = std::function<void(Moved)>;

/// Moves what waits now, in order. Messages that have no place to go back to stay. Calls `done` on
/// this shard once the last batch is applied; what stores hold of it is stored when every shard's
/// journal says so.
void move_messages(Destinations& router, MoveOrder order, MoveDone done);

/// Removes what waits now; as move_messages().
void purge_messages(Destinations& router, MoveOrder order, MoveDone done);

}  // namespace engine
