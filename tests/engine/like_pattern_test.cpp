// LIKE agrees with a simple reference matcher, in characters, and stays linear (P-SEL-01, -04).
#include "broker/engine/like_pattern.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace engine {

namespace {

bool matches(
    std::string_view pattern, std::string_view text, std::optional<std::string_view> escape = {}
) {
    const auto compiled = LikePattern::compile(pattern, escape);
    EXPECT_TRUE(compiled);
    return compiled && compiled->matches(text);
}

/// By the definition, with one row of a table per character of the pattern; `!` escapes.
bool reference(std::string_view pattern, std::string_view text) {
    std::vector<bool> ends(text.size() + 1);  // Prefixes of the text that the pattern so far takes.
    ends[0] = true;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        std::vector<bool> next(text.size() + 1);
        const bool is_escaped = pattern[at] == '!';
        if (is_escaped) { ++at; }
        const bool is_percent = !is_escaped && pattern[at] == '%';
        const bool is_any = !is_escaped && pattern[at] == '_';
        for (std::size_t end = 0; end <= text.size(); ++end) {
            if (is_percent) {
                next[end] = ends[end] || (end > 0 && next[end - 1]);
            } else if (end > 0) {
                next[end] = ends[end - 1] && (is_any || text[end - 1] == pattern[at]);
            }
        }
        ends = next;
    }
    return ends[text.size()];
}

std::string random_text(std::mt19937& random, std::string_view letters, std::size_t size_max) {
    std::string text;
    for (std::size_t size = random() % (size_max + 1); size > 0; --size) {
        text += letters[random() % letters.size()];
    }
    return text;
}

void expect_agreement(std::mt19937& random, std::size_t pattern_max, std::size_t text_max) {
    const std::string pattern = random_text(random, "aab%_", pattern_max);
    const std::string text = random_text(random, "aab", text_max);
    EXPECT_EQ(matches(pattern, text), reference(pattern, text)) << pattern << "\n" << text;
}

}  // namespace

TEST(LikePattern, P_SEL_01_PercentIsAnyTextUnderscoreOneCharacter) {
    EXPECT_TRUE(matches("", ""));
    EXPECT_FALSE(matches("", "a"));
    EXPECT_TRUE(matches("%", ""));
    EXPECT_TRUE(matches("%%", "abc"));
    EXPECT_TRUE(matches("12%3", "123"));
    EXPECT_TRUE(matches("12%3", "12993"));
    EXPECT_FALSE(matches("12%3", "1234"));
    EXPECT_TRUE(matches("l_se", "lose"));
    EXPECT_FALSE(matches("l_se", "loose"));
    EXPECT_FALSE(matches("_", ""));
    EXPECT_TRUE(matches("%_", "x"));
    EXPECT_TRUE(matches("a\nb", "a\nb"));
    EXPECT_TRUE(matches("a%", "a\nb"));
    EXPECT_FALSE(matches("A", "a"));
}

TEST(LikePattern, P_SEL_01_EscapeMakesTheNextCharacterItself) {
    EXPECT_TRUE(matches("\\_%", "_foo", "\\"));
    EXPECT_FALSE(matches("\\_%", "bar", "\\"));
    EXPECT_TRUE(matches("100%%", "100%", "%"));
    EXPECT_TRUE(matches("!!", "!", "!"));
    EXPECT_TRUE(matches("!a", "a", "!"));
    EXPECT_TRUE(matches("é%é_", "%_", "é"));
    EXPECT_TRUE(matches("\\%", "\\anything"));
    EXPECT_FALSE(LikePattern::compile("a!", "!"));
    EXPECT_FALSE(LikePattern::compile(std::string(4097, 'a'), std::nullopt));
}

TEST(LikePattern, P_SEL_01_CharactersAreThoseOfUtf8) {
    EXPECT_TRUE(matches("gr_ße", "größe"));
    EXPECT_TRUE(matches("_", "😀"));
    EXPECT_FALSE(matches("__", "ö"));
    EXPECT_TRUE(matches("%€%", "5 € each"));
    EXPECT_FALSE(matches("ö", "\xC3"));
    // What is no UTF-8 is octets.
    EXPECT_TRUE(matches("__", "\xC3\xC3"));
    EXPECT_TRUE(matches("\xFF%", "\xFF\xC3"));
    EXPECT_FALSE(matches("\xFF", "\xFE"));
    EXPECT_TRUE(matches("a_", std::string_view("a\0", 2)));
}

TEST(LikePattern, P_SEL_01_AgreesWithTheReference) {
    std::mt19937 random(7);
    for (int round = 0; round < 20'000; ++round) {
        expect_agreement(random, 8, 12);
    }
    for (int round = 0; round < 300; ++round) {
        expect_agreement(random, 200, 300);
    }
}

TEST(LikePattern, P_SEL_01_AgreesWithTheReferenceUnderEscapes) {
    std::mt19937 random(8);
    for (int round = 0; round < 20'000; ++round) {
        const std::string pattern = random_text(random, "a!%_", 8);
        const std::string text = random_text(random, "a!%_", 6);
        const auto compiled = LikePattern::compile(pattern, "!");
        if (!compiled) { continue; }
        EXPECT_EQ(compiled->matches(text), reference(pattern, text)) << pattern << "\n" << text;
    }
}

TEST(LikePattern, P_SEL_01_WordBoundariesOfThePositionSet) {
    for (std::size_t size = 60; size <= 70; ++size) {
        const std::string letters(size, 'a');
        EXPECT_TRUE(matches(letters, letters));
        EXPECT_FALSE(matches(letters, letters + "a"));
        EXPECT_FALSE(matches(letters + "a", letters));
        EXPECT_TRUE(matches(letters + "%", letters + "bc"));
        EXPECT_TRUE(matches(std::string(size, '_'), letters));
        EXPECT_TRUE(matches("%" + letters, "b" + letters));
    }
    const std::string most(4096, 'a');
    EXPECT_TRUE(matches(most, most));
    EXPECT_FALSE(matches(most, most + "a"));
}

TEST(LikePattern, P_SEL_04_CVE_2018_1257_HostilePatternsStayLinear) {
    const std::string text(64 * 1024, 'a');
    std::string alternating;
    std::string percents;
    for (int i = 0; i < 250; ++i) {
        alternating += "a_";
        percents += "%a";
    }
    // With backtracking any of these would outlast the test's time limit by far.
    EXPECT_FALSE(matches(percents + "b", text));
    EXPECT_FALSE(matches("%" + alternating + "b%", text));
    EXPECT_FALSE(matches(std::string(500, '%') + "b", text));
    EXPECT_TRUE(matches(percents + "%", text));
}

}  // namespace engine
