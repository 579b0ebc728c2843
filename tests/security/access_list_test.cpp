// The access list: its language, its decisions, its faults (S-ACL-01 to -04, -08).
// By example; what holds for all lists is in access_model_test.cpp.
#include "broker/security/access_list.hpp"

#include "protocol/system_event.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace security {
namespace {

using engine::Action;
using engine::Principal;

using Texts = std::vector<std::string>;

AccessListRef list_of(std::vector<AccessRule> rules) {
    const auto list = AccessList::make(std::move(rules));
    EXPECT_TRUE(list) << list.error().text();
    return list ? *list : nullptr;
}

protocol::Destination parse(std::string_view text) {
    const auto destination = protocol::parse_destination(text, {});
    EXPECT_TRUE(destination) << text;
    return *destination;
}

bool may(
    const AccessListRef& list, const Principal& principal, Action action, std::string_view text
) {
    return list->access_of(std::make_shared<Principal>(principal))->allows(action, parse(text));
}

bool may_subscribe(const AccessListRef& list, const Principal& principal, std::string_view text) {
    return may(list, principal, Action::subscribe, text);
}

bool covers(const Texts& on, std::string_view text) {
    const auto list = list_of({{{"authenticated"}, {"subscribe"}, {}, on}});
    const auto pattern = protocol::parse_pattern(text, {});
    EXPECT_TRUE(pattern) << text;
    const auto access = list->access_of(std::make_shared<Principal>(Principal{"anna"}));
    return access->covers(Action::subscribe, *pattern);
}

std::string fault_of(AccessRule rule) {
    const auto list =
        AccessList::make({{{"anonymous"}, {"publish"}, {}, {"/topic/a"}}, std::move(rule)});
    return list ? "" : list.error().text();
}

std::string fault_of_pattern(std::string pattern) {
    return fault_of({{"authenticated"}, {"publish"}, {}, {std::move(pattern)}});
}

const Principal anna{"anna", {"editors"}, {{"tenant", "acme"}}};
const Principal ben{"ben"};

Principal anonymous() {
    Principal nobody{"anonymous"};
    nobody.is_anonymous = true;
    return nobody;
}

TEST(AccessList, S_ACL_01_WhoIsAnyOfTheSelectors) {
    const auto with = [](const char* who) {
        return list_of({{{who}, {"subscribe"}, {}, {"/topic/a"}}});
    };
    EXPECT_TRUE(may_subscribe(with("user:anna"), anna, "/topic/a"));
    EXPECT_FALSE(may_subscribe(with("user:anna"), ben, "/topic/a"));
    EXPECT_TRUE(may_subscribe(with("role:editors"), anna, "/topic/a"));
    EXPECT_FALSE(may_subscribe(with("role:editors"), ben, "/topic/a"));
    EXPECT_FALSE(may_subscribe(with("role:anna"), anna, "/topic/a"));
    EXPECT_TRUE(may_subscribe(with("claim:tenant=acme"), anna, "/topic/a"));
    EXPECT_FALSE(may_subscribe(with("claim:tenant=acm"), anna, "/topic/a"));
    EXPECT_TRUE(may_subscribe(with("authenticated"), ben, "/topic/a"));
    EXPECT_FALSE(may_subscribe(with("authenticated"), anonymous(), "/topic/a"));
    EXPECT_TRUE(may_subscribe(with("anonymous"), anonymous(), "/topic/a"));
    EXPECT_FALSE(may_subscribe(with("anonymous"), ben, "/topic/a"));
    const auto either = list_of({{{"user:anna", "anonymous"}, {"subscribe"}, {}, {"/topic/a"}}});
    EXPECT_TRUE(may_subscribe(either, anna, "/topic/a"));
    EXPECT_TRUE(may_subscribe(either, anonymous(), "/topic/a"));
    EXPECT_FALSE(may_subscribe(either, ben, "/topic/a"));
}

TEST(AccessList, S_ACL_01_AUserWhoseNameIsAnonymousIsNotAnonymous) {
    const auto list = list_of({{{"anonymous"}, {"subscribe"}, {}, {"/topic/a"}}});
    EXPECT_FALSE(may_subscribe(list, Principal{"anonymous"}, "/topic/a"));
}

TEST(AccessList, S_ACL_01_AClaimsNameIsNotPartOfItsValue) {
    const auto list = list_of({{{"claim:a=b=c"}, {"subscribe"}, {}, {"/topic/a"}}});
    EXPECT_TRUE(may_subscribe(list, Principal{"x", {}, {{"a", "b=c"}}}, "/topic/a"));
    EXPECT_FALSE(may_subscribe(list, Principal{"x", {}, {{"a=b", "c"}}}, "/topic/a"));
}

TEST(AccessList, S_ACL_01_ActionsAreSeparate) {
    const std::vector<std::pair<std::string, Action>> actions{
        {"publish", Action::publish},
        {"subscribe", Action::subscribe},
        {"create", Action::create},
        {"browse", Action::browse}};
    for (const auto& [granted, ignored] : actions) {
        const auto list = list_of({{{"authenticated"}, {granted}, {}, {"/queue/a"}}});
        for (const auto& [name, action] : actions) {
            EXPECT_EQ(may(list, ben, action, "/queue/a"), name == granted) << granted << name;
        }
    }
}

TEST(AccessList, S_ACL_02_DenyOverridesInAnyOrder) {
    const AccessRule allow{{"authenticated"}, {"subscribe"}, {}, {"/topic/#"}};
    const AccessRule deny{{"role:editors"}, {}, {"subscribe"}, {"/topic/secret/#"}};
    for (const auto& list : {list_of({allow, deny}), list_of({deny, allow})}) {
        EXPECT_FALSE(may_subscribe(list, anna, "/topic/secret/x"));
        EXPECT_TRUE(may_subscribe(list, ben, "/topic/secret/x"));
        EXPECT_TRUE(may_subscribe(list, anna, "/topic/open/x"));
        EXPECT_FALSE(may_subscribe(list, anonymous(), "/topic/open/x"));
    }
}

TEST(AccessList, S_ACL_02_WhatNobodyAllowsIsRefused) {
    EXPECT_FALSE(may_subscribe(list_of({}), anna, "/topic/a"));
    const auto list = list_of({{{"authenticated"}, {"subscribe"}, {}, {"/topic/a"}}});
    EXPECT_FALSE(may_subscribe(list, anna, "/topic/A"));
    EXPECT_FALSE(may_subscribe(list, anna, "/topic/a/b"));
    EXPECT_FALSE(may_subscribe(list, anna, "/queue/a"));
    EXPECT_FALSE(may_subscribe(list, anna, "/exchange/x/a"));
    EXPECT_FALSE(may_subscribe(list, anna, "/topic/%61"));
}

TEST(AccessList, S_ACL_03_AliasesHaveOneAnswer) {
    const std::vector<Texts> aliases{
        {"/queue/a.b", "/amq/queue/a.b", "a.b"},
        {"/topic/a.b", "/exchange/amq.topic/a.b"},
        {"/exchange/amq.fanout", "/exchange/amq.fanout/a"}};
    for (const Texts& names : aliases) {
        for (const std::string& written : names) {
            if (!written.starts_with('/')) { continue; }
            const auto list = list_of(
                {{{"authenticated"}, {"subscribe"}, {}, {written}},
                 {{"user:ben"}, {}, {"subscribe"}, {written}}}
            );
            for (const std::string& asked : names) {
                EXPECT_TRUE(may_subscribe(list, anna, asked)) << written << " " << asked;
                EXPECT_FALSE(may_subscribe(list, ben, asked)) << written << " " << asked;
            }
        }
    }
}

TEST(AccessList, S_ACL_03_PatternsOfQueuesAndOtherNamesAreThoseOfTopics) {
    for (const char* prefix :
         {"/topic/",
          "/queue/",
          "/amq/queue/",
          "/exchange/x/",
          "/exchange/amq.direct/",
          "/foo/",
          "/temp-queue/",
          "/temp-topic/"}) {
        const std::string on = prefix;
        const auto list = list_of(
            {{{"user:anna"}, {"subscribe"}, {}, {on + "a.*.c"}},
             {{"user:ben"}, {"subscribe"}, {}, {on + "a/#"}}}
        );
        EXPECT_TRUE(may_subscribe(list, anna, on + "a.b.c")) << on;
        EXPECT_FALSE(may_subscribe(list, anna, on + "a/b/c")) << on;
        EXPECT_FALSE(may_subscribe(list, anna, on + "a.c")) << on;
        EXPECT_TRUE(may_subscribe(list, ben, on + "a")) << on;
        EXPECT_TRUE(may_subscribe(list, ben, on + "a/b/c")) << on;
        EXPECT_FALSE(may_subscribe(list, ben, on + "ab")) << on;
        EXPECT_FALSE(may_subscribe(list, ben, on + "a.b")) << on;
    }
}

TEST(AccessList, S_ACL_03_UserDestinations) {
    const auto list = list_of({{{"authenticated"}, {"publish"}, {}, {"/user/*/queue/#"}}});
    EXPECT_TRUE(may(list, anna, Action::publish, "/user/ben/queue/x"));
    EXPECT_FALSE(may(list, anna, Action::publish, "/user/ben/topic/x"));
}

TEST(AccessList, S_ACL_03_APatternHasOneSeparator) {
    const auto list = list_of({{{"authenticated"}, {"subscribe"}, {}, {"/topic/a.#"}}});
    EXPECT_TRUE(may_subscribe(list, anna, "/topic/a.b"));
    EXPECT_FALSE(may_subscribe(list, anna, "/topic/a/b"));
    const auto everything = list_of({{{"authenticated"}, {"subscribe"}, {}, {"/topic/#"}}});
    EXPECT_TRUE(may_subscribe(everything, anna, "/topic/a/b"));
    EXPECT_TRUE(may_subscribe(everything, anna, "/topic/a.b"));
}

TEST(AccessList, CVE_2023_34034_DoubleStarIsWhatTheRouterTakesItFor) {
    const auto list = list_of({{{"authenticated"}, {"subscribe"}, {}, {"/topic/**/x"}}});
    EXPECT_TRUE(may_subscribe(list, anna, "/topic/x"));
    EXPECT_TRUE(may_subscribe(list, anna, "/topic/a/b/x"));
    EXPECT_FALSE(may_subscribe(list, anna, "/topic/a/b"));
}

TEST(AccessList, S_ACL_04_TheUserFillsOneLevel) {
    const auto list =
        list_of({{{"authenticated", "anonymous"}, {"subscribe"}, {}, {"/topic/home.%u.#"}}});
    EXPECT_TRUE(may_subscribe(list, anna, "/topic/home.anna.x"));
    EXPECT_TRUE(may_subscribe(list, anna, "/topic/home.anna"));
    EXPECT_FALSE(may_subscribe(list, anna, "/topic/home.ben.x"));
    EXPECT_TRUE(may_subscribe(list, ben, "/topic/home.ben.x"));
    EXPECT_FALSE(may_subscribe(list, anonymous(), "/topic/home.anonymous.x"));
    EXPECT_TRUE(may_subscribe(list, Principal{"%u"}, "/topic/home.%u.x"));
    EXPECT_FALSE(may_subscribe(list, anna, "/topic/home.%u.x"));
}

TEST(AccessList, S_ACL_04_AClaimFillsOneLevel) {
    const std::string url = "https://example.com/tenant";
    const auto list = list_of(
        {{{"authenticated"}, {"subscribe"}, {}, {"/queue/%{tenant}/%u", "/topic/%{" + url + "}"}}}
    );
    EXPECT_TRUE(may_subscribe(list, anna, "/queue/acme/anna"));
    EXPECT_FALSE(may_subscribe(list, anna, "/queue/acme/ben"));
    EXPECT_FALSE(may_subscribe(list, ben, "/queue/acme/ben"));
    EXPECT_FALSE(may_subscribe(list, ben, "/queue/%{tenant}/ben"));
    EXPECT_TRUE(may_subscribe(list, Principal{"x", {}, {{url, "urn:1"}}}, "/topic/urn:1"));
    const Principal twice{"x", {}, {{"tenant", "a"}, {"tenant", "b"}}};
    EXPECT_FALSE(may_subscribe(list, twice, "/queue/a/x"));
    EXPECT_FALSE(may_subscribe(list, twice, "/queue/b/x"));
}

TEST(AccessList, CVE_2017_7650_NamesThatAreNoLevelMatchNothing) {
    const auto list = list_of(
        {{{"authenticated"},
          {"subscribe"},
          {},
          {"/topic/%u/#", "/topic/by/%{tenant}", "/queue/%u"}}}
    );
    for (const std::string& hostile :
         {std::string(),
          std::string("*"),
          std::string("+"),
          std::string("#"),
          std::string("**"),
          std::string(">"),
          std::string("a/b"),
          std::string("a.b"),
          std::string("."),
          std::string(".."),
          std::string("a*"),
          std::string("x\0y", 3),
          std::string("a\n"),
          std::string("\xC2\x85"),
          std::string("\xFF"),
          std::string("$x")}) {
        const Principal mallory{hostile, {}, {{"tenant", hostile}}};
        for (const char* name :
             {"/topic/a",
              "/topic/a/b",
              "/topic/ben/x",
              "/topic/by/acme",
              "/topic/by/a/b",
              "/topic/by",
              "/queue/a",
              "/queue/a/b",
              "/queue/a.b"}) {
            EXPECT_FALSE(may_subscribe(list, mallory, name)) << hostile << " " << name;
        }
        const auto access = list->access_of(std::make_shared<Principal>(mallory));
        EXPECT_FALSE(access->covers(Action::subscribe, *protocol::parse_pattern("/topic/#", {})));
        EXPECT_FALSE(access->covers(Action::subscribe, *protocol::parse_pattern("/topic/a/#", {})));
    }
}

// A claim that is missing must not lift what else the rule denies.
TEST(AccessList, S_ACL_04_AVariableWithoutValueConcernsItsOwnPatternOnly) {
    const auto list = list_of(
        {{{"authenticated"}, {"subscribe"}, {}, {"/topic/#"}},
         {{"authenticated"}, {}, {"subscribe"}, {"/topic/%{tenant}/x", "/topic/secret"}}}
    );
    EXPECT_FALSE(may_subscribe(list, ben, "/topic/secret"));
    EXPECT_TRUE(may_subscribe(list, ben, "/topic/acme/x"));
    EXPECT_FALSE(may_subscribe(list, anna, "/topic/acme/x"));
}

TEST(AccessList, S_ACL_07_OneAllowingRuleMustCoverAWildcard) {
    EXPECT_TRUE(covers({"/topic/#"}, "/topic/#"));
    EXPECT_TRUE(covers({"/topic/**"}, "/topic/>"));
    EXPECT_TRUE(covers({"/topic/#"}, "/topic/a.*"));
    EXPECT_TRUE(covers({"/topic/#"}, "/exchange/amq.topic/a/*"));
    EXPECT_TRUE(covers({"/topic/#/#"}, "/topic/a.*"));
    EXPECT_TRUE(covers({"/topic/a/#"}, "/topic/a/*/b"));
    EXPECT_TRUE(covers({"/topic/a/#"}, "/topic/a/#"));
    EXPECT_TRUE(covers({"/topic/*/#"}, "/topic/#/+"));
    EXPECT_TRUE(covers({"/topic/#/*"}, "/topic/*/#"));
    EXPECT_TRUE(covers({"/topic/*"}, "/topic/+"));
    EXPECT_TRUE(covers({"/topic/*/#"}, "/topic/*"));
    EXPECT_TRUE(covers({"/topic/#/b/#"}, "/topic/#/b/c"));

    EXPECT_FALSE(covers({"/topic/a/*"}, "/topic/a/#"));
    EXPECT_FALSE(covers({"/topic/a/*", "/topic/a", "/topic/a/*/#"}, "/topic/a/#"));
    EXPECT_FALSE(covers({"/topic/a.#"}, "/topic/a/#"));
    EXPECT_FALSE(covers({"/topic/a/#"}, "/topic/#"));
    EXPECT_FALSE(covers({"/topic/a/#"}, "/topic/*/b"));
    EXPECT_FALSE(covers({"/topic/*"}, "/topic/a/*"));
    EXPECT_FALSE(covers({"/topic/*"}, "/topic/#"));
    EXPECT_FALSE(covers({"/topic/a"}, "/topic/*"));
    EXPECT_FALSE(covers({"/topic/#/b/#"}, "/topic/#/c"));
    EXPECT_FALSE(covers({"/queue/#"}, "/topic/#"));
    EXPECT_FALSE(covers({"/exchange/x/#"}, "/exchange/y/#"));
    EXPECT_TRUE(covers({"/topic/a"}, "/topic/a"));
    EXPECT_FALSE(covers({"/topic/a"}, "/topic/b"));
}

TEST(AccessList, S_ACL_07_DenialsUnderAPatternAreLeftToDelivery) {
    const auto list = list_of(
        {{{"authenticated"}, {"subscribe"}, {}, {"/topic/#"}},
         {{"user:ben"}, {}, {"subscribe"}, {"/topic/secret/#"}}}
    );
    const auto pattern = *protocol::parse_pattern("/topic/#", {});
    const auto of_ben = list->access_of(std::make_shared<Principal>(ben));
    EXPECT_TRUE(of_ben->covers(Action::subscribe, pattern));
    EXPECT_TRUE(of_ben->has_denials(Action::subscribe));
    EXPECT_FALSE(of_ben->has_denials(Action::publish));
    const auto of_anna = list->access_of(std::make_shared<Principal>(anna));
    EXPECT_FALSE(of_anna->has_denials(Action::subscribe));
}

// A destination as the router may have it, though no client can name it.
TEST(AccessList, P_DEST_08_WildcardsDoNotMatchHiddenLevels) {
    const auto list = list_of({{{"authenticated"}, {"subscribe"}, {}, {"/topic/#", "/queue/*"}}});
    const auto access = list->access_of(std::make_shared<Principal>(anna));
    using protocol::DestinationKind;
    EXPECT_FALSE(access->allows(Action::subscribe, {DestinationKind::topic, "/topic/", "a/$b"}));
    EXPECT_FALSE(access->allows(Action::subscribe, {DestinationKind::queue, "/queue/", "$b"}));
}

TEST(AccessList, S_ACL_08_NoUsersNameReachesReservedNames) {
    const auto list = list_of({{{"authenticated"}, {"subscribe"}, {}, {"/topic/%u/#"}}});
    const auto access = list->access_of(std::make_shared<Principal>(Principal{"$x"}));
    const protocol::Destination reserved{protocol::DestinationKind::topic, "/topic/", "$x/a"};
    EXPECT_FALSE(access->allows(Action::subscribe, reserved));
}

TEST(AccessList, S_ACL_08_TheBrokersOwnTopicsNeedARuleThatNamesThem) {
    const auto may_listen = [](Texts on, Texts allow = {"subscribe"}) {
        const auto list = list_of({{{"authenticated"}, std::move(allow), {}, std::move(on)}});
        const auto access = list->access_of(std::make_shared<Principal>(anna));
        const auto topic = protocol::destination_of(protocol::SystemEvent::connect);
        return access->allows(Action::subscribe, topic);
    };
    for (const char* wide :
         {"/topic/**", "/topic/#", "/topic/>", "/topic/*", "/topic/*.*", "/topic/+.connect"}) {
        EXPECT_FALSE(may_listen({wide})) << wide;
    }
    for (const char* named :
         {"/topic/$SYS.connect",
          "/exchange/amq.topic/$SYS.connect",
          "/topic/$SYS.*",
          "/topic/$SYS.**",
          "/topic/$SYS.#",
          "/topic/$SYS.>"}) {
        EXPECT_TRUE(may_listen({named})) << named;
    }
    EXPECT_FALSE(may_listen({"/topic/$SYS.stats"}));
    EXPECT_FALSE(may_listen({"/topic/$SYS.connect"}, {"publish"}));
}

TEST(AccessList, S_ACL_08_DenyOfTheBrokersOwnTopicsOverrides) {
    const auto list = list_of(
        {{{"authenticated"}, {"subscribe"}, {}, {"/topic/$SYS.*"}},
         {{"authenticated"}, {}, {"subscribe"}, {"/topic/$SYS.stats"}}}
    );
    const auto access = list->access_of(std::make_shared<Principal>(anna));
    using protocol::SystemEvent;
    const auto may = [&](SystemEvent event) {
        return access->allows(Action::subscribe, protocol::destination_of(event));
    };
    EXPECT_TRUE(may(SystemEvent::alarm));
    EXPECT_FALSE(may(SystemEvent::stats));
}

TEST(AccessList, S_ACL_01_FaultsNameRuleKeyAndRemedy) {
    const Texts who{"authenticated"};
    const Texts on{"/topic/a"};
    EXPECT_EQ(
        fault_of({who, {"publsh"}, {}, on}),
        "acl[1].allow: \"publsh\" is no action: write \"publish\", \"subscribe\", \"create\" or "
        "\"browse\""
    );
    EXPECT_EQ(
        fault_of({who, {}, {"admin"}, on}),
        "acl[1].deny: \"admin\" is no action of access rules: it exists only on the admin listener"
    );
    EXPECT_EQ(
        fault_of({who, {"publish"}, {"create"}, on}),
        "acl[1].deny: a rule either allows or denies: write two rules"
    );
    EXPECT_EQ(
        fault_of({who, {}, {}, on}),
        "acl[1].allow: neither allow nor deny names an action: give one of them, as in allow = "
        "[\"subscribe\"]"
    );
    EXPECT_EQ(
        fault_of({{}, {"publish"}, {}, on}),
        "acl[1].who: this list is empty: give at least one entry, as in \"role:editors\" or "
        "\"authenticated\""
    );
    EXPECT_EQ(
        fault_of({who, {"publish"}, {}, {}}),
        "acl[1].on: this list is empty: give at least one entry, as in \"/topic/news.#\""
    );
}

TEST(AccessList, S_ACL_01_RefusesWhoIsNobody) {
    for (const char* who :
         {"anna",
          "",
          "User:anna",
          "user:",
          "user:a/b",
          "user:*",
          "user:anonymous",
          "role:",
          "role:a\nb",
          "claim:tenant",
          "claim:=x",
          "claim:tenant=",
          "group:x",
          "everyone"}) {
        const std::string fault = fault_of({{who}, {"publish"}, {}, {"/topic/a"}});
        EXPECT_TRUE(fault.starts_with("acl[1].who: ")) << who << ": " << fault;
        EXPECT_EQ(fault.find('\n'), std::string::npos);
    }
}

TEST(AccessList, S_ACL_03_RefusesWhatIsNoPattern) {
    for (const char* on :
         {"",
          "/",
          "/topic/",
          "/topic",
          "topic/a",
          "a",
          "/topic/a/",
          "/topic//a",
          "/topic/a/../b",
          "/topic/a..b",
          "/topic/a/>/b",
          "/queue/a/>/b",
          "/topic/a*",
          "/queue/*-x",
          "/queue/a.x*y.#",
          "/topic/***",
          "/*/a",
          "/**",
          "/#/a",
          "/exchange/*/a",
          "/exchange/amq.headers/a",
          "/reply-queue/0123",
          "/topic/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
          "/topic/a\x01",
          "/topic/\xFF"}) {
        const std::string fault = fault_of_pattern(on);
        EXPECT_TRUE(fault.starts_with("acl[1].on: \"")) << on << ": " << fault;
    }
    EXPECT_NE(fault_of_pattern("/topic/" + std::string(300, 'a')), "");
    EXPECT_EQ(
        fault_of_pattern("/queue/a/>/b"),
        "acl[1].on: \"/queue/a/>/b\" has > before its last level. Use # or ** there."
    );
}

TEST(AccessList, S_ACL_08_RefusesReservedNames) {
    for (const char* on :
         {"/sys",
          "/sys/x",
          "/sys/#",
          "/topic/$x",
          "/queue/$x/#",
          "/topic/a.$b",
          "/$a/b",
          "/topic/$SYS",
          "/topic/$SYS/#",
          "/topic/$SYS.*.a",
          "/topic/$SYS.other",
          "/topic/$SYS.%u",
          "/queue/$SYS.connect",
          "/queue/$SYS.*",
          "/user/$SYS.connect",
          "/exchange/amq.direct/$SYS.connect"}) {
        EXPECT_NE(fault_of_pattern(on).find("is a reserved name"), std::string::npos) << on;
    }
}

TEST(AccessList, S_ACL_04_RefusesVariablesThatAreNoLevel) {
    for (const char* on :
         {"/topic/a%u",
          "/topic/%ua",
          "/topic/%u%u",
          "/topic/a.%u/b",
          "/topic/a-%{tenant}",
          "/topic/%{}",
          "/topic/%{a",
          "/topic/%",
          "/topic/100%",
          "/topic/%c",
          "/topic/%U",
          "/topic/%%",
          "/topic/%0%",
          "/topic/%u1%",
          "/%u/a",
          "/exchange/%u/a",
          "/exchange/amq.fanout/%u",
          "/queue/x-%u/#",
          "%u"}) {
        const std::string fault = fault_of_pattern(on);
        EXPECT_TRUE(fault.starts_with("acl[1].on: \"")) << on << ": " << fault;
    }
    EXPECT_EQ(
        fault_of_pattern("/topic/a-%u"),
        "acl[1].on: \"/topic/a-%u\" has %u or %{claim} among other text: let it be a whole level"
    );
}

TEST(AccessList, S_ACL_01_IsBounded) {
    const AccessRule rule{{"anonymous"}, {"publish"}, {}, {"/topic/a"}};
    AccessLimits few;
    few.rules_max = 2;
    EXPECT_TRUE(AccessList::make({rule, rule}, {}, few));
    EXPECT_EQ(
        AccessList::make({rule, rule, rule}, {}, few).error().text(),
        "acl[2]: 3 rules are more than 2: use roles and patterns"
    );
    AccessRule wide = rule;
    wide.on = Texts(64, "/topic/a");
    EXPECT_EQ(fault_of(wide), "");
    wide.on.emplace_back("/topic/b");
    EXPECT_EQ(fault_of(wide), "acl[1].on: 65 entries are more than 64: write several rules");
    wide.on = rule.on;
    wide.who = Texts(65, "anonymous");
    EXPECT_EQ(fault_of(wide), "acl[1].who: 65 entries are more than 64: write several rules");
    few.pairs_max = 1;
    EXPECT_FALSE(AccessList::make({rule, rule}, {}, few));
}

TEST(AccessList, S_ACL_02_ExplainsWhichRuleDecides) {
    const auto list = list_of(
        {{{"authenticated"}, {"publish", "subscribe"}, {}, {"/topic/#", "/queue/a"}},
         {{"role:editors"}, {}, {"publish"}, {"/topic/%u"}}}
    );
    const auto explain = [&](std::string_view text) {
        return list->explain(anna, Action::publish, parse(text));
    };
    EXPECT_TRUE(explain("/topic/x").is_allowed);
    EXPECT_EQ(
        explain("/topic/x").text,
        "acl[0]: allow publish, subscribe on /topic/#, /queue/a for authenticated"
    );
    EXPECT_FALSE(explain("/topic/anna").is_allowed);
    EXPECT_EQ(explain("/topic/anna").rule, 1U);
    EXPECT_EQ(explain("/topic/anna").text, "acl[1]: deny publish on /topic/%u for role:editors");
    EXPECT_FALSE(explain("/queue/b").is_allowed);
    EXPECT_EQ(explain("/queue/b").rule, std::nullopt);
    EXPECT_EQ(explain("/queue/b").text, "no rule allows it");
    const auto pattern = *protocol::parse_pattern("/topic/a/*", {});
    EXPECT_TRUE(list->explain(anna, Action::subscribe, pattern).is_allowed);
    EXPECT_EQ(
        list->explain(anna, Action::browse, pattern).text,
        "no single rule allows all that it can match"
    );
}

TEST(AccessList, S_ACL_11_RightsOutliveTheirList) {
    auto list = list_of({{{"authenticated"}, {"subscribe"}, {}, {"/topic/#", "/topic/%u"}}});
    const auto access = list->access_of(std::make_shared<Principal>(anna));
    list.reset();
    EXPECT_TRUE(access->allows(Action::subscribe, parse("/topic/x")));
}

}  // namespace
}  // namespace security
