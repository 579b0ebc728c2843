// What one principal may do under one access list.
// Holds the list's rules alive; own memory only for rules with variables.
#pragma once

#include "broker/engine/access.hpp"
#include "broker/security/compiled_rules.hpp"

#include <deque>
#include <memory>
#include <vector>

namespace security {

class Rights final : public engine::Access {
public:
    Rights(std::shared_ptr<const CompiledRules> rules, const engine::Principal& principal);

    [[nodiscard]] bool allows(engine::Action action, const protocol::Destination& destination)
        const override;
    [[nodiscard]] bool covers(engine::Action action, const protocol::Pattern& pattern)
        const override;
    [[nodiscard]] bool has_denials(engine::Action action) const override;

    /// The rules that decide.
    [[nodiscard]] Found find(engine::Action action, const protocol::Destination& destination) const;
    [[nodiscard]] Found find_cover(engine::Action action, const protocol::Pattern& pattern) const;

private:
    std::shared_ptr<const CompiledRules> rules_;
    std::vector<const RuleIndex*> indexes_;  ///< Of `rules_`, and `own_index_`.
    std::deque<NamePattern> own_patterns_;
    RuleIndex own_index_;
};

}  // namespace security
