// The access list: who may do what where (S-ACL-01 to -04, -07). Deny overrides allow; what nobody
// allows is refused; the order of rules means nothing.
// Immutable: may be used on all shards at once. Bounded by `AccessLimits`.
#pragma once

#include "broker/security/access_rule.hpp"
#include "protocol/destination.hpp"

#include <boost/system/result.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace security {

class CompiledRules;

/// Why an answer is what it is.
struct Explanation {
    bool is_allowed = false;
    std::optional<std::size_t> rule;  ///< The first one that decided; none: no rule allows it.
    std::string text;                 ///< `acl[3]: deny publish on ...`
};

class AccessList final : public engine::Authorizer {
public:
    /// The list of `rules`, or the first fault in them. A list without rules allows nothing.
    [[nodiscard]] static boost::system::result<std::shared_ptr<const AccessList>, RuleFault> make(
        std::vector<AccessRule> rules,
        const protocol::Limits& limits = {},
        const AccessLimits& access_limits = {}
    );

    ~AccessList() override;
    AccessList(const AccessList&) = delete;
    AccessList& operator=(const AccessList&) = delete;

    /// What it returns may outlive the list.
    [[nodiscard]] engine::AccessRef access_of(const engine::PrincipalRef& principal) const override;

    [[nodiscard]] Explanation explain(
        const engine::Principal& principal,
        engine::Action action,
        const protocol::Destination& destination
    ) const;

    /// As engine::Access::covers, for a wildcard; else as for its destination.
    [[nodiscard]] Explanation explain(
        const engine::Principal& principal, engine::Action action, const protocol::Pattern& pattern
    ) const;

private:
    explicit AccessList(std::shared_ptr<const CompiledRules> rules);

    std::shared_ptr<const CompiledRules> rules_;
};

using AccessListRef = std::shared_ptr<const AccessList>;

}  // namespace security
