#include "broker/security/compiled_rules.hpp"

#include <utility>

namespace security {

namespace {

RuleEffect effect_of(const AccessRule& rule, std::size_t number) {
    RuleEffect effect{number, !rule.deny.empty(), {}};
    for (const std::string& name : effect.is_deny ? rule.deny : rule.allow) {
        effect.actions.add(*action_of(name));
    }
    return effect;
}

/// Every selector that selects `principal`.
std::vector<std::string> selectors_of(const engine::Principal& principal) {
    std::vector<std::string> selectors;
    if (principal.is_anonymous) {
        selectors.emplace_back("anonymous");
    } else {
        selectors.emplace_back("authenticated");
        selectors.push_back("user:" + principal.user);
    }
    for (const std::string& role : principal.roles) {
        selectors.push_back("role:" + role);
    }
    for (const auto& [key, value] : principal.claims) {
        // `a=b` with value `c` must not pass for `a` with value `b=c`.
        if (key.find('=') != std::string::npos) { continue; }
        selectors.push_back("claim:" + key + "=" + value);
    }
    return selectors;
}

}  // namespace

CompiledRules::CompiledRules(std::vector<AccessRule> rules, const protocol::Limits& limits)
    : rules_(std::move(rules)) {
    for (std::size_t number = 0; number < rules_.size(); ++number) {
        add(number, limits);
    }
}

void CompiledRules::add(std::size_t number, const protocol::Limits& limits) {
    const AccessRule& rule = rules_[number];
    const RuleEffect effect = effect_of(rule, number);
    for (const std::string& text : rule.on) {
        AccessPattern pattern = *AccessPattern::parse(text, limits);
        if (pattern.has_variables()) {
            variable_rules_.push_back({effect, std::move(pattern)});
            for (const std::string& selector : rule.who) {
                selected_[selector].variable_rules.push_back(&variable_rules_.back());
            }
            continue;
        }
        patterns_.push_back(*pattern.fill({}));
        for (const std::string& selector : rule.who) {
            selected_[selector].index.add(effect, patterns_.back());
        }
    }
}

std::vector<const SelectedRules*> CompiledRules::select(const engine::Principal& principal) const {
    std::vector<const SelectedRules*> found;
    for (const std::string& selector : selectors_of(principal)) {
        const auto rules = selected_.find(selector);
        if (rules != selected_.end()) { found.push_back(&rules->second); }
    }
    return found;
}

}  // namespace security
