// Server-sent events, cut anywhere.
// Pure.
#include "broker/cli/event_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace cli {
namespace {

using testing::ElementsAre;
using Seen = std::vector<std::string>;

constexpr std::string_view text =
    ": comment\r\nevent: frame\r\ndata: {\"a\":1}\r\n\r\ndata:x\ndata: y\n\nevent: none\n\n"
    "event: end\ndata: over\n\nevent: late\ndata: z\n\n";

TEST(EventStream, O_6_TakesEventsCutAnywhere) {
    for (std::size_t size = 1; size < text.size(); ++size) {
        Seen seen;
        EventStream stream([&seen](std::string_view name, std::string_view data) {
            seen.push_back(std::string(name) + "=" + std::string(data));
            return name != "end";
        });
        bool goes_on = true;
        for (std::size_t at = 0; at < text.size(); at += size) {
            goes_on = stream.take(text.substr(at, size));
        }
        EXPECT_FALSE(goes_on);
        EXPECT_THAT(seen, ElementsAre("frame={\"a\":1}", "message=x\ny", "end=over")) << size;
    }
}

TEST(EventStream, O_6_HoldsNoMoreThanOneMebibyteOfAnEvent) {
    std::size_t size = 0;
    EventStream stream([&size](std::string_view, std::string_view data) {
        size = data.size();
        return true;
    });
    const std::string line = "data: " + std::string(700'000, 'x') + "\n";
    EXPECT_TRUE(stream.take(line));
    EXPECT_TRUE(stream.take(line));
    EXPECT_TRUE(stream.take("\n"));
    EXPECT_EQ(size, 1024U * 1024U);
}

}  // namespace
}  // namespace cli
