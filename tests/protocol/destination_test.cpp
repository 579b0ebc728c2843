// Destination names and patterns: P-DEST-01 to -09.
// The matcher is compared with a naive recursive one over random patterns and names.
#include "protocol/destination.hpp"

#include "protocol/system_event.hpp"

#include <gtest/gtest.h>

#include <random>

namespace protocol {

namespace {

using std::string_literals::operator""s;

const Limits limits;

std::string canonical(std::string_view text) {
    const auto parsed = parse_destination(text, limits);
    return parsed ? parsed->canonical() : "refused " + std::string(token(parsed.error().code));
}

DestinationKind kind(std::string_view text) {
    return parse_destination(text, limits)->kind;
}

std::string_view send_refusal(std::string_view text) {
    const auto parsed = parse_destination(text, limits);
    return parsed ? std::string_view("accepted") : token(parsed.error().code);
}

std::string_view subscribe_refusal(std::string_view text) {
    const auto parsed = parse_pattern(text, limits);
    return parsed ? std::string_view("accepted") : token(parsed.error().code);
}

void expect_both_refuse(std::string_view text, std::string_view expected = "bad-destination") {
    EXPECT_EQ(send_refusal(text), expected) << text;
    EXPECT_EQ(subscribe_refusal(text), expected) << text;
}

bool is_wildcard(std::string_view text) {
    const auto parsed = parse_pattern(text, limits);
    EXPECT_TRUE(parsed) << text;
    return parsed && parsed->is_wildcard;
}

/// Whether a SUBSCRIBE to `pattern` gets a SEND to `name`.
bool reaches(std::string_view pattern, std::string_view name) {
    const auto subscribed = parse_pattern(pattern, limits);
    const auto sent = parse_destination(name, limits);
    EXPECT_TRUE(subscribed) << pattern;
    EXPECT_TRUE(sent) << name;
    if (!subscribed || !sent || subscribed->destination.space != sent->space) { return false; }
    if (!subscribed->is_wildcard) { return subscribed->destination.key == sent->key; }
    return matches(subscribed->destination.key, subscribed->separator, sent->key);
}

using Levels = std::vector<std::string_view>;

/// P-DEST-05 and -08 as they are written, exponential in the worst case.
bool naive(const Levels& pattern, std::size_t p, const Levels& name, std::size_t n) {
    if (p == pattern.size()) { return n == name.size(); }
    const auto level = pattern[p];
    const bool takes_one = n < name.size() && !name[n].starts_with('$');
    if (level == "#" || level == "**" || level == ">") {
        return naive(pattern, p + 1, name, n) || (takes_one && naive(pattern, p, name, n + 1));
    }
    if (level == "*" || level == "+") { return takes_one && naive(pattern, p + 1, name, n + 1); }
    return n < name.size() && name[n] == level && naive(pattern, p + 1, name, n + 1);
}

std::string random_key(
    std::mt19937& random, const std::vector<std::string>& levels, std::string_view cuts
) {
    std::string key = levels[random() % levels.size()];
    for (std::size_t i = random() % 6; i > 0; --i) {
        key += cuts[random() % cuts.size()];
        key += levels[random() % levels.size()];
    }
    return key;
}

}  // namespace

TEST(Destination, P_DEST_01_ThreeNamesOfOneQueue) {
    for (const char* name : {"/queue/orders", "/amq/queue/orders", "orders"}) {
        EXPECT_EQ(canonical(name), "/queue/orders");
        EXPECT_EQ(kind(name), DestinationKind::queue);
    }
    EXPECT_EQ(canonical("a/b"), "/queue/a/b");
    EXPECT_EQ(canonical("queue/a"), "/queue/queue/a");
}

TEST(Destination, P_DEST_01_TwoNamesOfOneTopic) {
    for (const char* name : {"/topic/a/b", "/exchange/amq.topic/a/b"}) {
        EXPECT_EQ(canonical(name), "/topic/a/b");
        EXPECT_EQ(kind(name), DestinationKind::topic);
    }
}

TEST(Destination, P_DEST_01_ExchangesAreNameSpacesOfTopics) {
    const auto named = parse_destination("/exchange/prices/eur.usd", limits);
    EXPECT_EQ(named->space, "/exchange/prices/");
    EXPECT_EQ(named->key, "eur.usd");
    const auto bare = parse_destination("/exchange/prices", limits);
    EXPECT_EQ(bare->space, "/exchange/prices");
    EXPECT_EQ(bare->key, "");
    EXPECT_EQ(bare->kind, DestinationKind::topic);
}

TEST(Destination, P_DEST_01_DirectKeysAreLiteral) {
    const auto pattern = parse_pattern("/exchange/amq.direct/a.*", limits);
    EXPECT_FALSE(pattern->is_wildcard);
    EXPECT_EQ(pattern->destination.space, "/exchange/amq.direct/");
    EXPECT_EQ(pattern->destination.key, "a.*");
    EXPECT_EQ(canonical("/exchange/amq.direct/#"), "/exchange/amq.direct/#");
    EXPECT_FALSE(reaches("/exchange/amq.direct/*", "/exchange/amq.direct/a"));
    EXPECT_TRUE(reaches("/exchange/amq.direct/*", "/exchange/amq.direct/*"));
}

TEST(Destination, P_DEST_01_FanoutIgnoresItsKey) {
    for (const char* name :
         {"/exchange/amq.fanout", "/exchange/amq.fanout/a", "/exchange/amq.fanout/a.b/c"}) {
        EXPECT_EQ(canonical(name), "/exchange/amq.fanout");
        EXPECT_FALSE(is_wildcard(name));
    }
    EXPECT_TRUE(reaches("/exchange/amq.fanout/x", "/exchange/amq.fanout"));
    EXPECT_EQ(canonical("/exchange/amq.fanouts/x"), "/exchange/amq.fanouts/x");
}

TEST(Destination, P_DEST_01_HeadersExchangeIsUnsupported) {
    expect_both_refuse("/exchange/amq.headers", "unsupported");
    expect_both_refuse("/exchange/amq.headers/a", "unsupported");
    EXPECT_EQ(canonical("/exchange/amq.headersx/a"), "/exchange/amq.headersx/a");
}

TEST(Destination, P_DEST_01_PrivateAndUserForms) {
    EXPECT_EQ(kind("/temp-queue/a"), DestinationKind::temp_queue);
    EXPECT_EQ(kind("/temp-topic/a"), DestinationKind::temp_topic);
    EXPECT_EQ(kind("/reply-queue/0123456789abcdef"), DestinationKind::reply_queue);
    EXPECT_EQ(parse_destination("/reply-queue/TOKEN", limits)->key, "TOKEN");
    EXPECT_EQ(kind("/user/bob/queue/a"), DestinationKind::user);
    EXPECT_EQ(parse_pattern("/user/queue/a", limits)->destination.kind, DestinationKind::user);
    EXPECT_EQ(parse_pattern("/user/queue/a", limits)->destination.key, "queue/a");
}

TEST(Destination, P_DEST_01_AnyOtherNameIsATopic) {
    const auto other = parse_destination("/foo/bar/baz", limits);
    EXPECT_EQ(other->kind, DestinationKind::topic);
    EXPECT_EQ(other->space, "/foo/");
    EXPECT_EQ(other->key, "bar/baz");
    EXPECT_EQ(canonical("/topics/a"), "/topics/a");
    EXPECT_EQ(canonical("/queues/a"), "/queues/a");
    EXPECT_EQ(canonical("/amq/other"), "/amq/other");
}

TEST(Destination, P_USER_05_SendMustNameTheUser) {
    for (const char* name :
         {"/user/queue/a", "/user/bob", "/user/bob/queue", "/user/bob/other/a", "/user/topic/a"}) {
        EXPECT_EQ(send_refusal(name), "bad-destination") << name;
    }
    EXPECT_EQ(send_refusal("/user/bob@example.com/topic/a/b"), "accepted");
}

TEST(Destination, P_DEST_03_LengthJustBelowAndAbove) {
    const std::string prefix = "/queue/";
    EXPECT_EQ(send_refusal(prefix + std::string(248, 'x')), "accepted");
    expect_both_refuse(prefix + std::string(249, 'x'));
    EXPECT_EQ(send_refusal(std::string(248, 'x')), "accepted");
    expect_both_refuse(std::string(249, 'x'));
}

TEST(Destination, P_DEST_03_TheNameThatAnAliasStandsForIsNotLongerEither) {
    const std::string longest(255 - std::string_view("/queue/").size(), 'a');
    EXPECT_TRUE(parse_destination(longest, {}).has_value());
    EXPECT_TRUE(parse_destination(parse_destination(longest, {})->canonical(), {}).has_value());
    const auto refused = parse_destination(longest + "a", {});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::bad_destination);
    EXPECT_EQ(refused.error().limit, LimitKey::destination_bytes);
}

