#include "broker/security/access_rule.hpp"

#include "broker/security/access_pattern.hpp"
#include "broker/security/names.hpp"
#include "protocol/error.hpp"
#include "protocol/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

namespace security {

namespace {

using engine::Action;

constexpr std::array<std::pair<std::string_view, Action>, 4> actions{{
    {"publish", Action::publish},
    {"subscribe", Action::subscribe},
    {"create", Action::create},
    {"browse", Action::browse},
}};

constexpr std::string_view user_prefix = "user:";
constexpr std::string_view role_prefix = "role:";
constexpr std::string_view claim_prefix = "claim:";
constexpr std::string_view nobody_in_particular = "anonymous";

std::string quote(std::string_view text) {
    return "\"" + protocol::quoted(text) + "\"";
}

class RuleCheck {
public:
    RuleCheck(
        const AccessRule& rule,
        std::size_t number,
        const protocol::Limits& limits,
        const AccessLimits& access_limits
    )
        : rule_(rule), number_(number), limits_(limits), access_limits_(access_limits) {}

    std::vector<RuleFault> run() {
        check_size("who", rule_.who, "\"role:editors\" or \"authenticated\"");
        check_size("on", rule_.on, "\"/topic/news.#\"");
        for (const std::string& selector : rule_.who) {
            check_selector(selector);
        }
        check_effect();
        for (const std::string& pattern : rule_.on) {
            const auto parsed = AccessPattern::parse(pattern, limits_);
            if (!parsed) { fail("on", parsed.error().text); }
        }
        return std::move(faults_);
    }

private:
    void fail(std::string_view key, std::string message) {
        faults_.push_back({number_, std::string(key), std::move(message)});
    }

    void check_size(
        std::string_view key, const std::vector<std::string>& entries, std::string_view example
    ) {
        if (entries.empty()) {
            fail(
                key, fmt::format("this list is empty: give at least one entry, as in {}", example)
            );
        }
        if (entries.size() > access_limits_.entries_max) {
            fail(
                key,
                fmt::format(
                    "{} entries are more than {}: write several rules",
                    entries.size(),
                    access_limits_.entries_max
                )
            );
        }
    }

    void check_selector(std::string_view selector) {
        if (selector == nobody_in_particular || selector == "authenticated") { return; }
        if (selector.starts_with(user_prefix)) {
            return check_user(selector, selector.substr(user_prefix.size()));
        }
        if (selector.starts_with(role_prefix)) {
            return check_text(selector, selector.substr(role_prefix.size()), "role");
        }
        if (selector.starts_with(claim_prefix)) {
            return check_claim(selector, selector.substr(claim_prefix.size()));
        }
        fail(
            "who",
            fmt::format(
                "{} is nobody: write \"user:NAME\", \"role:NAME\", \"claim:KEY=VALUE\", "
                "\"anonymous\" or \"authenticated\"",
                quote(selector)
            )
        );
    }

    void check_user(std::string_view selector, std::string_view name) {
        const std::string fault = name_fault(name);
        if (!fault.empty()) {
            fail("who", fmt::format("{}: the user's name {}", quote(selector), fault));
        } else if (name == nobody_in_particular) {
            fail(
                "who",
                "\"user:anonymous\": who has not said who it is has no name: write "
                "\"anonymous\""
            );
        }
    }

    void check_text(std::string_view selector, std::string_view text, std::string_view what) {
        if (text.empty()) {
            fail("who", fmt::format("{}: the {} is empty: name it", quote(selector), what));
        } else if (!protocol::is_utf8(text) || has_control(text)) {
            fail(
                "who",
                fmt::format(
                    "{}: the {} is not UTF-8 without control characters: leave them out",
                    quote(selector),
                    what
                )
            );
        }
    }

    void check_claim(std::string_view selector, std::string_view claim) {
        const std::size_t equals = claim.find('=');
        if (equals == std::string_view::npos) {
            return fail(
                "who",
                fmt::format(
                    "{}: a claim is selected by its value: write \"claim:KEY=VALUE\"",
                    quote(selector)
                )
            );
        }
        check_text(selector, claim.substr(0, equals), "claim's name");
        check_text(selector, claim.substr(equals + 1), "claim's value");
    }

    void check_effect() {
        if (!rule_.allow.empty() && !rule_.deny.empty()) {
            fail("deny", "a rule either allows or denies: write two rules");
        }
        if (rule_.allow.empty() && rule_.deny.empty()) {
            fail(
                "allow",
                "neither allow nor deny names an action: give one of them, as in allow = "
                "[\"subscribe\"]"
            );
        }
        check_actions("allow", rule_.allow);
        check_actions("deny", rule_.deny);
    }

    void check_actions(std::string_view key, const std::vector<std::string>& names) {
        for (const std::string& name : names) {
            if (name == "admin") {
                fail(
                    key,
                    "\"admin\" is no action of access rules: it exists only on the admin listener"
                );
            } else if (!action_of(name)) {
                fail(
                    key,
                    fmt::format(
                        "{} is no action: write \"publish\", \"subscribe\", \"create\" or "
                        "\"browse\"",
                        quote(name)
                    )
                );
            }
        }
    }

    const AccessRule& rule_;
    std::size_t number_;
    const protocol::Limits& limits_;
    const AccessLimits& access_limits_;
    std::vector<RuleFault> faults_;
};

}  // namespace

std::string RuleFault::text() const {
    return fmt::format("acl[{}]{}{}: {}", rule, key.empty() ? "" : ".", key, message);
}

std::optional<Action> action_of(std::string_view name) {
    const auto found = std::ranges::find(actions, name, &decltype(actions)::value_type::first);
    if (found == actions.end()) { return std::nullopt; }
    return found->second;
}

std::string_view name_of(Action action) {
    return std::ranges::find(actions, action, &decltype(actions)::value_type::second)->first;
}

std::vector<RuleFault> faults_of(
    const AccessRule& rule,
    std::size_t number,
    const protocol::Limits& limits,
    const AccessLimits& access_limits
) {
    return RuleCheck(rule, number, limits, access_limits).run();
}

std::string to_text(const AccessRule& rule) {
    return fmt::format(
        "{} {} on {} for {}",
        rule.deny.empty() ? "allow" : "deny",
        fmt::join(rule.deny.empty() ? rule.allow : rule.deny, ", "),
        fmt::join(rule.on, ", "),
        fmt::join(rule.who, ", ")
    );
}

}  // namespace security
