// What selectors are refused, where and why (P-SEL-04, P-LIM-01), and what hostile ones cost.
#include "tests/engine/selecting.hpp"

#include <random>

namespace engine {

namespace {

using std::string_view_literals::operator""sv;

using selecting::Headers;
using selecting::selects;

std::string repeated(const std::string& text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
        all += text;
    }
    return all;
}

/// "column N", or "accepted"; all refusals are complete.
std::string place(std::string_view text, const SelectorLimits& limits = {}) {
    const auto parsed = Selector::parse(text, limits);
    if (parsed) { return "accepted"; }
    EXPECT_EQ(parsed.error().code, protocol::ErrorCode::bad_selector);
    EXPECT_FALSE(parsed.error().remedy.empty());
    const std::string& what = parsed.error().what;
    const std::size_t at = what.find("column ");
    return at == std::string::npos ? what : what.substr(at, what.find(':', at) - at);
}

struct Refused {
    std::string text;
    std::size_t column;
};

void expect_refused(const std::vector<Refused>& refusals) {
    for (const Refused& refused : refusals) {
        EXPECT_EQ(place(refused.text), "column " + std::to_string(refused.column)) << refused.text;
    }
}

}  // namespace

TEST(Selector, P_SEL_04_RefusesWhatIsEmpty) {
    expect_refused({{"", 1}, {"   ", 4}, {"hyphenated_props:", 18}, {"()", 2}});
}

TEST(Selector, P_SEL_04_RefusesUngrammaticalTextWithTheColumn) {
    expect_refused(
        {{"a =", 4},
         {"a = ", 5},
         {"= 5", 1},
         {"a == 5", 4},
         {"a != 5", 3},
         {"a = 5 5", 7},
         {"a b", 3},
         {"a = 'x", 5},
         {"\"a = 5", 1},
         {"\"\" = 5", 1},
         {"(a = 5", 7},
         {"a = 5)", 6},
         {"a AND", 6},
         {"AND a", 1},
         {"a OR OR b", 6},
         {"a NOT b", 7},
         {"a NOT = 5", 7},
         {"NOT", 4},
         {"a = NOT b", 5},
         {"a LIKE b", 8},
         {"a LIKE 5", 8},
         {"a LIKE 'x' ESCAPE", 18},
         {"a LIKE 'x' ESCAPE ''", 19},
         {"a LIKE 'x' ESCAPE 'ab'", 19},
         {"a LIKE 'x!' ESCAPE '!'", 8},
         {"a IN 'x'", 6},
         {"a IN ()", 7},
         {"a IN ('x',)", 11},
         {"a IN ('x' 'y')", 11},
         {"a IN (b)", 7},
         {"a IN (-'x')", 8},
         {"a IS 5", 6},
         {"a IS NOT", 9},
         {"a = NULL", 5},
         {"a BETWEEN 1", 12},
         {"a BETWEEN 1 OR 2", 13},
         {"in = 5", 1},
         {"5abc = 5", 1},
         {"a = 5e", 5},
         {"a = 1e999", 5},
         {"a ; b", 3},
         {"a = #", 5},
         {"a = b = c", 7},
         {"a = 5 IS NULL", 7},
         {"größe = 'ü' ?", 13}}
    );
}

TEST(Selector, P_SEL_04_RefusesOperandsThatCanNeverFit) {
    expect_refused(
        {{"5", 1},
         {"'x'", 1},
         {"a + 1", 1},
         {"a AND 5", 7},
         {"'x' OR a", 1},
         {"NOT 'x'", 5},
         {"a + 'x' > 5", 5},
         {"-'x' = 5", 2},
         {"a < 'x'", 5},
         {"'x' >= a", 1},
         {"a BETWEEN 'a' AND 'b'", 11},
         {"5 = 'x'", 5},
         {"TRUE = 5", 8},
         {"JMSDeliveryMode = 2", 19},
         {"5 LIKE 'x'", 1},
         {"5 IN ('x')", 7},
         {"(a > 5) > 5", 1}}
    );
}

