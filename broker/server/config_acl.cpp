// Access rules: what is wrong with each, where it was written, and whether they are too many.
// A list of rules counts as written if it is not empty: printed configurations load again.
#include "broker/security/access_list.hpp"
#include "broker/server/config_draft.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace server {

namespace {

/// Fails at the key that is wrong or, if it is missing, at its rule.
void fail(Draft& draft, const security::RuleFault& fault) {
    const Entry<AclDraft>& entry = draft.access_rules[fault.rule];
    if (fault.key.empty()) { return draft.fail(entry.origin, entry.name, fault.message); }
    const std::string name = fmt::format("{}.{}", entry.name, fault.key);
    draft.fail(draft.has(name) ? draft.origin_of(name) : entry.origin, name, fault.message);
}

}  // namespace

void settle_access_rules(Draft& draft) {
    const protocol::Limits& limits = draft.loaded.config.limits.protocol;
    std::vector<security::AccessRule> rules;
    bool is_good = true;
    for (const auto& entry : draft.access_rules) {
        for (const auto& fault : security::faults_of(entry.value.rule, rules.size(), limits)) {
            fail(draft, fault);
            is_good = false;
        }
        rules.push_back(entry.value.rule);
    }
    if (!is_good) { return; }
    const auto list = security::AccessList::make(rules, limits);
    if (!list) { return fail(draft, list.error()); }
    draft.loaded.config.access_rules = std::move(rules);
}

}  // namespace server
