// Which names a policy stands for: patterns of topics, of queues, and parts of levels.
// Names without such parts match as protocol::matches says.
#include "broker/engine/policy.hpp"

#include "protocol/system_event.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

namespace {

bool stands_for(std::string_view match, std::string_view name) {
    const std::vector<Policy> policies{{std::string(match), {}}};
    const auto destination = protocol::parse_destination(name, {});
    EXPECT_TRUE(destination.has_value()) << name;
    return destination && find_policy(policies, *destination, {}) != nullptr;
}

// One to four levels of `words`, cut at `separator`.
std::string random_key(
    std::mt19937& random, const std::vector<std::string_view>& words, char separator
) {
    std::string key;
    for (auto levels = 1 + random() % 4; levels > 0; --levels) {
        if (!key.empty()) { key += separator; }
        key += words[random() % words.size()];
    }
    return key;
}

}  // namespace

TEST(Policy, AStarInALevelIsAnyTextInThatLevel) {
    EXPECT_TRUE(stands_for("/queue/*-user*", "/queue/reply-user4fd2"));
    EXPECT_TRUE(stands_for("/queue/*-user*", "/queue/-user"));
    EXPECT_FALSE(stands_for("/queue/*-user*", "/queue/reply"));
    EXPECT_FALSE(stands_for("/queue/*-user*", "/queue/reply-use"));
    EXPECT_FALSE(stands_for("/queue/*-user*", "/queue/a/b-user1"));
    EXPECT_FALSE(stands_for("/queue/*-user*", "/queue/a.b-user1"));
    EXPECT_FALSE(stands_for("/queue/*-user*", "/topic/reply-user4fd2"));
    EXPECT_TRUE(stands_for("/queue/**/*-user*", "/queue/a/b-user1"));
    EXPECT_TRUE(stands_for("/queue/**/*-user*", "/queue/b-user1"));
    EXPECT_TRUE(stands_for("/topic/v*.x", "/topic/v12.x"));
    EXPECT_FALSE(stands_for("/topic/v*.x", "/topic/w12.x"));
    EXPECT_FALSE(stands_for("/topic/v*.x", "/topic/v12.y"));
}

TEST(Policy, PartsAreMatchedByWhatFits) {
    EXPECT_TRUE(stands_for("/queue/a*b*c", "/queue/abc"));
    EXPECT_TRUE(stands_for("/queue/a*b*c", "/queue/a-b-b-c-c"));
    EXPECT_FALSE(stands_for("/queue/a*b*c", "/queue/a-c-b"));
    EXPECT_FALSE(stands_for("/queue/a*b", "/queue/a-bb-"));
    EXPECT_TRUE(stands_for("/queue/a***", "/queue/a"));
    EXPECT_TRUE(stands_for("/queue/a+", "/queue/a+"));
    EXPECT_FALSE(stands_for("/queue/a+", "/queue/ab"));
}

TEST(Policy, PartsAreLinear) {
    std::string match = "/queue/";
    for (int i = 0; i < 100; ++i) {
        match += "a*";
    }
    EXPECT_FALSE(stands_for(match + "b", "/queue/" + std::string(240, 'a')));
}

TEST(Policy, P_DEST_08_HiddenLevelsAreNotMatched) {
    const protocol::Destination hidden{protocol::DestinationKind::topic, "/topic/", "$a/b"};
    for (const char* const match : {"/topic/*/b", "/topic/**", "/topic/*a/b"}) {
        EXPECT_EQ(find_policy({{match, {}}}, hidden, {}), nullptr) << match;
    }
}

TEST(Policy, S_ACL_08_NoneStandsForTheBrokersOwnTopics) {
    const auto topic = protocol::destination_of(protocol::SystemEvent::connect);
    for (const char* match :
         {"/topic/**", "/topic/*.*", "/topic/*SYS.connect", "/topic/$SYS.connect", "/queue/**"}) {
        EXPECT_EQ(find_policy({{match, {}}}, topic, {}), nullptr) << match;
    }
    EXPECT_FALSE(parse_match("/topic/$SYS.connect", {}));
    EXPECT_FALSE(parse_match("/queue/$SYS.connect", {}));
    EXPECT_TRUE(parse_match("/topic/SYS.connect", {}));
}

TEST(Policy, P_DEST_06_WithoutPartsItMatchesAsTheRouterDoes) {
    std::mt19937 random(3);
    const std::vector<std::string_view> literals{"a", "b", "ab", "c.d"};
    const std::vector<std::string_view> levels{"a", "b", "*", "+", "#", "**", "c.d"};
    for (int round = 0; round < 20'000; ++round) {
        const char separator = random() % 2 == 0 ? '/' : '.';
        const std::string match = "/topic/" + random_key(random, levels, separator);
        const std::string name = "/topic/" + random_key(random, literals, separator);
        const auto pattern = protocol::parse_pattern(match, {});
        const auto destination = protocol::parse_destination(name, {});
        ASSERT_TRUE(pattern.has_value() && destination.has_value());
        const std::string_view key = pattern->destination.key;
        const bool is_match = pattern->is_wildcard
                                  ? protocol::matches(key, pattern->separator, destination->key)
                                  : key == destination->key;
        ASSERT_EQ(stands_for(match, name), is_match) << match << " " << name;
    }
}

}  // namespace engine
