// Headers as given on the command line.
// Pure.
#include "broker/cli/headers.hpp"

#include "broker/cli/base64.hpp"
#include "broker/cli/exit_code.hpp"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(Headers, AreCutAtTheFirstColon) {
    const OwnedHeader header = parse_header("time:12:30");
    EXPECT_EQ(header.name, "time");
    EXPECT_EQ(header.value, "12:30");
    EXPECT_EQ(parse_header("empty:").value, "");
}

TEST(Headers, WithoutNameOrColonAreRefused) {
    EXPECT_THROW(static_cast<void>(parse_header("novalue")), Failure);
    EXPECT_THROW(static_cast<void>(parse_header(":x")), Failure);
}

TEST(Headers, ViewsKeepTheOrder) {
    const OwnedHeaders owned = parse_headers({"b:1", "a:2"});
    std::vector<protocol::Header> views{{"destination", "/topic/x"}};
    append_views(views, owned);
    const std::vector<protocol::Header> expected{
        {"destination", "/topic/x"}, {"b", "1"}, {"a", "2"}};
    EXPECT_EQ(views, expected);
}

TEST(Base64, AgreesWithTheExamplesOfRfc4648) {
    EXPECT_EQ(to_base64(""), "");
    EXPECT_EQ(to_base64("f"), "Zg==");
    EXPECT_EQ(to_base64("fo"), "Zm8=");
    EXPECT_EQ(to_base64("foo"), "Zm9v");
    EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(to_base64(std::string_view("\xff\x00\xfe", 3)), "/wD+");
}

}  // namespace
}  // namespace cli
