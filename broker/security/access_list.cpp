#include "broker/security/access_list.hpp"

#include "broker/security/rights.hpp"

#include <fmt/format.h>

#include <utility>

namespace security {

namespace {

std::optional<RuleFault> first_fault(
    const std::vector<AccessRule>& rules,
    const protocol::Limits& limits,
    const AccessLimits& access_limits
) {
    std::size_t pairs = 0;
    for (std::size_t number = 0; number < rules.size(); ++number) {
        if (number == access_limits.rules_max) {
            const auto message = fmt::format(
                "{} rules are more than {}: use roles and patterns", rules.size(), number
            );
            return RuleFault{number, "", message};
        }
        auto faults = faults_of(rules[number], number, limits, access_limits);
        if (!faults.empty()) { return std::move(faults.front()); }
        pairs += rules[number].who.size() * rules[number].on.size();
        if (pairs > access_limits.pairs_max) {
            return RuleFault{
                number,
                "",
                "the entries of who times those of on are too many in all rules together: use "
                "roles and patterns"};
        }
    }
    return std::nullopt;
}

std::string describe(const CompiledRules& rules, std::size_t number) {
    return fmt::format("acl[{}]: {}", number, to_text(rules.rule(number)));
}

}  // namespace

AccessList::AccessList(std::shared_ptr<const CompiledRules> rules) : rules_(std::move(rules)) {}

AccessList::~AccessList() = default;

boost::system::result<AccessListRef, RuleFault> AccessList::make(
    std::vector<AccessRule> rules, const protocol::Limits& limits, const AccessLimits& access_limits
) {
    auto fault = first_fault(rules, limits, access_limits);
    if (fault) { return *std::move(fault); }
    auto compiled = std::make_shared<const CompiledRules>(std::move(rules), limits);
    return AccessListRef(new AccessList(std::move(compiled)));
}

engine::AccessRef AccessList::access_of(const engine::PrincipalRef& principal) const {
    return std::make_shared<const Rights>(rules_, *principal);
}

Explanation AccessList::explain(
    const engine::Principal& principal,
    engine::Action action,
    const protocol::Destination& destination
) const {
    const Found found = Rights(rules_, principal).find(action, destination);
    if (found.deny) { return {false, found.deny, describe(*rules_, *found.deny)}; }
    if (found.allow) { return {true, found.allow, describe(*rules_, *found.allow)}; }
    return {false, std::nullopt, "no rule allows it"};
}

Explanation AccessList::explain(
    const engine::Principal& principal, engine::Action action, const protocol::Pattern& pattern
) const {
    if (!pattern.is_wildcard) { return explain(principal, action, pattern.destination); }
    const Found found = Rights(rules_, principal).find_cover(action, pattern);
    if (found.allow) { return {true, found.allow, describe(*rules_, *found.allow)}; }
    return {false, std::nullopt, "no single rule allows all that it can match"};
}

}  // namespace security
