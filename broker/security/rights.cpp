#include "broker/security/rights.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace security {

Rights::Rights(std::shared_ptr<const CompiledRules> rules, const engine::Principal& principal)
    : rules_(std::move(rules)) {
    std::vector<const VariableRule*> variable_rules;
    for (const SelectedRules* const selected : rules_->select(principal)) {
        indexes_.push_back(&selected->index);
        variable_rules.insert(
            variable_rules.end(), selected->variable_rules.begin(), selected->variable_rules.end()
        );
    }
    // Who is selected in several ways is so once.
    std::sort(variable_rules.begin(), variable_rules.end(), std::less<>());
    variable_rules.erase(
        std::unique(variable_rules.begin(), variable_rules.end()), variable_rules.end()
    );
    for (const VariableRule* const rule : variable_rules) {
        auto filled = rule->pattern.fill(principal);
        if (!filled) { continue; }
        own_patterns_.push_back(*std::move(filled));
        own_index_.add(rule->effect, own_patterns_.back());
    }
    if (!own_patterns_.empty()) { indexes_.push_back(&own_index_); }
}

bool Rights::allows(engine::Action action, const protocol::Destination& destination) const {
    const Found found = find(action, destination);
    return found.allow && !found.deny;
}

bool Rights::covers(engine::Action action, const protocol::Pattern& pattern) const {
    return find_cover(action, pattern).allow.has_value();
}

bool Rights::has_denials(engine::Action action) const {
    return std::ranges::any_of(indexes_, [action](const RuleIndex* index) {
        return index->has_denials(action);
    });
}

Found Rights::find(engine::Action action, const protocol::Destination& destination) const {
    Found found;
    for (const RuleIndex* const index : indexes_) {
        index->find(action, destination, found);
    }
    return found;
}

Found Rights::find_cover(engine::Action action, const protocol::Pattern& pattern) const {
    Found found;
    for (const RuleIndex* const index : indexes_) {
        index->find_cover(action, pattern, found);
    }
    return found;
}

}  // namespace security