TEST(Destination, P_DEST_03_SixteenLevelsUnderEitherSeparator) {
    for (const char separator : {'/', '.'}) {
        std::string name = "/topic/1";
        for (int level = 2; level <= 16; ++level) {
            name += separator + std::to_string(level);
        }
        EXPECT_EQ(send_refusal(name), "accepted") << name;
        EXPECT_EQ(subscribe_refusal(name), "accepted") << name;
        expect_both_refuse(name + separator + "17");
    }
}

TEST(Destination, P_DEST_03_NothingAfterThePrefixRefuses) {
    for (const char* name :
         {"",
          "/",
          "/queue",
          "/queue/",
          "/topic",
          "/topic/",
          "/amq/queue",
          "/amq/queue/",
          "/amq",
          "/exchange",
          "/exchange/",
          "/exchange/amq.topic",
          "/exchange/amq.topic/",
          "/exchange/prices/",
          "/exchange/amq.fanout/",
          "/exchange/amq.direct/",
          "/temp-queue",
          "/temp-queue/",
          "/temp-topic/",
          "/reply-queue/",
          "/user",
          "/user/",
          "/foo",
          "/foo/"}) {
        expect_both_refuse(name);
    }
}

TEST(Destination, P_DEST_03_EmptyLevelsRefuseUnderEitherSeparator) {
    for (const char* name :
         {"/queue/a//b",
          "/queue//a",
          "/queue/a/",
          "/topic/a..b",
          "/topic/.a",
          "/topic/a.",
          "//a",
          "///",
          "/foo//a",
          "a//b",
          ".a",
          "a.",
          "a/",
          "/exchange//a",
          "/exchange/a..b/c",
          "/foo./a",
          "/exchange/amq.fanout//"}) {
        expect_both_refuse(name);
    }
}

