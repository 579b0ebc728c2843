// Wildcard subscriptions of one shard: pattern in, subscriptions out (P-DEST-05 to -09).
// A trie of levels for each name space and separator; agrees with protocol::matches().
#pragma once

#include "protocol/destination.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

class Subscription;
struct Binding;

/// Who asked for a pattern: a subscription of this shard, a durable one, or (on topics' home
/// shards) another shard.
struct Interest {
    Subscription* subscription = nullptr;
    unsigned shard = 0;
    const Binding* binding = nullptr;

    friend bool operator==(const Interest&, const Interest&) = default;
};

class SubscriptionIndex {
public:
    SubscriptionIndex();
    ~SubscriptionIndex();

    void add(const protocol::Pattern& pattern, Interest interest);
    /// Removes one entry equal to `interest`; it must be there.
    void remove(const protocol::Pattern& pattern, Interest interest);

    /// Appends every interest whose pattern matches the concrete name, each entry once.
    void find(std::string_view space, std::string_view key, std::vector<Interest>& out) const;

    /// Changes with every add and remove: what was found under an older generation is stale.
    [[nodiscard]] std::uint64_t generation() const { return generation_; }

    /// What was found so far is stale for another reason.
    void touch() { ++generation_; }

    [[nodiscard]] bool empty() const { return spaces_.empty(); }

private:
    struct Node;
    struct Space;

    std::map<std::string, std::unique_ptr<Space>, std::less<>> spaces_;
    std::uint64_t generation_ = 1;
};

}  // namespace engine
