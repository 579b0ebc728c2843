// Delayed messages of all shards, for an operator: asks each shard, gathers what they say.
// Used on the first shard; waits for nothing. Bounded by the caller's limit for each shard.
#pragma once

#include "broker/engine/destinations.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace admin {

struct ScheduledPage {
    std::vector<engine::ScheduledMessage> messages;  ///< By time.
    std::size_t total = 0;
};

enum class Cancelled : std::uint8_t {
    done,     ///< And no longer in the store.
    unknown,  ///< There is none with this id: never was, has been routed, or was cancelled.
    failed,   ///< The store has failed.
};

class Scheduled {
public:
    using TakePage = std::function<void(ScheduledPage)>;
    using TakeOutcome = std::function<void(Cancelled)>;

    /// `first`: the first shard's router, of `shards`.
    Scheduled(engine::Destinations& first, unsigned shards) : first_(first), shards_(shards) {}

    /// Those for `destination` (in any of its spellings; all if it is empty), `limit` of them
    /// behind the first `offset`.
    void list(const std::string& destination, std::size_t offset, std::size_t limit, TakePage take);
    void cancel(const std::string& id, TakeOutcome take);

private:
    engine::Destinations& first_;
    const unsigned shards_;
};

}  // namespace admin