TEST(Destination, P_DEST_03_DotLevelsRefuse) {
    for (const char* name :
         {"/queue/.",
          "/queue/..",
          "/topic/a/./b",
          "/topic/a/../b",
          "/topic/../queue/a",
          "..",
          ".",
          "/./a",
          "/../a",
          "/exchange/../a",
          "/exchange/./a"}) {
        expect_both_refuse(name);
    }
}

TEST(Destination, P_DEST_03_ControlCharactersRefuse) {
    for (const std::string& part :
         {"\0"s, "\x01"s, "\n"s, "\r"s, "\x1F"s, "\x7F"s, "\xC2\x80"s, "\xC2\x85"s, "\xC2\x9F"s}) {
        expect_both_refuse("/queue/a" + part + "b");
        expect_both_refuse("a" + part);
    }
    EXPECT_EQ(send_refusal("/queue/a b\xC2\xA0\xC3\x82!"), "accepted");
}

TEST(Destination, P_DEST_03_OnlyUtf8) {
    expect_both_refuse("/queue/\xFF");
    expect_both_refuse("/queue/\xC2");
    expect_both_refuse("/topic/\xED\xA0\x80");
    EXPECT_EQ(canonical("/topic/\xE4\xBD\xA0\xE5\xA5\xBD"), "/topic/\xE4\xBD\xA0\xE5\xA5\xBD");
}

TEST(Destination, P_DEST_04_NamesAreComparedOctetByOctet) {
    EXPECT_EQ(canonical("/queue/A%2Fb"), "/queue/A%2Fb");
    EXPECT_NE(canonical("/queue/a"), canonical("/queue/A"));
    EXPECT_NE(canonical("/queue/\xC3\xBC"), canonical("/queue/u\xCC\x88"));
    EXPECT_EQ(canonical("/Queue/a"), "/Queue/a");
    EXPECT_EQ(canonical("/queue/ a "), "/queue/ a ");
}

TEST(Destination, S_ACL_08_CVE_2026_33217_ReservedNamesAreDenied) {
    for (const char* name :
         {"/sys",
          "/sys/",
          "/sys/a",
          "/sys/a/b",
          "/queue/$a",
          "/topic/a/$b",
          "/topic/a.$b",
          "$a",
          "a.$b",
          "/$foo/a",
          "/exchange/$x",
          "/exchange/$x/a",
          "/exchange/x/$a",
          "/temp-queue/$a",
          "/user/$bob/queue/a",
          "/topic/$SYS/#",
          "/exchange/amq.fanout/$x",
          "/exchange/amq.direct/$x",
          "/amq/queue/$x",
          "$SYS/a"}) {
        expect_both_refuse(name, "access-denied");
    }
    EXPECT_EQ(send_refusal("/system/a"), "accepted");
    EXPECT_EQ(send_refusal("/queue/a$b"), "accepted");
    EXPECT_EQ(send_refusal("sys/a"), "accepted");
}

