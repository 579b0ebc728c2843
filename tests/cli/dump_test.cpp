// Stored messages as JSON lines.
// Pure.
#include "broker/cli/dump.hpp"

#include <gtest/gtest.h>

namespace cli {
namespace {

using std::string_literals::operator""s;

std::string dumped(std::string_view octets) {
    return to_json(DumpedMessage{7, 2, octets});
}

TEST(Dump, AMessageWithItsHeadersUnescaped) {
    EXPECT_EQ(
        dumped("message-id:m-1\ncontent-length:5\ndestination:/queue/a\nk\\cx:a\\nb\\\\\n\nhello\0"s
        ),
        R"({"sequence":7,"deliveries":2,"message-id":"m-1",)"
        R"("headers":{"destination":"/queue/a","k:x":"a\nb\\"},"body":"hello"})"
    );
}

TEST(Dump, D_ROCK_01_ADamagedMessageIsNotPassedOff) {
    EXPECT_EQ(
        to_json(DumpedMessage{7, 2, {}, true}), R"({"sequence":7,"deliveries":2,"damaged":true})"
    );
}

TEST(Dump, OfEqualNamesTheFirstCounts) {
    EXPECT_EQ(
        dumped("message-id:1\ncontent-length:0\na:1\na:2\n\n\0"s),
        R"({"sequence":7,"deliveries":2,"message-id":"1","headers":{"a":"1"},"body":""})"
    );
}

TEST(Dump, ABodyThatIsNotTextIsBase64) {
    EXPECT_EQ(
        dumped("message-id:1\ncontent-length:2\n\n\xFF\n\0"s),
        R"({"sequence":7,"deliveries":2,"message-id":"1","headers":{},"body_base64":"/wo="})"
    );
}

TEST(Dump, ABodyMayHoldNulAndBlankLines) {
    EXPECT_EQ(
        dumped("message-id:1\ncontent-length:4\nx:\n\n\n\n\0\n\0"s),
        R"({"sequence":7,"deliveries":2,"message-id":"1","headers":{"x":""},"body":"\n\n\u0000\n"})"
    );
}

TEST(Dump, OctetsThatAreNoMessageAreShownAsTheyAre) {
    for (const std::string& octets :
         {""s,
          "abc"s,
          "message-id:1\n"s,
          "message-id:1\ncontent-length:9\n\nx\0"s,
          "message-id:1\ncontent-length:1\n\nxy"s,
          "message-id:1\ncontent-length:1x\n\nx\0"s,
          "message-id:1\ncontent-length:1\nno colon\n\nx\0"s,
          "message-id:1\ncontent-length:1\na:\\q\n\nx\0"s,
          "message-id:1\ncontent-length:1\na:\xFF\n\nx\0"s,
          "content-length:1\nmessage-id:1\n\nx\0"s}) {
        EXPECT_NE(dumped(octets).find("octets_base64"), std::string::npos) << octets;
    }
}

}  // namespace
}  // namespace cli
