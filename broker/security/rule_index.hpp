// Rules by the names that they are for: finds the few whose literal levels a name begins with.
// Time linear in the name's length and in the rules found; memory in the patterns, by pointer.
#pragma once

#include "broker/engine/access.hpp"
#include "broker/security/access_pattern.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace security {

/// A set of engine::Action.
class ActionSet {
public:
    void add(engine::Action action) { bits_ |= bit(action); }

    void add(ActionSet actions) { bits_ |= actions.bits_; }

    [[nodiscard]] bool has(engine::Action action) const { return (bits_ & bit(action)) != 0; }

private:
    static unsigned bit(engine::Action action) { return 1U << static_cast<unsigned>(action); }

    unsigned bits_ = 0;
};

/// What a rule says about its patterns.
struct RuleEffect {
    std::size_t rule = 0;
    bool is_deny = false;
    ActionSet actions;
};

/// The first rule of the list of each kind among those that were found.
struct Found {
    std::optional<std::size_t> allow;
    std::optional<std::size_t> deny;

    void add(const RuleEffect& effect);

    /// Whether add() would change anything.
    [[nodiscard]] bool needs(const RuleEffect& effect) const;
};

class RuleIndex {
public:
    /// `pattern` must outlive the index.
    void add(const RuleEffect& effect, const NamePattern& pattern);

    /// Adds the rules for `action` whose patterns match.
    void find(engine::Action action, const protocol::Destination& destination, Found& found) const;

    /// Adds the allowing rules for `action` that cover `pattern`.
    void find_cover(engine::Action action, const protocol::Pattern& pattern, Found& found) const;

    [[nodiscard]] bool has_denials(engine::Action action) const { return denied_.has(action); }

private:
    struct Entry {
        RuleEffect effect;
        const NamePattern* pattern;
    };

    struct Hash {
        using is_transparent = void;

        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };

    using Entries = std::vector<Entry>;

    /// By literal part.
    using Space = std::unordered_map<std::string, Entries, Hash, std::equal_to<>>;

    std::map<std::string, Space, std::less<>> spaces_;
    ActionSet denied_;
};

}  // namespace security