TEST(Destination, S_ACL_08_SubscribeMayNameTheBrokersOwnTopics) {
    for (std::size_t i = 0; i < system_event_count; ++i) {
        const auto event = static_cast<SystemEvent>(i);
        const std::string name = destination_of(event).canonical();
        EXPECT_EQ(name, "/topic/$SYS." + std::string(name_of(event)));
        for (const std::string& spelling :
             {name, "/exchange/amq.topic/$SYS." + std::string(name_of(event))}) {
            const auto subscribed = parse_pattern(spelling, limits);
            ASSERT_TRUE(subscribed) << spelling;
            EXPECT_FALSE(subscribed->is_wildcard);
            EXPECT_EQ(subscribed->destination.canonical(), name);
            EXPECT_EQ(system_event(subscribed->destination), event);
            EXPECT_EQ(send_refusal(spelling), "access-denied");
        }
        for (const char* pattern : {"#", "**", ">", "*", "*.*", "+.+", "*.connect", "#.connect"}) {
            EXPECT_FALSE(
                matches(pattern, parse_pattern("/topic/a.*", limits)->separator, name.substr(7))
            ) << pattern;
        }
    }
    EXPECT_TRUE(matches("$SYS.*", Separator::dot, "$SYS.connect"));
}

TEST(Destination, S_ACL_08_NothingElseBelowTheBrokersNameIsAdmitted) {
    for (const char* name :
         {"/topic/$SYS",
          "/topic/$SYS.",
          "/topic/$SYS.*",
          "/topic/$SYS.#",
          "/topic/$SYS.>",
          "/topic/$SYS.connects",
          "/topic/$SYS.connect.a",
          "/topic/$SYS.connect/a",
          "/topic/$SYS/connect",
          "/topic/$sys.connect",
          "/topic/a/$SYS.connect",
          "/queue/$SYS.connect",
          "/amq/queue/$SYS.connect",
          "/temp-topic/$SYS.connect",
          "/user/queue/$SYS.connect",
          "/exchange/amq.direct/$SYS.connect",
          "/exchange/amq.fanout/$SYS.connect",
          "/exchange/$SYS.connect/a",
          "$SYS.connect",
          "/$SYS.connect"}) {
        expect_both_refuse(name, "access-denied");
    }
}

TEST(Destination, P_DEST_05_WildcardsAreWholeLevels) {
    for (const char* name :
         {"/topic/*",
          "/topic/+",
          "/topic/#",
          "/topic/**",
          "/topic/>",
          "/topic/a/*",
          "/topic/*/a",
          "/topic/a.#.b",
          "/exchange/x/a.*",
          "/exchange/amq.topic/#",
          "/foo/*",
          "/foo/bar/>",
          "/topic/a.>"}) {
        EXPECT_TRUE(is_wildcard(name)) << name;
    }
    for (const char* name :
         {"/topic/a*",
          "/topic/*a",
          "/topic/***",
          "/topic/##",
          "/topic/>>",
          "/topic/a+b",
          "/topic/a/b*",
          "/topic/a"}) {
        EXPECT_FALSE(is_wildcard(name)) << name;
        EXPECT_EQ(send_refusal(name), "accepted") << name;
    }
}

TEST(Destination, P_DEST_05_TheRestIsLastOnly) {
    for (const char* name :
         {"/topic/>/a",
          "/topic/>.a",
          "/topic/a/>/b",
          "/topic/>/>",
          "/foo/>/a",
          "/exchange/x/>.a"}) {
        EXPECT_EQ(subscribe_refusal(name), "bad-destination") << name;
    }
    EXPECT_TRUE(is_wildcard("/topic/#/a/**/b"));
    EXPECT_FALSE(is_wildcard("/topic/a/b>"));
}

TEST(Destination, P_DEST_05_NameSpacesAreNeverWildcards) {
    EXPECT_FALSE(is_wildcard("/*/a"));
    EXPECT_FALSE(is_wildcard("/exchange/*/a"));
    EXPECT_FALSE(is_wildcard("/exchange/#"));
    EXPECT_FALSE(reaches("/*/a", "/foo/a"));
    EXPECT_FALSE(reaches("/exchange/*/a", "/exchange/x/a"));
}

