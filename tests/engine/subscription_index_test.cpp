// The wildcard index agrees with protocol::matches(), whatever is in it (P-DEST-05 to -09).
#include "broker/engine/subscription_index.hpp"

#include "tests/support/script.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace support {

namespace {

using engine::Interest;

std::string random_levels(
    std::mt19937& random, const std::vector<std::string>& words, const std::string& separators
) {
    std::string text;
    const std::size_t levels = 1 + random() % 5;
    for (std::size_t i = 0; i < levels; ++i) {
        if (i != 0) { text += separators[random() % separators.size()]; }
        text += words[random() % words.size()];
    }
    return text;
}

std::vector<unsigned> sorted(const std::vector<Interest>& interests) {
    std::vector<unsigned> shards;
    for (const Interest& interest : interests) {
        shards.push_back(interest.shard);
    }
    std::sort(shards.begin(), shards.end());
    return shards;
}

}  // namespace

TEST(SubscriptionIndex, P_DEST_09_AgreesWithTheReferenceMatcherAndReportsOnce) {
    const std::vector<std::string> names = {"a", "b", "ab", "$s", "c*"};
    const std::vector<std::string> levels = {"a", "b", "ab", "$s", "*", "+", "#", "**"};
    std::mt19937 random(11);
    const protocol::Limits limits;
    engine::SubscriptionIndex index;
    std::vector<std::string> texts;
    for (unsigned step = 0; step < 6000; ++step) {
        const std::string separators = random() % 3 == 0 ? "." : random() % 2 == 0 ? "/" : "/.";
        std::string text = "/topic/" + random_levels(random, levels, separators);
        if (random() % 10 == 0) { text += "/>"; }
        const auto pattern = protocol::parse_pattern(text, limits);
        if (pattern && pattern->is_wildcard && texts.size() < 60) {
            index.add(*pattern, {nullptr, static_cast<unsigned>(texts.size())});
            texts.push_back(text);
        }
        if (texts.size() == 60 && random() % 2 == 0) {
            // Leaves a random one; the last takes its number.
            const auto gone = static_cast<unsigned>(random() % texts.size());
            const auto last = static_cast<unsigned>(texts.size() - 1);
            index.remove(*protocol::parse_pattern(texts[gone], limits), {nullptr, gone});
            if (gone != last) {
                const auto moved = protocol::parse_pattern(texts[last], limits);
                index.remove(*moved, {nullptr, last});
                index.add(*moved, {nullptr, gone});
                texts[gone] = texts[last];
            }
            texts.pop_back();
        }
        const std::string name = random_levels(random, names, "/.");
        std::vector<Interest> found;
        index.find("/topic/", name, found);
        std::vector<unsigned> expected;
        for (unsigned i = 0; i < texts.size(); ++i) {
            const auto candidate = protocol::parse_pattern(texts[i], limits);
            const std::string_view key = candidate->destination.key;
            if (protocol::matches(key, candidate->separator, name)) { expected.push_back(i); }
        }
        ASSERT_EQ(sorted(found), expected) << name;
    }
}

TEST(SubscriptionIndex, EqualPatternsAreSeparateEntries) {
    engine::SubscriptionIndex index;
    const auto pattern = protocol::parse_pattern("/topic/a/*", {});
    const std::uint64_t before = index.generation();
    index.add(*pattern, {nullptr, 1});
    index.add(*pattern, {nullptr, 1});
    EXPECT_NE(index.generation(), before);
    std::vector<Interest> found;
    index.find("/topic/", "a/b", found);
    EXPECT_EQ(found.size(), 2U);
    index.remove(*pattern, {nullptr, 1});
    found.clear();
    index.find("/topic/", "a/b", found);
    EXPECT_EQ(found.size(), 1U);
    index.remove(*pattern, {nullptr, 1});
    EXPECT_TRUE(index.empty());
}

TEST(SubscriptionIndex, NameSpacesAreApart) {
    engine::SubscriptionIndex index;
    index.add(*protocol::parse_pattern("/exchange/x/#", {}), {nullptr, 1});
    std::vector<Interest> found;
    index.find("/topic/", "a", found);
    index.find("/exchange/y/", "a", found);
    EXPECT_TRUE(found.empty());
    index.find("/exchange/x/", "a", found);
    EXPECT_EQ(found.size(), 1U);
}

TEST(SubscriptionIndex, ManyManyLevelsAreLinear) {
    engine::SubscriptionIndex index;
    std::string pattern = "/topic/#";
    std::string name = "a";
    for (int i = 0; i < 7; ++i) {
        pattern += "/a/#";
        name += "/a/a";
    }
    index.add(*protocol::parse_pattern(pattern + "/b", {}), {nullptr, 1});
    for (int i = 0; i < 10'000; ++i) {
        std::vector<Interest> found;
        index.find("/topic/", name, found);
        ASSERT_TRUE(found.empty());
    }
}

}  // namespace support
