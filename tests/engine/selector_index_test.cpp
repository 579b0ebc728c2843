// The index agrees with every selector asked alone, whatever comes and goes (P-SEL-05).
#include "broker/engine/selector_index.hpp"

#include "tests/engine/selecting.hpp"

#include <algorithm>
#include <map>
#include <random>

namespace engine {

namespace {

using selecting::Headers;
using selecting::message_with;
using selecting::selector;
using Id = SelectorIndex::Id;

std::vector<Id> matches(const SelectorIndex& index, const Headers& headers) {
    std::vector<Id> ids;
    index.match(*message_with(headers), ids);
    std::sort(ids.begin(), ids.end());
    return ids;
}

std::string random_word(std::mt19937& random, std::string_view first, unsigned count) {
    return std::string(first) + std::to_string(random() % count);
}

/// Few names and values, so that selectors collide; `names` decides how the index looks them up.
std::string random_selector(std::mt19937& random, unsigned names) {
    const std::string name = random_word(random, "h", names);
    const std::string value = "'" + random_word(random, "v", 4) + "'";
    switch (random() % 8) {
        case 0:
            return value + " = " + name;
        case 1:
            return name + " <> " + value;
        case 2:
            return name + " = " + value + " OR " + random_word(random, "h", names) + " IS NULL";
        case 3:
            return name + " LIKE '%" + std::to_string(random() % 4) + "'";
        default:
            return name + " = " + value;
    }
}

Headers random_headers(std::mt19937& random, unsigned names) {
    Headers headers = {{"destination", "/topic/a"}};
    for (std::size_t count = random() % 6; count > 0; --count) {
        headers.emplace_back(random_word(random, "h", names), random_word(random, "v", 4));
    }
    return headers;
}

/// Entries as a list: every use of every selector.
using Uses = std::vector<std::pair<Id, SelectorRef>>;

std::vector<Id> asked_alone(const Uses& uses, const Headers& headers) {
    const auto message = message_with(headers);
    const MessageHeaders seen(*message);
    std::vector<Id> ids;
    for (const auto& use : uses) {
        if (use.second->selects(seen)) { ids.push_back(use.first); }
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

std::size_t distinct(const Uses& uses) {
    std::map<std::string, Id> by_text;
    for (const auto& use : uses) {
        const auto entry = by_text.emplace(use.second->text(), use.first);
        EXPECT_EQ(entry.first->second, use.first) << "one id for one text";
    }
    return by_text.size();
}

void expect_agreement(unsigned names) {
    std::mt19937 random(names);
    SelectorIndex index;
    Uses uses;
    for (int step = 0; step < 3000; ++step) {
        if (uses.size() < 40 && random() % 3 != 0) {
            const auto added = selector(random_selector(random, names));
            uses.emplace_back(index.add(added), added);
        } else if (!uses.empty()) {
            std::swap(uses[random() % uses.size()], uses.back());
            index.remove(uses.back().first);
            uses.pop_back();
        }
        const Headers headers = random_headers(random, names);
        ASSERT_EQ(matches(index, headers), asked_alone(uses, headers));
        ASSERT_EQ(index.size(), distinct(uses));
        ASSERT_EQ(index.empty(), uses.empty());
    }
}

}  // namespace

TEST(SelectorIndex, P_SEL_05_EqualTextsAreOneEntryUntilTheLastUseIsGone) {
    SelectorIndex index;
    EXPECT_TRUE(index.empty());
    const Id id = index.add(selector("a = 'x'"));
    EXPECT_EQ(index.add(selector("a = 'x'")), id);
    const Id other = index.add(selector("a='x'"));
    EXPECT_NE(other, id);
    EXPECT_EQ(index.size(), 2U);
    EXPECT_EQ(matches(index, {{"a", "x"}}).size(), 2U);
    index.remove(id);
    EXPECT_EQ(matches(index, {{"a", "x"}}).size(), 2U);
    index.remove(id);
    EXPECT_EQ(matches(index, {{"a", "x"}}), std::vector<Id>{other});
    index.remove(other);
    EXPECT_TRUE(index.empty());
    EXPECT_TRUE(matches(index, {{"a", "x"}}).empty());
}

TEST(SelectorIndex, P_SEL_05_FreeIdsAreUsedAgain) {
    SelectorIndex index;
    for (int round = 0; round < 1000; ++round) {
        const Id id = index.add(selector("a = '" + std::to_string(round) + "'"));
        EXPECT_EQ(id, 0U);
        index.remove(id);
    }
}

TEST(SelectorIndex, P_SEL_05_MatchAppends) {
    SelectorIndex index;
    const Id id = index.add(selector("a > 5"));
    std::vector<Id> ids = {77};
    index.match(*message_with({{"a", "6"}}), ids);
    EXPECT_EQ(ids, (std::vector<Id>{77, id}));
}

TEST(SelectorIndex, P_SEL_05_TenThousandEqualitiesOnOneHeader) {
    SelectorIndex index;
    std::vector<Id> ids;
    for (int i = 0; i < 10'000; ++i) {
        ids.push_back(index.add(selector("customer = 'c" + std::to_string(i) + "'")));
    }
    EXPECT_EQ(matches(index, {{"customer", "c1234"}}), std::vector<Id>{ids[1234]});
    EXPECT_TRUE(matches(index, {{"customer", "c10000"}}).empty());
    EXPECT_TRUE(matches(index, {{"other", "c1"}}).empty());
    EXPECT_EQ(matches(index, {{"customer", "c1"}, {"customer", "c2"}}), std::vector<Id>{ids[1]});
    for (const Id id : ids) {
        index.remove(id);
    }
    EXPECT_TRUE(index.empty());
}

TEST(SelectorIndex, P_SEL_05_ManyNamesAndEscapedValues) {
    SelectorIndex index;
    std::vector<Id> ids;
    for (int i = 0; i < 100; ++i) {
        ids.push_back(index.add(selector("\"h:" + std::to_string(i) + "\" = 'a:\n\\'")));
    }
    EXPECT_EQ(
        matches(index, {{"h:7", "a:\n\\"}, {"h:7", "x"}, {"h:8", "y"}, {"h:8", "a:\n\\"}}),
        std::vector<Id>{ids[7]}
    );
}

TEST(SelectorIndex, P_SEL_05_AgreesWithEachSelectorAloneOnFewNames) {
    expect_agreement(3);
}

TEST(SelectorIndex, P_SEL_05_AgreesWithEachSelectorAloneOnManyNames) {
    expect_agreement(20);
}

}  // namespace engine