TEST(Destination, P_DEST_05_WhatWildcardsMatch) {
    EXPECT_TRUE(reaches("/topic/a/*", "/topic/a/b"));
    EXPECT_FALSE(reaches("/topic/a/*", "/topic/a"));
    EXPECT_FALSE(reaches("/topic/a/*", "/topic/a/b/c"));
    EXPECT_TRUE(reaches("/topic/a/#", "/topic/a"));
    EXPECT_TRUE(reaches("/topic/a/#", "/topic/a/b/c"));
    EXPECT_TRUE(reaches("/topic/a/>", "/topic/a"));
    EXPECT_TRUE(reaches("/topic/#/z", "/topic/z"));
    EXPECT_TRUE(reaches("/topic/#/z", "/topic/a/b/z"));
    EXPECT_FALSE(reaches("/topic/#/z", "/topic/a/b"));
    EXPECT_TRUE(reaches("/topic/a/**/b/+", "/topic/a/x/y/b/c"));
    EXPECT_TRUE(reaches("/exchange/amq.topic/a.*", "/topic/a.b"));
    EXPECT_FALSE(reaches("/topic/#", "/foo/a"));
    EXPECT_FALSE(reaches("/foo/#", "/topic/a"));
}

TEST(Destination, P_DEST_06_TheSeparatorOfAPattern) {
    const auto separator = [](std::string_view text) {
        return parse_pattern(text, limits)->separator;
    };
    EXPECT_EQ(separator("/topic/a/*"), Separator::slash);
    EXPECT_EQ(separator("/topic/a.b/*"), Separator::slash);
    EXPECT_EQ(separator("/topic/a.*"), Separator::dot);
    EXPECT_EQ(separator("/topic/*"), Separator::both);
    EXPECT_EQ(separator("/foo/*"), Separator::both);
}

TEST(Destination, P_DEST_06_TheNameIsSplitAsThePatternIs) {
    EXPECT_TRUE(reaches("/topic/a/*", "/topic/a/b.c"));
    EXPECT_TRUE(reaches("/topic/a.*", "/topic/a.b/c"));
    EXPECT_FALSE(reaches("/topic/a.*", "/topic/a/b"));
    EXPECT_TRUE(reaches("/topic/*", "/topic/a"));
    EXPECT_FALSE(reaches("/topic/*", "/topic/a.b"));
    EXPECT_FALSE(reaches("/topic/*", "/topic/a/b"));
    for (const char* name : {"/topic/a", "/topic/a.b", "/topic/a/b", "/topic/a.b/c"}) {
        EXPECT_TRUE(reaches("/topic/#", name)) << name;
    }
}

TEST(Destination, P_DEST_06_LevelsAreCutAtTheSeparator) {
    EXPECT_EQ(split_levels("a.b/c", Separator::slash), (Levels{"a.b", "c"}));
    EXPECT_EQ(split_levels("a.b/c", Separator::dot), (Levels{"a", "b/c"}));
    EXPECT_EQ(split_levels("a.b/c", Separator::both), (Levels{"a", "b", "c"}));
    EXPECT_EQ(split_levels("a", Separator::both), (Levels{"a"}));
    EXPECT_EQ(split_levels("", Separator::both), Levels{});
}

TEST(Destination, P_DEST_07_SendRefusesWildcards) {
    for (const char* name :
         {"/topic/*",
          "/topic/a/#",
          "/topic/a.>",
          "/topic/+/b",
          "/exchange/x/**",
          "/foo/*",
          "/queue/*",
          "*",
          "a.#"}) {
        EXPECT_EQ(send_refusal(name), "bad-destination") << name;
    }
}

TEST(Destination, P_DEST_07_OnlyTopicsHaveWildcardsInSubscribe) {
    for (const char* name :
         {"/queue/*",
          "/queue/a.#",
          "/queue/a/>",
          "/amq/queue/*",
          "a.*",
          "#",
          "/temp-queue/*",
          "/temp-topic/#",
          "/reply-queue/*",
          "/user/queue/*",
          "/user/topic/a.#"}) {
        EXPECT_EQ(subscribe_refusal(name), "bad-destination") << name;
    }
}

TEST(Destination, P_DEST_08_WildcardsDoNotMatchHiddenLevels) {
    for (const char* pattern : {"*", "+", "#", "**", ">"}) {
        EXPECT_FALSE(matches(pattern, Separator::both, "$sys"));
        EXPECT_TRUE(matches(pattern, Separator::both, "sys$"));
    }
    EXPECT_FALSE(matches("a/#", Separator::slash, "a/$b/c"));
    EXPECT_FALSE(matches("a/#", Separator::slash, "a/b/$c"));
    EXPECT_TRUE(matches("a/$b/#", Separator::slash, "a/$b/c"));
    EXPECT_TRUE(matches("#/$b", Separator::slash, "a/$b"));
    EXPECT_FALSE(matches("#/$b", Separator::slash, "$b/$b"));
}

