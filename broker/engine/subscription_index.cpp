#include "broker/engine/subscription_index.hpp"

#include <algorithm>
#include <cassert>
#include <span>

namespace engine {

using protocol::LevelKind;
using protocol::Separator;
using Levels = std::span<const std::string_view>;

struct SubscriptionIndex::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> one;
    std::unique_ptr<Node> many;
    std::vector<Interest> interests;
    mutable std::uint64_t lookup_seen = 0;  ///< The look-up that `visited` belongs to.
    mutable std::uint64_t visited = 0;      ///< One bit for each number of levels left.

    [[nodiscard]] bool empty() const {
        return literals.empty() && !one && !many && interests.empty();
    }

    std::unique_ptr<Node>& child(std::string_view level) {
        switch (protocol::level_kind(level)) {
            case LevelKind::one:
                return one;
            case LevelKind::many:
                return many;
            case LevelKind::literal:
                break;
        }
        return literals[std::string(level)];
    }

    void add(Levels levels, Interest interest) {
        if (levels.empty()) { return interests.push_back(interest); }
        auto& next = child(levels.front());
        if (!next) { next = std::make_unique<Node>(); }
        next->add(levels.subspan(1), interest);
    }

    void remove(Levels levels, Interest interest) {
        if (levels.empty()) {
            const auto found = std::find(interests.begin(), interests.end(), interest);
            assert(found != interests.end());
            *found = interests.back();
            return interests.pop_back();
        }
        auto& next = child(levels.front());
        next->remove(levels.subspan(1), interest);
        if (!next->empty()) { return; }
        next.reset();
        if (protocol::level_kind(levels.front()) == LevelKind::literal) {
            literals.erase(literals.find(levels.front()));
        }
    }

    // Each node is looked at once for each rest of the name, so that a look-up is linear in pattern
    // times name levels, and reports its interests once.
    bool is_new(std::size_t levels_left, std::uint64_t lookup) const {
        if (lookup_seen != lookup) {
            lookup_seen = lookup;
            visited = 0;
        }
        const std::uint64_t bit = std::uint64_t{1} << std::min<std::size_t>(levels_left, 63);
        const bool is_first = (visited & bit) == 0;
        visited |= bit;
        return is_first;
    }

    // Levels that start with `$` are for literal patterns only (P-DEST-08).
    void find(Levels levels, std::uint64_t lookup, std::vector<Interest>& out) const {
        if (!is_new(levels.size(), lookup)) { return; }
        if (many) {
            for (std::size_t skipped = 0;; ++skipped) {
                many->find(levels.subspan(skipped), lookup, out);
                if (skipped == levels.size() || levels[skipped].starts_with('$')) { break; }
            }
        }
        if (levels.empty()) {
            out.insert(out.end(), interests.begin(), interests.end());
            return;
        }
        const auto literal = literals.find(levels.front());
        if (literal != literals.end()) { literal->second->find(levels.subspan(1), lookup, out); }
        if (one && !levels.front().starts_with('$')) { one->find(levels.subspan(1), lookup, out); }
    }
};

// One trie for each way of cutting names into levels.
struct SubscriptionIndex::Space {
    Node slash;
    Node dot;
    Node both;
    mutable std::uint64_t lookups = 0;

    Node& of(Separator separator) {
        switch (separator) {
            case Separator::slash:
                return slash;
            case Separator::dot:
                return dot;
            case Separator::both:
                break;
        }
        return both;
    }

    [[nodiscard]] bool empty() const { return slash.empty() && dot.empty() && both.empty(); }
};

SubscriptionIndex::SubscriptionIndex() = default;
SubscriptionIndex::~SubscriptionIndex() = default;

void SubscriptionIndex::add(const protocol::Pattern& pattern, Interest interest) {
    auto& space = spaces_[std::string(pattern.destination.space)];
    if (!space) { space = std::make_unique<Space>(); }
    space->of(pattern.separator)
        .add(protocol::split_levels(pattern.destination.key, pattern.separator), interest);
    ++generation_;
}

void SubscriptionIndex::remove(const protocol::Pattern& pattern, Interest interest) {
    const auto space = spaces_.find(pattern.destination.space);
    assert(space != spaces_.end());
    const auto levels = protocol::split_levels(pattern.destination.key, pattern.separator);
    space->second->of(pattern.separator).remove(levels, interest);
    if (space->second->empty()) { spaces_.erase(space); }
    ++generation_;
}

void SubscriptionIndex::find(
    std::string_view space_name, std::string_view key, std::vector<Interest>& out
) const {
    const auto found = spaces_.find(space_name);
    if (found == spaces_.end()) { return; }
    const Space& space = *found->second;
    const std::uint64_t lookup = ++space.lookups;
    space.slash.find(protocol::split_levels(key, Separator::slash), lookup, out);
    space.dot.find(protocol::split_levels(key, Separator::dot), lookup, out);
    space.both.find(protocol::split_levels(key, Separator::both), lookup, out);
}

}  // namespace engine