TEST(Selector, P_SEL_04_SaysWhatIsWrongAndWhatToDo) {
    const auto refused = Selector::parse("a = 'x' AND in = 5", {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(
        refused.error().what,
        "The selector is wrong at column 13: expected a value, found in. "
        "It reads: a = 'x' AND in = 5"
    );
    EXPECT_NE(refused.error().remedy.find("double quotes"), std::string::npos);
}

TEST(Selector, P_SEL_04_CodeIsInert) {
    for (const std::string payload :
         {"T(java.lang.Runtime).getRuntime().exec('calc.exe')",
          "new java.lang.ProcessBuilder('x').start()",
          "#{7*7} = 49",
          "${jndi:ldap://x/a}",
          "headers['foo'] == 'bar'",
          "a = 'x'; DROP TABLE b",
          "a = 'x' -- comment",
          "XPATH '//a'"}) {
        EXPECT_NE(place(payload), "accepted") << payload;
    }
}

TEST(Selector, P_SEL_04_HostileOctetsAreRefusedOrText) {
    EXPECT_EQ(place("a = 5\0"sv), "column 6");
    EXPECT_EQ(place("\0"sv), "column 1");
    EXPECT_EQ(place("a\0b = 5"sv), "column 2");
    EXPECT_EQ(place("'\0' = a"sv), "accepted");
    EXPECT_EQ(place("\x01 = 5"sv), "column 1");
    EXPECT_EQ(place("\xFF\xFE = '\xC3'"sv), "accepted");
    EXPECT_EQ(place("a LIKE '\xC3' ESCAPE '\xE2\x82'"sv), "column 19");
    EXPECT_EQ(place("a LIKE '%\xFF%\xC3\xA9_'"sv), "accepted");
}

TEST(Selector, P_LIM_01_OctetsJustBelowAndAbove) {
    const std::string text = "a = '" + std::string(506, 'x') + "'";
    ASSERT_EQ(text.size(), 512U);
    EXPECT_EQ(place(text), "accepted");
    EXPECT_EQ(place(text + " "), "column 513");
    const std::string most = "a = '" + std::string(4090, 'x') + "'";
    EXPECT_EQ(place(most, {4096, 64, 16}), "accepted");
    EXPECT_EQ(place(most + " ", {1'000'000, 64, 16}), "column 4097");
}

TEST(Selector, P_LIM_01_NodesJustBelowAndAbove) {
    // IN, the header, and a literal each; then the 62nd and 63rd literal.
    const std::string list = "a IN (1" + repeated(",1", 61);
    EXPECT_EQ(place(list + ")"), "accepted");
    EXPECT_EQ(place(list + ",2)"), "column " + std::to_string(list.size() + 2));
    // A term has three nodes, and AND one.
    const std::string terms = "a=1" + repeated(" AND a=1", 15);
    EXPECT_EQ(place(terms), "accepted");
    EXPECT_EQ(place(terms + " AND TRUE"), "column " + std::to_string(terms.size() + 6));
    const std::string sums = "0 = 1" + repeated("+1", 254);
    EXPECT_EQ(place(sums, {4096, 511, 16}), "accepted");
    EXPECT_EQ(place(sums + "+1", {4096, 512, 16}), "column " + std::to_string(sums.size() + 2));
    EXPECT_EQ(place(sums + "+1", {4096, 100'000, 16}), "column " + std::to_string(sums.size() + 2));
}

TEST(Selector, P_LIM_01_DepthJustBelowAndAbove) {
    EXPECT_EQ(place(repeated("(", 16) + "a" + repeated(")", 16)), "accepted");
    EXPECT_EQ(place(repeated("(", 17) + "a" + repeated(")", 17)), "column 17");
    EXPECT_EQ(place(repeated("NOT ", 16) + "a"), "accepted");
    EXPECT_EQ(place(repeated("NOT ", 17) + "a"), "column 65");
    EXPECT_EQ(place("0 < " + repeated("- ", 16) + "a"), "accepted");
    EXPECT_EQ(place("0 < " + repeated("- ", 17) + "a"), "column 37");
    EXPECT_EQ(place(repeated("NOT (", 8) + "a" + repeated(")", 8)), "accepted");
    // What is beside one another is not nested.
    EXPECT_EQ(place("(a)" + repeated(" OR (a)", 20)), "accepted");
    const SelectorLimits beyond{4096, 512, 1000};
    EXPECT_EQ(place(repeated("(", 32) + "a" + repeated(")", 32), beyond), "accepted");
    EXPECT_EQ(place(repeated("(", 33) + "a" + repeated(")", 33), beyond), "column 33");
    EXPECT_EQ(place(repeated("(", 4000), beyond), "column 33");
}

TEST(Selector, P_SEL_04_EveryPrefixOfASelectorIsRefusedOrAccepted) {
    const std::string text =
        "NOT (a-b BETWEEN -1.5e3 AND +2 * (c - 1)) OR \"d e\" NOT LIKE 'x!%' ESCAPE '!' AND f IS "
        "NOT NULL AND g NOT IN ('y''z', 5, TRUE)";
    EXPECT_EQ(place(text), "accepted");
    for (std::size_t size = 0; size < text.size(); ++size) {
        static_cast<void>(place(text.substr(0, size)));
    }
}

TEST(Selector, P_SEL_04_RandomTokensNeitherCrashNorLoop) {
    const std::vector<std::string> tokens = {
        "a ",    "'x' ",     "5 ",    "1.5 ",    "( ",  ") ",   ", ",     "+ ",      "- ",
        "* ",    "/ ",       "= ",    "<> ",     "< ",  ">= ",  "AND ",   "OR ",     "NOT ",
        "LIKE ", "BETWEEN ", "IN (1", "IS NULL", "IS ", "TRUE", "'%a_' ", "ESCAPE ", "'!' "};
    const auto message = selecting::message_with({{"a", "7"}});
    const MessageHeaders headers(*message);
    std::mt19937 random(4);
    std::size_t accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::size_t count = 1 + random() % 12; count > 0; --count) {
            text += tokens[random() % tokens.size()];
        }
        const auto parsed = Selector::parse(text, {});
        if (!parsed) { continue; }
        ++accepted;
        EXPECT_EQ((*parsed)->selects(headers), (*parsed)->selects(headers));
    }
    EXPECT_GT(accepted, 100U);
}

TEST(Selector, P_SEL_04_TheLargestSelectorsEvaluate) {
    const SelectorLimits& most = selector_limits_max;
    // Every level leaves operands on the stack: OR, AND, NOT, =, +, * wait for the innermost one.
    std::string deep = "n";
    for (int level = 0; level < 31; ++level) {
        deep = "1 + 1 * (" + deep + ")";
    }
    const Headers headers = {{"n", "1"}};
    ASSERT_EQ(place("0 < " + deep, most), "accepted");
    EXPECT_TRUE(selects("32 = " + deep, headers));
    EXPECT_TRUE(selects("n = 1" + repeated(" AND n = 1", 127), headers));
    EXPECT_TRUE(selects("n = 2" + repeated(" OR n = 2", 126) + " OR TRUE", headers));
}

}  // namespace engine