TEST(Destination, P_DEST_05_MatchesAgreesWithTheNaiveMatcher) {
    const std::vector<std::string> pattern_levels{"a", "b", "$x", "*", "+", "#", "**", "a*"};
    const std::vector<std::string> name_levels{"a", "b", "a", "b", "$x", "c", "a*"};
    std::mt19937 random(6);
    int matched = 0;
    for (int round = 0; round < 100'000; ++round) {
        const auto separator = static_cast<Separator>(random() % 3);
        const std::string_view cut = separator == Separator::dot     ? "."
                                     : separator == Separator::slash ? "/"
                                                                     : "./";
        std::string pattern = random_key(random, pattern_levels, cut);
        if (random() % 5 == 0) { pattern += cut[0] + ">"s; }
        const std::string name = random_key(random, name_levels, "./");
        const bool expected =
            naive(split_levels(pattern, separator), 0, split_levels(name, separator), 0);
        ASSERT_EQ(matches(pattern, separator, name), expected) << pattern << " " << name;
        matched += expected ? 1 : 0;
    }
    EXPECT_GT(matched, 1'000);
}

TEST(Destination, P_DEST_05_MatchingIsNotExponential) {
    std::string pattern = "#";
    for (int i = 0; i < 7; ++i) {
        pattern += "/a/#";
    }
    std::string name = "a";
    for (int i = 0; i < 2'000; ++i) {
        name += "/a";
    }
    EXPECT_TRUE(matches(pattern, Separator::slash, name));
    EXPECT_FALSE(matches(pattern + "/b", Separator::slash, name));
}

TEST(Destination, P_DEST_07_ANameIsAWildcardForBothParsersOrForNone) {
    const std::vector<std::string> levels{"a", "b*", "*", "#", ">", "x"};
    const std::vector<std::string> prefixes{
        "/topic/", "/queue/", "", "/foo/", "/exchange/x/", "/exchange/amq.direct/"};
    std::mt19937 random(8);
    for (int round = 0; round < 20'000; ++round) {
        const std::string text =
            prefixes[random() % prefixes.size()] + random_key(random, levels, "./");
        const auto sent = parse_destination(text, limits);
        const auto subscribed = parse_pattern(text, limits);
        if (sent) {
            ASSERT_TRUE(subscribed) << text;
            ASSERT_FALSE(subscribed->is_wildcard) << text;
            ASSERT_EQ(subscribed->destination.canonical(), sent->canonical());
        } else if (subscribed) {
            ASSERT_TRUE(subscribed->is_wildcard) << text;
        }
    }
}

TEST(Destination, RandomTextNeverBreaksTheParser) {
    const std::vector<std::string> atoms{
        "/",
        ".",
        "a",
        "*",
        "#",
        ">",
        "$",
        "queue",
        "topic",
        "exchange",
        "amq.fanout",
        "\xC3\xBC",
        "\xFF",
        "user",
        "sys",
        "amq.headers",
        "temp-queue",
        "\xC2"};
    std::mt19937 random(9);
    for (int round = 0; round < 50'000; ++round) {
        std::string text;
        for (std::size_t i = random() % 10; i > 0; --i) {
            text += atoms[random() % atoms.size()];
        }
        const auto sent = parse_destination(text, limits);
        if (!sent) {
            ASSERT_FALSE(sent.error().what.empty());
            ASSERT_FALSE(sent.error().remedy.empty());
            continue;
        }
        // The canonical name is a fixed point: aliases end there.
        const std::string name = sent->canonical();
        const auto again = parse_destination(name, limits);
        ASSERT_TRUE(again || name.size() > limits.destination_bytes_max) << text;
        if (again) { ASSERT_EQ(again->canonical(), name); }
    }
}

TEST(Destination, P_ERR_04_RefusalsQuoteTheName) {
    const auto refused = parse_destination("/queue/a//b", limits);
    EXPECT_NE(refused.error().what.find("/queue/a//b"), std::string::npos);
    EXPECT_EQ(refused.error().rule, "P-DEST-03");
    EXPECT_LT(parse_destination(std::string(5'000, 'x'), limits).error().what.size(), 400U);
}

}  // namespace protocol
