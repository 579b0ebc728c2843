// Messages as text: format strings and JSON lines.
// Pure.
#include "broker/cli/format.hpp"

#include "broker/cli/exit_code.hpp"

#include <gtest/gtest.h>

#include <array>

namespace cli {
namespace {

constexpr std::array<protocol::Header, 3> headers{{
    {"subscription", "sub-0"},
    {"destination", "/topic/a"},
    {"message-id", "7"},
}};

protocol::Frame message(std::string_view body) {
    return {protocol::Command::message, headers, body};
}

std::string formatted(std::string_view format, std::string_view body = "hello") {
    std::string out;
    MessageFormat(format).append(out, message(body), "NOW");
    return out;
}

TEST(MessageFormat, ReplacesEachDirective) {
    EXPECT_EQ(formatted("%t %d %b"), "NOW /topic/a hello");
    EXPECT_EQ(formatted("%i|%s|%l|%%"), "7|sub-0|5|%");
    EXPECT_EQ(formatted("%{message-id}%{none}."), "7.");
    EXPECT_EQ(formatted("%h"), "subscription:sub-0,destination:/topic/a,message-id:7");
}

TEST(MessageFormat, UnderstandsEscapes) {
    EXPECT_EQ(formatted("a\\n\\t\\\\%b\\0"), std::string("a\n\t\\hello\0", 10));
}

TEST(MessageFormat, DoesNotInterpretTheBody) {
    EXPECT_EQ(formatted("%b", "%d\\n"), "%d\\n");
}

TEST(MessageFormat, RefusesWhatMeansNothing) {
    for (const char* const format : {"%q", "\\q", "a%", "a\\", "%{open"}) {
        EXPECT_THROW(MessageFormat{format}, Failure) << format;
    }
}

TEST(MessageJson, IsOneLineWithHeadersAndBody) {
    EXPECT_EQ(
        to_json(message("a\n\"b"), true),
        R"({"headers":{"subscription":"sub-0","destination":"/topic/a","message-id":"7"},)"
        R"("body":"a\n\"b"})"
    );
}

TEST(MessageJson, HasBase64WhereTheBodyIsNotUtf8) {
    const std::string json = to_json(message("\xff"), true);
    EXPECT_NE(json.find(R"("body_base64":"/w==")"), std::string::npos);
    EXPECT_EQ(json.find(R"("body":)"), std::string::npos);
}

TEST(MessageJson, LeavesTheBodyOutIfAsked) {
    EXPECT_EQ(to_json(message("secret"), false).find("secret"), std::string::npos);
}

TEST(MessageFormat, O_8_OnATerminalOnlyTheFormatItselfMaySteerIt) {
    const std::array<protocol::Header, 1> hostile{{{"destination", "/topic/\x1b]0;x"}}};
    const protocol::Frame frame{protocol::Command::message, hostile, "\x1b[2Ja\nb"};
    std::string out;
    MessageFormat("\x1b[1m%d %b", MessageFormat::Text::printable).append(out, frame, "");
    EXPECT_EQ(out, "\x1b[1m/topic/\\x1b]0;x \\x1b[2Ja\nb");
    out.clear();
    MessageFormat("%b").append(out, frame, "");
    EXPECT_EQ(out, "\x1b[2Ja\nb");
}

}  // namespace
}  // namespace cli
