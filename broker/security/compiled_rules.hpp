// The rules of an access list, made ready: an index for each selector, shared by all principals.
// Immutable once made. Memory: one entry for each pair of a selector and a pattern of a rule.
#pragma once

#include "broker/security/access_rule.hpp"
#include "broker/security/rule_index.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace security {

/// A pattern whose variables depend on the principal.
struct VariableRule {
    RuleEffect effect;
    AccessPattern pattern;
};

/// What concerns everybody whom a selector selects.
struct SelectedRules {
    RuleIndex index;
    std::vector<const VariableRule*> variable_rules;
};

class CompiledRules {
public:
    /// `rules` are without faults.
    CompiledRules(std::vector<AccessRule> rules, const protocol::Limits& limits);

    [[nodiscard]] const AccessRule& rule(std::size_t number) const { return rules_[number]; }

    /// The rules for each selector that selects `principal`, if there are any.
    [[nodiscard]] std::vector<const SelectedRules*> select(const engine::Principal& principal
    ) const;

private:
    void add(std::size_t number, const protocol::Limits& limits);

    std::vector<AccessRule> rules_;
    std::deque<NamePattern> patterns_;         ///< Of all rules; indexes point here.
    std::deque<VariableRule> variable_rules_;  ///< Likewise.
    std::unordered_map<std::string, SelectedRules> selected_;  ///< By selector, as written.
};

}  // namespace security
