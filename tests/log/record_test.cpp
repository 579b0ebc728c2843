// How records are spelt: escapes, caps, both formats.
#include "broker/log/record.hpp"

#include <gtest/gtest.h>

namespace logging {
namespace {

using std::chrono::microseconds;

constexpr std::chrono::sys_time<microseconds> moment{microseconds(1'767'225'599'000'042)};

std::string json(std::string_view message, Fields fields = {}) {
    return to_json({moment, Level::warn, "test", message, fields});
}

std::string text(std::string_view message, Fields fields = {}) {
    return to_text({moment, Level::warn, "test", message, fields});
}

std::string escaped(std::string_view value) {
    std::string out;
    append_escaped(out, value, field_bytes_max);
    return out;
}

TEST(Record, JsonHasTimeLevelMessageEventAndFields) {
    EXPECT_EQ(
        json("refused", {{"conn", 7}, {"remote", "10.0.0.1:5"}, {"delta", -3}}),
        R"({"ts":"2025-12-31T23:59:59.000042Z","level":"warn","msg":"refused","event":"test",)"
        R"("conn":7,"remote":"10.0.0.1:5","delta":-3})"
    );
}

TEST(Record, TextQuotesWhatHasBlanks) {
    EXPECT_EQ(
        text(
            "refused",
            {{"conn", 7U}, {"reason", "bad-frame"}, {"err", "no such file"}, {"user", ""}}
        ),
        "2025-12-31T23:59:59.000042Z warn  test: refused conn=7 reason=bad-frame "
        "err=\"no such file\" user=\"\""
    );
}

TEST(Record, S_LOG_01_EscapesC0AndNewline) {
    EXPECT_EQ(escaped("a\nb\rc\td"), R"(a\nb\rc\td)");
    EXPECT_EQ(escaped(std::string_view("\0\x1b[31m\x7f", 7)), R"(\u0000\u001b[31m\u007f)");
    for (char octet = 0; octet < 0x20; ++octet) {
        const std::string out = escaped(std::string(1, octet));
        EXPECT_EQ(out.find(octet), std::string::npos);
    }
}

TEST(Record, S_LOG_01_EscapesC1) {
    EXPECT_EQ(escaped("\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0"), "\\u0080\\u009b\\u009f\xC2\xA0");
}

TEST(Record, S_LOG_01_EscapesQuoteAndBackslash) {
    EXPECT_EQ(escaped(R"("\)"), R"(\"\\)");
    EXPECT_EQ(json(R"(","level":"info)").find(R"("level":"info")"), std::string::npos);
}

TEST(Record, S_LOG_01_WhatIsNotUtf8IsReplaced) {
    EXPECT_EQ(escaped("a\xFFz"), R"(a\ufffdz)");
    EXPECT_EQ(escaped("\xC0\xAF"), R"(\ufffd\ufffd)");
    EXPECT_EQ(escaped("\xED\xA0\x80"), R"(\ufffd\ufffd\ufffd)");
    EXPECT_EQ(escaped("\xF4\x90\x80\x80"), R"(\ufffd\ufffd\ufffd\ufffd)");
    EXPECT_EQ(escaped("\xE2\x82"), R"(\ufffd\ufffd)");
    EXPECT_EQ(escaped("\xE2\x82\xAC \xF0\x9F\x90\x83"), "\xE2\x82\xAC \xF0\x9F\x90\x83");
}

TEST(Record, S_LOG_01_CapsAFieldAt256Octets) {
    EXPECT_EQ(escaped(std::string(256, 'x')), std::string(256, 'x'));
    EXPECT_EQ(escaped(std::string(257, 'x')), std::string(253, 'x') + "...");
    EXPECT_EQ(escaped(std::string(1'000'000, 'x')).size(), 256U);
    EXPECT_LE(escaped(std::string(1'000'000, '\x01')).size(), 256U);
}

TEST(Record, S_LOG_01_CutsBetweenCharacters) {
    std::string euros;
    for (int i = 0; i < 200; ++i) {
        euros += "\xE2\x82\xAC";
    }
    const std::string out = escaped(euros);
    EXPECT_EQ(out.size(), 84 * 3 + 3U);
    EXPECT_TRUE(out.ends_with("\xE2\x82\xAC..."));
}

TEST(Record, S_LOG_01_IsNeverAFormatString) {
    EXPECT_NE(json("%n {} {0}", {{"err", "%s{}"}}).find(R"("msg":"%n {} {0}")"), std::string::npos);
    EXPECT_NE(text("%n", {{"err", "%s{}"}}).find("err=%s{}"), std::string::npos);
}

TEST(Record, S_LOG_01_TextValuesCannotPretendToBeFields) {
    EXPECT_NE(text("x", {{"user", "a reason=ok"}}).find("user=\"a reason=ok\""), std::string::npos);
    EXPECT_NE(text("x", {{"user", "a\" b=\"c"}}).find(R"(user="a\" b=\"c")"), std::string::npos);
}

TEST(Record, CarriesTheLargestNumbers) {
    const std::string line =
        json("x", {{"low", INT64_MIN}, {"high", UINT64_MAX}, {"octet", std::uint8_t{255}}});
    EXPECT_NE(
        line.find(R"("low":-9223372036854775808,"high":18446744073709551615,"octet":255)"),
        std::string::npos
    );
}

}  // namespace
}  // namespace logging
