// JSON of strangers: what others may read differently is refused (S-AUTH-10).
#include "broker/security/strict_json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace security {
namespace {

constexpr JsonLimits limits{.octets_max = 4096};

std::optional<Json> parse(std::string_view text) {
    return parse_strict_json(text, limits);
}

TEST(StrictJson, S_AUTH_10_ReadsMembersOfEveryKind) {
    const auto json = parse(R"( {"s":"x\n\u00fc","i":-5,"a":[1,"b",{"c":null}],"t":true,"":{}} )");
    ASSERT_TRUE(json);
    EXPECT_EQ(*json->find("s")->string(), "x\n\xC3\xBC");
    EXPECT_EQ(json->find("i")->integer(), -5);
    ASSERT_EQ(json->find("a")->items().size(), 3U);
    EXPECT_EQ(*json->find("a")->items()[1].string(), "b");
    EXPECT_EQ(json->find("a")->items()[2].find("c")->kind(), Json::Kind::null);
    EXPECT_EQ(json->find("t")->kind(), Json::Kind::boolean);
    EXPECT_EQ(json->find("")->kind(), Json::Kind::object);
    EXPECT_EQ(json->find("x"), nullptr);
    EXPECT_EQ(json->find("s")->integer(), std::nullopt);
    EXPECT_EQ(json->find("i")->string(), nullptr);
    EXPECT_EQ(json->find("a")->find("c"), nullptr);
}

TEST(StrictJson, S_AUTH_10_OnlyIntegersAreIntegers) {
    const auto integer_in = [](const std::string& number) {
        const auto json = parse("{\"n\":" + number + "}");
        return json ? json->find("n")->integer() : std::nullopt;
    };
    EXPECT_EQ(integer_in("0"), 0);
    EXPECT_EQ(integer_in("9223372036854775807"), 9223372036854775807);
    for (const char* number :
         {"1.5",
          "1.0",
          "1e10",
          "1E2",
          "1e0",
          "9223372036854775808",
          "18446744073709551616",
          "-9223372036854775809",
          "1e999",
          "\"1\"",
          "true",
          "null"}) {
        EXPECT_EQ(integer_in(number), std::nullopt) << number;
    }
}

TEST(StrictJson, S_AUTH_10_RefusesTwoMembersOfOneName) {
    EXPECT_FALSE(parse(R"({"a":1,"a":1})"));
    EXPECT_FALSE(parse(R"({"a":1,"b":2,"a":3})"));
    EXPECT_FALSE(parse(R"({"x":[{"a":1,"a":2}]})"));
    EXPECT_FALSE(parse(R"({"é":1,"\u00e9":2})"));
    EXPECT_FALSE(parse(R"({"/":1,"\/":2})"));
    EXPECT_TRUE(parse(R"({"a":{"a":1},"b":{"a":1}})"));
}

TEST(StrictJson, S_AUTH_10_RefusesNamesThatHideTheirLetters) {
    EXPECT_FALSE(parse(R"({"\u0065xp":1})"));
    EXPECT_FALSE(parse(R"({"ex\u0070" :1})"));
    EXPECT_FALSE(parse(R"({"a":{"b\\\u0041":1}})"));
    EXPECT_FALSE(parse(R"({"\u0000":1})"));
    EXPECT_TRUE(parse(R"({"r\u00f4le":1,"https:\/\/x":2,"\\u0041":3})"));
    EXPECT_TRUE(parse(R"({"a":"\u0065xp","b":["\u0041:"]})"));
}

std::string nested(int depth) {
    const auto n = static_cast<std::size_t>(depth - 1);
    return "{\"a\":" + std::string(n, '[') + std::string(n, ']') + "}";
}

TEST(StrictJson, S_AUTH_10_BoundsDepthSizeAndCount) {
    EXPECT_TRUE(parse(nested(8)));
    EXPECT_FALSE(parse(nested(9)));
    EXPECT_FALSE(parse(nested(2000)));
    EXPECT_TRUE(parse("{\"a\":\"" + std::string(4096 - 8, 'x') + "\"}"));
    EXPECT_FALSE(parse("{\"a\":\"" + std::string(4096 - 7, 'x') + "\"}"));
    constexpr JsonLimits four{.octets_max = 4096, .depth_max = 8, .values_max = 4};
    EXPECT_TRUE(parse_strict_json("{\"a\":[1,2]}", four));
    EXPECT_FALSE(parse_strict_json("{\"a\":[1,2,3]}", four));
    EXPECT_FALSE(parse_strict_json("{\"a\":[[],[],[]]}", four));
}

TEST(StrictJson, S_AUTH_10_RefusesWhatIsNoObjectAlone) {
    for (const char* text :
         {"",
          " ",
          "[]",
          "1",
          "\"a\"",
          "null",
          "{",
          "{}{}",
          "{} x",
          "{},",
          "{\"a\":1,}",
          "{'a':1}",
          "{a:1}",
          "{\"a\":01}",
          "{\"a\":+1}",
          "{\"a\":NaN}",
          "{\"a\":1}//",
          "/**/{}",
          "\xEF\xBB\xBF{}",
          "{\"a\":\"\xFF\"}",
          "{\"a\":\"\xC0\xAF\"}",
          "{\"a\":\"\xED\xA0\x80\"}",
          "{\"a\":\"\\uD800\"}",
          "{\"a\":\"\\uDC00\\uD800\"}",
          "{\"a\":\"\n\"}",
          "{\"\xFF\":1}"}) {
        EXPECT_FALSE(parse(text)) << text;
    }
    EXPECT_FALSE(parse(std::string("{}\0", 3)));
    EXPECT_TRUE(parse("{}\r\n"));
}

}  // namespace
}  // namespace security
