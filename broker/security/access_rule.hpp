// A rule of the access list as it is written (S-ACL-01), and what can be wrong with it.
// Plain values; a list has at most `AccessLimits::rules_max` rules of `entries_max` entries.
#pragma once

#include "broker/engine/access.hpp"
#include "protocol/limits.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace security {

/// Either `allow` or `deny` has actions; the other is empty.
struct AccessRule {
    /// Whom it concerns, any of: `user:NAME`, `role:NAME`, `claim:KEY=VALUE`, `anonymous`,
    /// `authenticated`.
    std::vector<std::string> who;
    std::vector<std::string> allow;  ///< `publish`, `subscribe`, `create`, `browse`.
    std::vector<std::string> deny;
    std::vector<std::string> on;  ///< Names and patterns, see AccessPattern.

    friend bool operator==(const AccessRule&, const AccessRule&) = default;
};

struct AccessLimits {
    std::size_t rules_max = 10'000;
    std::size_t entries_max = 64;  ///< In each of `who` and `on`.
    /// Entries of `who` times entries of `on`, in all rules together.
    std::size_t pairs_max = 1'000'000;
};

/// What is wrong with a rule: where, and a sentence that says what and how to mend it.
struct RuleFault {
    std::size_t rule = 0;  ///< Counted from 0, as in `acl[0]`.
    std::string key;       ///< `who`, `allow`, `deny`, `on`; empty: the rule as such.
    std::string message;

    /// `acl[3].on: ...`
    [[nodiscard]] std::string text() const;
};

[[nodiscard]] std::optional<engine::Action> action_of(std::string_view name);
[[nodiscard]] std::string_view name_of(engine::Action action);

/// Everything that is wrong with `rule`, the number `number` of its list.
[[nodiscard]] std::vector<RuleFault> faults_of(
    const AccessRule& rule,
    std::size_t number,
    const protocol::Limits& limits,
    const AccessLimits& access_limits = {}
);

/// The rule in one line: `deny publish, create on /topic/news.# for role:guests`.
[[nodiscard]] std::string to_text(const AccessRule& rule);

}  // namespace security
