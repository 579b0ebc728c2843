// Headers as given on the command line.
// Pure.
#include "broker/cli/headers.hpp"

#include "broker/cli/exit_code.hpp"
#include "protocol/base64.hpp"

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

}  // namespace
}  // namespace cli
