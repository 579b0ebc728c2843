// [[acl]]: rules from a file, and what is wrong with them, with its place (S-ACL-01, S-BIND-05).
// The language of rules is tested in tests/security.
#include "broker/security/access_list.hpp"
#include "broker/server/config.hpp"
#include "tests/server/temporary_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace server {
namespace {

using testing::HasSubstr;

LoadedConfig load(std::string_view toml) {
    const TemporaryFile file(toml);
    Flags flags;
    flags.config = file.path();
    return load_config(flags, [](const char*) -> const char* { return nullptr; });
}

std::string error_of(std::string_view toml) {
    const LoadedConfig loaded = load(toml);
    EXPECT_EQ(loaded.errors.size(), 1U) << toml;
    return loaded.errors.empty() ? "" : loaded.errors.front().text();
}

constexpr std::string_view good =
    "[[acl]]\nwho = [\"role:editors\", \"user:anna\"]\nallow = [\"publish\", \"subscribe\"]\n"
    "on = [\"/topic/news.#\", \"/queue/%u\"]\n"
    "[[acl]]\nwho = [\"anonymous\"]\ndeny = [\"create\"]\non = [\"/queue/#\"]\n";

TEST(ConfigAcl, S_ACL_01_RulesComeFromTheFile) {
    const LoadedConfig loaded = load(good);
    ASSERT_TRUE(loaded.ok());
    const std::vector<security::AccessRule> wanted{
        {{"role:editors", "user:anna"},
         {"publish", "subscribe"},
         {},
         {"/topic/news.#", "/queue/%u"}},
        {{"anonymous"}, {}, {"create"}, {"/queue/#"}}};
    EXPECT_EQ(loaded.config.access_rules, wanted);
    EXPECT_TRUE(security::AccessList::make(loaded.config.access_rules));
    EXPECT_TRUE(load("").config.access_rules.empty());
}

TEST(ConfigAcl, S_ACL_01_PrintedRulesLoadAgain) {
    const LoadedConfig loaded = load(good);
    const std::string printed = effective_config_text(loaded);
    EXPECT_THAT(printed, HasSubstr("[[acl]]\nwho = [\"role:editors\", \"user:anna\"]  # "));
    const LoadedConfig again = load(printed);
    EXPECT_EQ(again.config.access_rules, loaded.config.access_rules) << printed;
    EXPECT_THAT(default_config_text(), HasSubstr("#[[acl]]\n"));
}

TEST(ConfigAcl, S_BIND_05_FaultsHaveTheirPlace) {
    EXPECT_THAT(
        error_of("[[acl]]\nwho = [\"anonymous\"]\nallow = [\"publish\"]\n  on = [\"/topic/a*\"]\n"),
        HasSubstr(
            ":4:8: acl[0].on: \"/topic/a*\" has a * among other text: a wildcard is a whole level"
        )
    );
    EXPECT_THAT(
        error_of("\n[[acl]]\nwho = [\"anonymous\"]\non = [\"/topic/a\"]\n"),
        HasSubstr(":2:1: acl[0].allow: neither allow nor deny names an action")
    );
    EXPECT_THAT(
        error_of("[[acl]]\nwho = [\"anna\"]\nallow = [\"publish\"]\non = [\"/topic/a\"]\n"),
        HasSubstr(":2:7: acl[0].who: \"anna\" is nobody")
    );
}

TEST(ConfigAcl, S_BIND_05_EveryFaultIsToldAndNoRuleIsTaken) {
    const LoadedConfig loaded = load(
        "[[acl]]\nwho = [\"anonymous\"]\nallow = [\"publish\"]\non = [\"/topic/a\"]\n"
        "[[acl]]\nwho = []\nallow = [\"read\"]\ndeny = [\"admin\"]\non = [\"a\", \"/sys/x\"]\n"
    );
    EXPECT_EQ(loaded.errors.size(), 6U);
    EXPECT_TRUE(std::ranges::all_of(loaded.errors, [](const ConfigError& error) {
        return error.key.starts_with("acl[1].") && error.line >= 5 && error.column > 0;
    }));
    EXPECT_TRUE(loaded.config.access_rules.empty());
}

TEST(ConfigAcl, S_BIND_05_WrongKeysAndTypesAreNotSkipped) {
    const std::string rest = "who = [\"anonymous\"]\nallow = [\"publish\"]\non = [\"/topic/a\"]\n";
    EXPECT_THAT(error_of("[[acl]]\ndenny = []\n" + rest), HasSubstr("did you mean \"deny\"?"));
    EXPECT_THAT(error_of("[[acls]]\n" + rest), HasSubstr("did you mean \"acl\"?"));
    EXPECT_THAT(error_of("[acl]\n" + rest), HasSubstr("write [[acl]]"));
    EXPECT_FALSE(load("[[acl]]\n" + rest + "deny = \"publish\"\n").ok());
    EXPECT_FALSE(load("[[acl]]\n" + rest + "deny = [1]\n").ok());
}

TEST(ConfigAcl, S_ACL_01_TooManyRulesAreRefused) {
    std::string toml;
    for (int i = 0; i < 10'001; ++i) {
        toml += "[[acl]]\nwho=[\"anonymous\"]\nallow=[\"publish\"]\non=[\"/topic/a\"]\n";
    }
    EXPECT_THAT(error_of(toml), HasSubstr("acl[10000]: 10001 rules are more than 10000"));
}

}  // namespace
}  // namespace server
