// Copies of a template are what a broker's own codec reads: right stamp, right receipt.
// Pure.
#include "broker/cli/send_template.hpp"

#include "protocol/parser.hpp"
#include "protocol/web_socket.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace cli {
namespace {

constexpr std::array<protocol::Header, 2> headers{{{"destination", "/topic/a"}, {"x", "y"}}};
constexpr std::uint32_t mask = 0xa1b2c3d4U;

/// Reads one frame as a broker does and notes what the tests ask about.
struct Read {
    Stamp stamp;
    std::string receipt;
    std::string destination;
    std::size_t body_size = 0;
};

Read read_frame(std::span<char> octets) {
    const protocol::Limits limits;
    protocol::ParserScratch scratch;
    protocol::Parser parser(limits, scratch);
    parser.connected(protocol::Version::v1_2);
    parser.feed(octets);
    EXPECT_EQ(parser.next(), protocol::Parser::Event::frame);
    const protocol::Frame& frame = parser.frame();
    return {
        read_stamp(frame.body.data()),
        std::string(frame.find("receipt").value_or("none")),
        std::string(frame.find("destination").value_or("none")),
        frame.body.size()};
}

Read read_message(std::string octets) {
    protocol::WebSocketDecoder decoder(protocol::WebSocketDecoder::Role::broker, 1 << 20);
    decoder.feed(octets);
    EXPECT_EQ(decoder.next(), protocol::WebSocketDecoder::Event::data);
    EXPECT_TRUE(decoder.is_message_end());
    return read_frame(decoder.payload());
}

TEST(SendTemplate, CarriesStampAndReceiptOverTcp) {
    const SendTemplate made(headers, 50, std::nullopt, true);
    std::string out = "before";
    const Stamp stamp{7, 123456, 987654321};
    made.append(out, stamp, 42);
    EXPECT_EQ(out.size(), 6 + made.size());
    const Read read = read_frame(std::span(out).subspan(6));
    EXPECT_EQ(read.stamp, stamp);
    EXPECT_EQ(read.receipt, "0000000042");
    EXPECT_EQ(read.destination, "/topic/a");
    EXPECT_EQ(read.body_size, 50U);
}

TEST(SendTemplate, CarriesThemUnderTheMaskAtEveryPhase) {
    const std::string name = "abcdefgh";
    for (std::size_t length = 1; length <= name.size(); ++length) {
        const std::array<protocol::Header, 2> turned{
            {{"destination", "/topic/a"}, {std::string_view(name).substr(0, length), "y"}}};
        const SendTemplate made(turned, 200, mask, true);
        std::string out;
        const Stamp stamp{4095, length, 5};
        made.append(out, stamp, 9'876'543'210);
        const Read read = read_message(out);
        EXPECT_EQ(read.stamp, stamp);
        EXPECT_EQ(read.receipt, "9876543210");
        EXPECT_EQ(read.body_size, 200U);
    }
}

TEST(SendTemplate, AsksForNoReceiptUnlessTold) {
    const SendTemplate made(headers, Stamp::size, mask, false);
    std::string out;
    made.append(out, {}, 1);
    EXPECT_EQ(read_message(out).receipt, "none");
}

}  // namespace
}  // namespace cli
