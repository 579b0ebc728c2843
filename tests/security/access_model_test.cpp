// Access lists against a model of them, with random rules, principals and destinations
// (S-ACL-02 to -04, -07). ACCESS_COMBINATIONS=1000000 makes the comparison longer.
#include "tests/security/access_model.hpp"

#include "broker/security/access_list.hpp"
#include "broker/security/access_pattern.hpp"
#include "broker/security/pattern_inclusion.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>

namespace security {
namespace {

using engine::Action;
using engine::Principal;
using Texts = std::vector<std::string>;

constexpr std::array<Action, 4> all_actions{
    Action::publish, Action::subscribe, Action::create, Action::browse};

const Texts user_names{"anna",     "ben",   "a",       "b",   "%u",
                       "queue",    "*",     "+",       "#",   "**",
                       ">",        "a/b",   "a.b",     "..",  ".",
                       "/",        "",      "$a",      "a*",  "\xC3\xA9t\xC3\xA9",
                       "a\n",      "a\x7F", "\xFF",    "x/#", "租户",
                       "\xC2\x85", "anna/", "../anna", "%{t}"};

class Chance {
public:
    explicit Chance(unsigned seed) : engine_(seed) {}

    std::size_t below(std::size_t bound) { return engine_() % bound; }

    bool one_in(std::size_t bound) { return below(bound) == 0; }

    const std::string& of(const Texts& texts) { return texts[below(texts.size())]; }

    Texts some_of(const Texts& texts, std::size_t most) {
        Texts some;
        for (std::size_t i = below(most) + 1; i > 0; --i) {
            some.push_back(of(texts));
        }
        return some;
    }

