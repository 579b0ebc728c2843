// What selectors mean (P-SEL-01 to -03): tables of conditions and their truth.
#include "broker/engine/selector.hpp"

#include "tests/engine/selecting.hpp"

#include <array>
#include <optional>
#include <random>

namespace engine {

namespace {

using selecting::expect_facts;
using selecting::Headers;
using selecting::message_with;
using selecting::selector;
using selecting::selects;

struct Condition {
    std::string text;
    std::optional<bool> truth;
};

const Headers known = {{"yes", "true"}, {"no", "False"}, {"n", "5"}};

Condition random_leaf(std::mt19937& random) {
    static const std::array<Condition, 10> leaves = {
        {{"yes", true},
         {"no", false},
         {"gone", std::nullopt},
         {"n", std::nullopt},
         {"n = 5", true},
         {"n <> 5", false},
         {"gone > 1", std::nullopt},
         {"gone IS NULL", true},
         {"n NOT BETWEEN 1 AND 9", false},
         {"TRUE", true}}};
    return leaves[random() % leaves.size()];
}

std::optional<bool> both(std::optional<bool> a, std::optional<bool> b) {
    if (a == false || b == false) { return false; }
    return a && b ? std::optional(true) : std::nullopt;
}

std::optional<bool> opposite(std::optional<bool> a) {
    return a ? std::optional(!*a) : std::nullopt;
}

/// Written with parentheses around everything, so that precedence plays no part.
Condition random_condition(std::mt19937& random, unsigned depth) {
    if (depth == 0 || random() % 5 == 0) { return random_leaf(random); }
    const Condition a = random_condition(random, depth - 1);
    if (random() % 4 == 0) { return {"NOT (" + a.text + ")", opposite(a.truth)}; }
    const Condition b = random_condition(random, depth - 1);
    const std::string left = "(" + a.text + ") ";
    const std::string right = " (" + b.text + ")";
    if (random() % 2 == 0) { return {left + "AND" + right, both(a.truth, b.truth)}; }
    return {left + "OR" + right, opposite(both(opposite(a.truth), opposite(b.truth)))};
}

std::string shown(std::optional<bool> truth) {
    if (!truth) { return "NULL"; }
    return *truth ? "TRUE" : "FALSE";
}

}  // namespace

TEST(Selector, P_SEL_01_ComparesNumbersAndTexts) {
    expect_facts(
        {{"age", "30"}, {"name", "O'Hara"}, {"weight", "70.5"}},
        {{"age = 30", "TRUE"},
         {"age <> 30", "FALSE"},
         {"age < 30", "FALSE"},
         {"age <= 30", "TRUE"},
         {"age > 29.5", "TRUE"},
         {"30 >= age", "TRUE"},
         {"31 < age", "FALSE"},
         {"name = 'O''Hara'", "TRUE"},
         {"name <> 'O''Hara'", "FALSE"},
         {"name = 'o''hara'", "FALSE"},
         {"weight > age", "TRUE"},
         {"weight = 7.05e1", "TRUE"},
         {"weight=70.5", "TRUE"},
         {"(age>29)AND(age<31)", "TRUE"}}
    );
}

TEST(Selector, P_SEL_01_KeywordsInAnyCaseIdentifiersExact) {
    const Headers headers = {{"a", "x"}, {"A", "y"}};
    EXPECT_TRUE(selects("a = 'x' and A = 'y'", headers));
    EXPECT_TRUE(selects("a In ('x') AnD nOt A bEtWeEn 1 aNd 2 OR A lIkE 'y'", headers));
    EXPECT_TRUE(selects("a is not null and B IS null", headers));
    EXPECT_TRUE(selects("true And Not False", headers));
    EXPECT_TRUE(selects("A LIKE 'y' escape '!'", headers));
}

TEST(Selector, P_SEL_01_PrecedenceIsThatOfSql) {
    expect_facts(
        {{"t", "true"}, {"f", "false"}, {"n", "4"}},
        {{"t OR t AND f", "TRUE"},
         {"(t OR t) AND f", "FALSE"},
         {"NOT f AND f", "FALSE"},
         {"NOT (f AND f)", "TRUE"},
         {"NOT n = 5", "TRUE"},
         {"NOT NOT t", "TRUE"},
         {"1 + 2 * 3 = 7", "TRUE"},
         {"(1 + 2) * 3 = 9", "TRUE"},
         {"10 - 4 - 3 = 3", "TRUE"},
         {"100 / 10 / 5 = 2", "TRUE"},
         {"-n + 5 = 1", "TRUE"},
         {"- - n = 4", "TRUE"},
         {"+n = 4", "TRUE"},
         {"-(n + 1) * 2 = -10", "TRUE"},
         {"2 * -n = -8", "TRUE"},
         {"n + 1 > n AND n * 2 = 8 OR f", "TRUE"},
         {"n BETWEEN 1 + 1 AND 2 * 2 AND t", "TRUE"},
         {"t = (n > 3)", "TRUE"}}
    );
}

TEST(Selector, P_SEL_01_BetweenInLikeAndNull) {
    expect_facts(
        {{"n", "5"}, {"s", "abc"}, {"u", "a_c"}, {"p", "10%"}, {"empty", ""}},
        {{"n BETWEEN 5 AND 5", "TRUE"},
         {"n BETWEEN 6 AND 4", "FALSE"},
         {"n NOT BETWEEN 6 AND 9", "TRUE"},
         {"s IN ('x', 'abc')", "TRUE"},
         {"s IN ('x')", "FALSE"},
         {"s NOT IN ('x', 'y')", "TRUE"},
         {"n IN (1, 2, 5.0)", "TRUE"},
         {"n IN (-5, +5)", "TRUE"},
         {"n IN ('5', 6)", "TRUE"},
         {"n IN ('x', TRUE)", "NULL"},
         {"s LIKE 'a%'", "TRUE"},
         {"s LIKE 'a_c'", "TRUE"},
         {"s LIKE 'a!_c' ESCAPE '!'", "FALSE"},
         {"u LIKE 'a!_c' ESCAPE '!'", "TRUE"},
         {"u LIKE 'a\\_c' ESCAPE '\\'", "TRUE"},
         {"p LIKE '%!%' ESCAPE '!'", "TRUE"},
         {"s NOT LIKE '%b%'", "FALSE"},
         {"s LIKE 'ab'", "FALSE"},
         {"empty LIKE ''", "TRUE"},
         {"empty LIKE '%'", "TRUE"},
         {"empty IS NULL", "FALSE"},
         {"s IS NOT NULL", "TRUE"},
         {"n LIKE '5'", "TRUE"}}
    );
}

TEST(Selector, P_SEL_01_ArithmeticIsExactInIntegersAndNullBeyondDoubles) {
    expect_facts(
        {{"big", "9223372036854775807"}, {"n", "7"}, {"huge", "1e308"}},
        {{"big = 9223372036854775807", "TRUE"},
         {"big - 1 = 9223372036854775806", "TRUE"},
         {"big + 1 > 9.2e18", "TRUE"},
         {"-big - 2 < -9.2e18", "TRUE"},
         {"big * big > 8e37", "TRUE"},
         {"-9223372036854775808 < -big", "FALSE"},
         {"-9223372036854775808 = -big - 1", "TRUE"},
         {"(-big - 1) / -1 > 9.2e18", "TRUE"},
         {"18446744073709551616 > big", "TRUE"},
         {"n / 2 = 3", "TRUE"},
         {"n / 2.0 = 3.5", "TRUE"},
         {"-n / 2 = -3", "TRUE"},
         {"n / 0 = 1", "NULL"},
         {"n / 0.0 = 1", "NULL"},
         {"n / 0 IS NULL", "TRUE"},
         {"huge * 10 IS NULL", "TRUE"},
         {"huge * 10 > 1", "NULL"},
         {"0.1 + 0.2 > 0.3", "TRUE"},
         {".5 + 5. = 55E-1", "TRUE"}}
    );
}

TEST(Selector, P_SEL_02_IdentifiersAreHeaderNamesAndDestination) {
    const Headers headers = {
        {"destination", "/queue/a"},
        {"foo-bar", "5"},
        {"foo.bar", "6"},
        {"$x_1", "7"},
        {"größe", "8"},
        {"with blank", "9"},
        {"a:b\\c", "v\n\r:\\"},
        {"and", "10"},
        {"q\"q", "11"}};
    for (const std::string text :
         {"destination = '/queue/a'",
          "foo-bar = 5",
          "foo.bar=6",
          "$x_1 = 7",
          "größe = 8",
          "\"with blank\" = 9",
          "\"foo-bar\" = '5'",
          "\"a:b\\c\" = 'v\n\r:\\'",
          "\"and\" = 10",
          "\"q\"\"q\" = 11",
          "foo-bar - foo.bar = -1",
          "foo-bar -foo.bar = -1",
          "foo-bar- foo.bar = -1",
          "foo-bar-1 IS NULL",
          "foo-bar - 1 = 4",
          "5-foo-bar = 0",
          "foo IS NULL"}) {
        EXPECT_TRUE(selects(text, headers)) << text;
    }
}

TEST(Selector, P_SEL_02_JmsNamesMeanTheStompHeaders) {
    const Headers headers = {
        {"priority", "7"},
        {"timestamp", "1700000000000"},
        {"correlation-id", "c1"},
        {"type", "car"},
        {"persistent", "true"},
        {"JMSType", "not looked at"},
        {"JMSXGroupID", "g"}};
    expect_facts(
        headers,
        {{"JMSPriority = 7", "TRUE"},
         {"JMSPriority > priority - 1", "TRUE"},
         {"JMSTimestamp > 1600000000000", "TRUE"},
         {"JMSCorrelationID = 'c1'", "TRUE"},
         {"JMSType = 'car'", "TRUE"},
         {"\"JMSType\" LIKE 'c%'", "TRUE"},
         {"JMSDeliveryMode = 'PERSISTENT'", "TRUE"},
         {"JMSDeliveryMode <> 'NON_PERSISTENT'", "TRUE"},
         {"JMSXGroupID = 'g'", "TRUE"},
         {"JMSMessageID IS NULL", "TRUE"}}
    );
    EXPECT_EQ(selector("JMSType = 'car'")->equality()->name, "type");
}

TEST(Selector, P_SEL_02_JmsDefaultsOfAbsentHeaders) {
    expect_facts(
        {},
        {{"JMSPriority = 4", "TRUE"},
         {"JMSPriority = '4'", "TRUE"},
         {"JMSPriority IS NULL", "FALSE"},
         {"priority IS NULL", "TRUE"},
         {"JMSDeliveryMode = 'PERSISTENT'", "TRUE"},
         {"JMSTimestamp > 0", "NULL"},
         {"JMSType = 'car'", "NULL"}}
    );
    for (const std::string value : {"false", "False"}) {
        EXPECT_TRUE(selects("JMSDeliveryMode = 'NON_PERSISTENT'", {{"persistent", value}}));
    }
    EXPECT_TRUE(selects("JMSDeliveryMode = 'PERSISTENT'", {{"persistent", "FALSE"}}));
}

TEST(Selector, P_SEL_02_PrefixesOfOtherBrokersChangeNothing) {
    const Headers headers = {{"foo-bar", "x"}, {"age", "6"}};
    for (const std::string text :
         {"hyphenated_props:foo-bar = 'x'",
          "convert_string_expressions:age > 5",
          "hyphenated_props:convert_string_expressions:foo-bar = 'x' AND age > 5",
          "convert_string_expressions: hyphenated_props: age > 5",
          "age > 5 AND hyphenated_props:foo-bar = 'x'"}) {
        EXPECT_TRUE(selects(text, headers)) << text;
    }
    EXPECT_TRUE(selector("hyphenated_props:foo-bar = 'x'")->equality());
}

TEST(Selector, P_SEL_03_ConvertsHeadersToWhatTheOtherOperandIs) {
    expect_facts(
        {{"n", "5"},
         {"plus", "+5"},
         {"minus", "-5.0"},
         {"exp", "5e0"},
         {"t", "TrUe"},
         {"f", "FALSE"},
         {"word", "five"},
         {"blank", " 5"},
         {"inf", "inf"},
         {"nan", "NaN"},
         {"hex", "0x5"},
         {"huge", "1e999"},
         {"long", "5000000000000000000000"},
         {"empty", ""},
         {"m", "5.0"}},
        {{"n = 5", "TRUE"},
         {"n = '5'", "TRUE"},
         {"n = 5.0", "TRUE"},
         {"n = '5.0'", "FALSE"},
         {"n = m", "FALSE"},
         {"n + 0 = m", "TRUE"},
         {"n <= m", "TRUE"},
         {"plus = 5", "TRUE"},
         {"minus = -5", "TRUE"},
         {"exp = 5", "TRUE"},
         {"t = TRUE", "TRUE"},
         {"f = TRUE", "FALSE"},
         {"f <> TRUE", "TRUE"},
         {"t", "TRUE"},
         {"f", "FALSE"},
         {"word", "NULL"},
         {"word = 5", "NULL"},
         {"word <> 5", "NULL"},
         {"word > 5", "NULL"},
         {"word = TRUE", "NULL"},
         {"word + 1 IS NULL", "TRUE"},
         {"blank = 5", "NULL"},
         {"inf > 5", "NULL"},
         {"nan = nan", "TRUE"},
         {"nan + 0 = 0", "NULL"},
         {"hex = 5", "NULL"},
         {"huge > 5", "NULL"},
         {"long > 4e21", "TRUE"},
         {"empty = 0", "NULL"},
         {"n = TRUE", "NULL"},
         {"empty = ''", "TRUE"},
         {"t = 'TrUe'", "TRUE"},
         {"-word IS NULL", "TRUE"},
         {"n < word", "NULL"},
         {"n IN (5)", "TRUE"},
         {"t IN (TRUE)", "TRUE"},
         {"n NOT IN (6)", "TRUE"},
         {"word NOT IN (6)", "NULL"}}
    );
}

TEST(Selector, P_SEL_03_TruthTable) {
    const std::vector<std::string> values = {"TRUE", "FALSE", "NULL"};
    const std::vector<std::string> written = {"t", "f", "gone"};
    const std::vector<std::vector<std::string>> conjunction = {
        {"TRUE", "FALSE", "NULL"}, {"FALSE", "FALSE", "FALSE"}, {"NULL", "FALSE", "NULL"}};
    const std::vector<std::vector<std::string>> disjunction = {
        {"TRUE", "TRUE", "TRUE"}, {"TRUE", "FALSE", "NULL"}, {"TRUE", "NULL", "NULL"}};
    const std::vector<std::string> negation = {"FALSE", "TRUE", "NULL"};
    const Headers headers = {{"t", "true"}, {"f", "false"}};
    for (std::size_t a = 0; a < 3; ++a) {
        EXPECT_EQ(selecting::truth("NOT " + written[a], headers), negation[a]);
        for (std::size_t b = 0; b < 3; ++b) {
            expect_facts(
                headers,
                {{written[a] + " AND " + written[b], conjunction[a][b]},
                 {written[a] + " OR " + written[b], disjunction[a][b]}}
            );
        }
    }
}

TEST(Selector, P_SEL_03_NullSpreadsAndOnlyTrueSelects) {
    expect_facts(
        {{"n", "5"}},
        {{"gone = 5", "NULL"},
         {"gone <> 5", "NULL"},
         {"gone = gone", "NULL"},
         {"gone = 'x'", "NULL"},
         {"gone + 1 = 1", "NULL"},
         {"gone LIKE '%'", "NULL"},
         {"gone NOT LIKE '%'", "NULL"},
         {"gone IN ('x')", "NULL"},
         {"gone NOT IN ('x')", "NULL"},
         {"gone BETWEEN 1 AND 9", "NULL"},
         {"n BETWEEN gone AND 4", "FALSE"},
         {"n BETWEEN gone AND 9", "NULL"},
         {"n NOT BETWEEN gone AND 4", "TRUE"},
         {"gone IS NULL", "TRUE"},
         {"gone IS NOT NULL", "FALSE"},
         {"gone", "NULL"}}
    );
    EXPECT_FALSE(selects("gone <> 'x'", {}));
    EXPECT_FALSE(selects("NOT gone = 'x'", {}));
}

TEST(Selector, P_SEL_03_AgreesWithAReferenceOfThreeValuedLogic) {
    std::mt19937 random(3);
    for (unsigned round = 0; round < 500; ++round) {
        const Condition condition = random_condition(random, 1 + round % 5);
        EXPECT_EQ(selecting::truth(condition.text, known), shown(condition.truth))
            << condition.text;
    }
}

TEST(Selector, P_SEL_03_TheFirstOfRepeatedHeadersCounts) {
    EXPECT_TRUE(selects("a = 'x'", {{"a", "x"}, {"a", "y"}}));
    EXPECT_FALSE(selects("a = 'y'", {{"a", "x"}, {"a", "y"}}));
    EXPECT_TRUE(selects("\"a:\" = ':'", {{"b", "y"}, {"a:", ":"}, {"a:", "y"}}));
}

TEST(Selector, P_SEL_03_FindsTheLastOfManyHeadersAgainAndAgain) {
    Headers headers;
    for (int i = 0; i < 100; ++i) {
        headers.emplace_back("h" + std::to_string(i), "v:" + std::to_string(i));
    }
    const auto message = message_with(headers);
    const MessageHeaders seen(*message);
    const auto first = seen.find("h0");
    for (int round = 0; round < 2; ++round) {
        for (const auto& header : headers) {
            EXPECT_EQ(seen.find(header.first), header.second);
        }
        EXPECT_EQ(seen.find("h100"), std::nullopt);
    }
    EXPECT_EQ(first, "v:0");
    EXPECT_EQ(seen.size(), 100U);
}

TEST(Selector, P_SEL_03_TheShapeHeaderEqualsLiteralIsKnown) {
    for (const std::string text :
         {"a = 'it''s'", "'it''s'=a", "(a = 'it''s')", "\"a\" = 'it''s'"}) {
        const auto parsed = selector(text);
        ASSERT_TRUE(parsed->equality()) << text;
        EXPECT_EQ(parsed->equality()->name, "a");
        EXPECT_EQ(parsed->equality()->literal, "it's");
        EXPECT_EQ(parsed->text(), text);
        EXPECT_EQ(selecting::truth(text, {{"a", "it's"}}), "TRUE");
        EXPECT_EQ(selecting::truth(text, {{"a", "its"}}), "FALSE");
        EXPECT_EQ(selecting::truth(text, {}), "NULL");
    }
    for (const std::string text :
         {"a <> 'x'",
          "a = 5",
          "a = b",
          "NOT a = 'x'",
          "a = 'x' AND b = 'y'",
          "JMSPriority = '4'",
          "JMSDeliveryMode = 'PERSISTENT'",
          "a = TRUE",
          "a LIKE 'x'",
          "'a' = 'a'",
          "a IN ('x')"}) {
        EXPECT_FALSE(selector(text)->equality()) << text;
    }
}

}  // namespace engine