    /// One to four levels, with any separators.
    std::string key(const Texts& levels) {
        std::string key = of(levels);
        const std::size_t style = below(4);
        for (std::size_t i = below(4); i > 0; --i) {
            const bool is_dot = style == 0 || (style == 1 && one_in(2));
            key += (is_dot ? "." : "/") + of(levels);
        }
        return key;
    }

private:
    std::minstd_rand engine_;
};

std::string random_pattern(Chance& chance) {
    static const Texts prefixes{
        "/topic/",
        "/topic/",
        "/topic/",
        "/queue/",
        "/queue/",
        "/amq/queue/",
        "/exchange/amq.topic/",
        "/exchange/amq.direct/",
        "/exchange/amq.fanout/",
        "/exchange/x/",
        "/user/",
        "/foo/",
        "/temp-queue/"};
    static const Texts levels{
        "a",
        "a",
        "b",
        "anna",
        "x",
        "*",
        "*",
        "+",
        "#",
        "#",
        "**",
        ">",
        "%u",
        "%u",
        "%{t}",
        "%{x/y}"};
    while (true) {
        std::string text = chance.of(prefixes) + chance.key(levels);
        if (AccessPattern::parse(text, {})) { return text; }
    }
}

AccessRule random_rule(Chance& chance) {
    static const Texts selectors{
        "anonymous",
        "authenticated",
        "authenticated",
        "user:anna",
        "user:ben",
        "user:%u",
        "role:r",
        "role:s",
        "claim:t=a",
        "claim:t=anna",
        "claim:x/y=b=c"};
    static const Texts actions{"publish", "subscribe", "create", "browse"};
    AccessRule rule;
    rule.who = chance.some_of(selectors, 3);
    (chance.one_in(3) ? rule.deny : rule.allow) = chance.some_of(actions, 4);
    for (std::size_t i = chance.below(3) + 1; i > 0; --i) {
        rule.on.push_back(random_pattern(chance));
    }
    return rule;
}

std::vector<AccessRule> random_rules(Chance& chance) {
    std::vector<AccessRule> rules;
    for (std::size_t i = chance.below(8) + 1; i > 0; --i) {
        rules.push_back(random_rule(chance));
    }
    return rules;
}

engine::PrincipalRef random_principal(Chance& chance) {
    Principal who;
    who.user = chance.one_in(2) ? "anna" : chance.of(user_names);
    who.is_anonymous = chance.one_in(8);
    if (chance.one_in(2)) { who.roles.push_back(chance.one_in(2) ? "r" : "s"); }
    if (chance.one_in(2)) { who.claims.emplace_back("t", chance.of(user_names)); }
    if (chance.one_in(3)) { who.claims.emplace_back("x/y", chance.one_in(2) ? "b=c" : "b"); }
    if (chance.one_in(16)) { who.claims.emplace_back("x/y=b", "c"); }
    return std::make_shared<const Principal>(who);
}

const Texts name_prefixes{
    "/topic/",
    "/topic/",
    "/topic/",
    "/queue/",
    "/queue/",
    "/amq/queue/",
    "",
    "/exchange/amq.topic/",
    "/exchange/amq.direct/",
    "/exchange/amq.fanout/",
    "/exchange/x/",
    "/user/",
    "/foo/",
    "/temp-queue/"};
const Texts name_levels{
    "a", "a", "b", "anna", "ben", "x", "queue", "%u", "*", "#", "租户", "\xC3\xA9t\xC3\xA9"};

std::string random_name(Chance& chance) {
    while (true) {
        std::string text = chance.of(name_prefixes) + chance.key(name_levels);
        if (protocol::parse_destination(text, {})) { return text; }
    }
}

std::size_t wanted_combinations() {
    const char* const wanted = std::getenv("ACCESS_COMBINATIONS");
    return wanted == nullptr ? 200'000 : std::strtoull(wanted, nullptr, 10);
}

std::string describe(const std::vector<AccessRule>& rules, const Principal& who) {
    std::string text = who.user + (who.is_anonymous ? " (anonymous)" : "");
    for (const std::string& role : who.roles) {
        text += " role:" + role;
    }
    for (const auto& [claim, value] : who.claims) {
        text += " claim:" + claim + "=" + value;
    }
    for (const AccessRule& rule : rules) {
        text += "\n" + to_text(rule);
    }
    return text;
}

TEST(AccessModel, S_ACL_02_NATS_2026_17_CVE_2022_29946_AMillionCombinationsAgreeWithTheModel) {
    Chance chance(1);
    std::size_t allowed = 0;
    std::size_t compared = 0;
    while (compared < wanted_combinations()) {
        const auto rules = random_rules(chance);
        const auto list = AccessList::make(rules);
        ASSERT_TRUE(list) << list.error().text();
        for (int i = 0; i < 4; ++i) {
            const auto who = random_principal(chance);
            const auto access = (*list)->access_of(who);
            for (int j = 0; j < 8; ++j) {
                const std::string text = random_name(chance);
                auto destination = *protocol::parse_destination(text, {});
                if (chance.one_in(16)) { destination.key = "a/$x"; }
                for (const Action action : all_actions) {
                    const bool expected = model::allows(rules, *who, action, destination);
                    ASSERT_EQ(access->allows(action, destination), expected)
                        << text << " " << name_of(action) << "\n"
                        << describe(rules, *who);
                    allowed += expected ? 1 : 0;
                    ++compared;
                }
            }
        }
    }
    EXPECT_GT(allowed, compared / 50);
    EXPECT_LT(allowed, compared / 2);
}

TEST(AccessModel, S_ACL_02_TheExplanationIsTheDecision) {
    Chance chance(2);
    for (int i = 0; i < 500; ++i) {
        const auto rules = random_rules(chance);
        const auto list = *AccessList::make(rules);
        const auto who = random_principal(chance);
        const auto access = list->access_of(who);
        for (int j = 0; j < 8; ++j) {
            const std::string text = random_name(chance);
            const auto destination = *protocol::parse_destination(text, {});
            const Explanation why = list->explain(*who, Action::publish, destination);
            ASSERT_EQ(why.is_allowed, access->allows(Action::publish, destination));
            if (!why.rule) { continue; }
            ASSERT_TRUE(model::concerns(rules[*why.rule], *who, Action::publish, destination));
            ASSERT_EQ(rules[*why.rule].deny.empty(), why.is_allowed);
        }
    }
}

TEST(AccessModel, S_ACL_03_CVE_2023_34034_OneRoutingKeyHasOneAnswer) {
    Chance chance(3);
    std::size_t pairs = 0;
    for (int i = 0; i < 1500; ++i) {
        const auto rules = random_rules(chance);
        const auto access = (*AccessList::make(rules))->access_of(random_principal(chance));
        // Every name of one key, by the router's own account.
        const std::string key = chance.key(name_levels);
        std::map<std::string, std::set<bool>> answers;
        for (const std::string& prefix : name_prefixes) {
            const std::string text = prefix + key;
            const auto parsed = protocol::parse_destination(text, {});
            if (!parsed) { continue; }
            auto& known = answers[parsed->canonical()];
            pairs += known.size();
            known.insert(access->allows(Action::publish, *parsed));
            ASSERT_EQ(known.size(), 1U) << text;
        }
    }
    EXPECT_GT(pairs, 1000U);
}

/// A name that `pattern` matches: its wildcards replaced.
std::string instance_of(const protocol::Pattern& pattern, Chance& chance) {
    const Texts separators = pattern.separator == protocol::Separator::slash ? Texts{"/"}
                             : pattern.separator == protocol::Separator::dot ? Texts{"."}
                                                                             : Texts{"/", "."};
    const Texts levels =
        pattern.separator == protocol::Separator::slash ? Texts{"a", "b", "anna", "a.b", "x"}
        : pattern.separator == protocol::Separator::dot ? Texts{"a", "b", "anna", "a/b", "x"}
                                                        : Texts{"a", "b", "anna", "x"};
    std::string key;
    const auto append = [&](std::string_view level) {
        if (!key.empty()) { key += chance.of(separators); }
        key += level;
    };
    for (const auto level : protocol::split_levels(pattern.destination.key, pattern.separator)) {
        const auto kind = protocol::level_kind(level);
        std::size_t count = kind == protocol::LevelKind::many ? chance.below(3) : 1;
        for (; count > 0; --count) {
            append(kind == protocol::LevelKind::literal ? std::string(level) : chance.of(levels));
        }
    }
    return key;
}

TEST(AccessModel, S_ACL_07_WhatIsCoveredIsAllowedWholly) {
    static const Texts prefixes{"/topic/", "/exchange/amq.topic/", "/exchange/x/", "/foo/"};
    static const Texts levels{"a", "anna", "x", "*", "*", "+", "#", "#", "**", ">"};
    Chance chance(4);
    std::size_t covered = 0;
    std::size_t tried = 0;
    for (int i = 0; i < 4000; ++i) {
        const auto rules = random_rules(chance);
        const auto list = *AccessList::make(rules);
        const auto who = random_principal(chance);
        for (int j = 0; j < 8; ++j) {
            const std::string text = chance.of(prefixes) + chance.key(levels);
            const auto pattern = protocol::parse_pattern(text, {});
            if (!pattern || !pattern->is_wildcard) { continue; }
            const Explanation why = list->explain(*who, Action::subscribe, *pattern);
            ASSERT_EQ(why.is_allowed, list->access_of(who)->covers(Action::subscribe, *pattern));
            if (!why.is_allowed) { continue; }
            ++covered;
            for (int k = 0; k < 10; ++k) {
                const std::string key = instance_of(*pattern, chance);
                const auto name = std::string(pattern->destination.space) + key;
                const auto parsed = protocol::parse_destination(name, {});
                if (!parsed) { continue; }
                ASSERT_TRUE(
                    protocol::matches(pattern->destination.key, pattern->separator, parsed->key)
                ) << text
                  << " " << name;
                ASSERT_TRUE(model::concerns(rules[*why.rule], *who, Action::subscribe, *parsed))
                    << text << " " << name << " " << to_text(rules[*why.rule]);
                ++tried;
            }
        }
    }
    EXPECT_GT(covered, 500U);
    EXPECT_GT(tried, 3000U);
}

/// All patterns of at most `size` levels, and all names.
std::vector<std::vector<std::string_view>> all_lists(
    std::span<const std::string_view> levels, std::size_t size
) {
    std::vector<std::vector<std::string_view>> lists(1);
    for (std::size_t begin = 0, length = 0; length < size; ++length) {
        const std::size_t end = lists.size();
        for (; begin < end; ++begin) {
            for (const std::string_view level : levels) {
                auto longer = lists[begin];
                longer.push_back(level);
                lists.push_back(std::move(longer));
            }
        }
    }
    return lists;
}

TEST(AccessModel, S_ACL_07_CoverageIsInclusionForAllShortPatterns) {
    constexpr std::array<std::string_view, 4> pattern_levels{"a", "b", "*", "#"};
    constexpr std::array<std::string_view, 3> name_parts{"a", "b", "z"};
    const auto patterns = all_lists(pattern_levels, 3);
    const auto names = all_lists(name_parts, 6);
    const auto join = [](const std::vector<std::string_view>& levels) {
        std::string text;
        for (const auto level : levels) {
            text.append(text.empty() ? "" : "/").append(level);
        }
        return text;
    };
    std::vector<std::vector<bool>> matched;
    for (const auto& pattern : patterns) {
        matched.emplace_back();
        for (const auto& name : names) {
            matched.back().push_back(
                protocol::matches(join(pattern), protocol::Separator::slash, join(name))
            );
        }
    }
    for (std::size_t wide = 0; wide < patterns.size(); ++wide) {
        for (std::size_t narrow = 0; narrow < patterns.size(); ++narrow) {
            bool is_included = true;
            for (std::size_t i = 0; i < names.size() && is_included; ++i) {
                is_included = matched[wide][i] || !matched[narrow][i];
            }
            ASSERT_EQ(includes(patterns[wide], patterns[narrow]), is_included)
                << join(patterns[wide]) << " over " << join(patterns[narrow]);
        }
    }
}

TEST(AccessModel, CVE_2017_7650_CVE_2026_85724_CVE_2026_44838_NoNameWidensARule) {
    static const Texts octets{
        "a",
        "b",
        "/",
        ".",
        "*",
        "+",
        "#",
        ">",
        "%",
        "u",
        "{",
        "}",
        "$",
        "\xC3\xA9",
        "\xFF",
        "\n",
        " ",
        "租"};
    const auto list = *AccessList::make(
        {{{"authenticated"},
          {"publish"},
          {},
          {"/topic/%u/#", "/topic/%{t}/#", "/queue/home.%u.*", "/queue/in.%{t}", "/foo/%u"}}}
    );
    Chance chance(5);
    std::size_t allowed = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string value;
        for (std::size_t size = chance.below(4); size > 0; --size) {
            value += chance.of(octets);
        }
        if (chance.one_in(3)) { value = chance.of(user_names); }
        const auto access =
            list->access_of(std::make_shared<Principal>(Principal{value, {}, {{"t", value}}}));
        const std::string place = chance.one_in(2) ? value : chance.key(name_levels);
        const std::string rest = chance.key(name_levels);
        for (const std::string& text :
             {"/topic/" + place + "/" + rest,
              "/queue/home." + place + "." + rest,
              "/queue/in." + place,
              "/foo/" + place}) {
            const auto parsed = protocol::parse_destination(text, {});
            if (!parsed || !access->allows(Action::publish, *parsed)) { continue; }
            ++allowed;
            const bool is_topic = text.starts_with("/topic/");
            const auto separator = is_topic ? protocol::Separator::slash : protocol::Separator::dot;
            const auto levels = protocol::split_levels(parsed->key, separator);
            const bool is_foo = text.starts_with("/foo/");
            ASSERT_EQ(levels[is_topic || is_foo ? 0 : 1], value) << text;
            ASSERT_EQ(value.find_first_of("/.*+#>"), std::string::npos) << text;
            ASSERT_NE(value[0], '$') << text;
        }
    }
    EXPECT_GT(allowed, 1000U);
}

}  // namespace
}  // namespace security
