// Frames to octets: P-FRAME-16 to -18, and decode(encode(x)) = x.
// The decoder of the round trip is the client's side of the parser.
#include "protocol/encoder.hpp"

#include "protocol/escape.hpp"
#include "tests/protocol/parsing.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace protocol::test {

namespace {

using std::string_literals::operator""s;

constexpr std::array versions{Version::v1_0, Version::v1_1, Version::v1_2};

std::string encoded(
    Command command,
    const std::vector<Header>& headers,
    std::string_view body = {},
    Version version = Version::v1_2
) {
    std::string out;
    append_frame(out, command, headers, body, version);
    return out;
}

std::string line(std::string_view name, std::string_view value, Version version) {
    std::string out;
    const bool written = append_header(out, name, value, version);
    EXPECT_EQ(written, !out.empty());
    return out;
}

std::string random_text(std::mt19937& random, std::size_t least) {
    static const std::vector<std::string> atoms{
        "a",
        "b",
        ":",
        "\\",
        "\n",
        "\r",
        " ",
        "\xC3\xBC",
        "\xF0\x9F\x98\x80",
        "\\n",
        "content-length",
        "/"};
    std::string text;
    for (std::size_t i = least + random() % 6; i > 0; --i) {
        text += atoms[random() % atoms.size()];
    }
    return text;
}

std::string random_body(std::mt19937& random) {
    std::string body(random() % 30, '\0');
    for (char& octet : body) {
        octet = static_cast<char>(random() % 256);
    }
    return body;
}

OwnedFrame random_frame(std::mt19937& random) {
    OwnedFrame frame{Command::message, {}, random_body(random)};
    for (std::size_t i = random() % 6; i > 0; --i) {
        const std::string name = random_text(random, 1);
        // No name twice (P-FRAME-19), and not the broker's own.
        if (frame.find(name) || name == "content-length") { continue; }
        frame.headers.emplace_back(name, random_text(random, 0));
    }
    return frame;
}

bool survives(const std::pair<std::string, std::string>& header, Version version) {
    // A 1.0 reader may take blanks before a value for padding (P-FRAME-06).
    return can_carry(header.first, header.second, version) &&
           (version != Version::v1_0 || !header.second.starts_with(' '));
}

}  // namespace

TEST(Encoder, P_FRAME_16_CommandHeadersBlankLineBodyNul) {
    EXPECT_EQ(
        encoded(Command::message, {{"destination", "/queue/a"}, {"x", "y"}}, "hi"),
        "MESSAGE\ndestination:/queue/a\nx:y\ncontent-length:2\n\nhi\0"s
    );
    EXPECT_EQ(encoded(Command::receipt, {{"receipt-id", "1"}}), "RECEIPT\nreceipt-id:1\n\n\0"s);
}

TEST(Encoder, P_FRAME_16_AppendsAndKeepsWhatIsThere) {
    std::string out = "before";
    append_frame(out, Command::receipt, {}, {}, Version::v1_2);
    EXPECT_EQ(out, "beforeRECEIPT\n\n\0"s);
}

TEST(Encoder, AContentLengthThatIsGivenIsNotDoubled) {
    const std::vector<Header> headers{{"content-length", "2"}};
    EXPECT_EQ(encoded(Command::error, headers, "hi"), "ERROR\ncontent-length:2\n\nhi\0"s);
}

TEST(Encoder, P_FRAME_17_EscapesNamesAndValues) {
    EXPECT_EQ(line("a:b", "c\nd\\", Version::v1_2), "a\\cb:c\\nd\\\\\n");
    EXPECT_EQ(line("a:b", "c\nd\\", Version::v1_1), "a\\cb:c\\nd\\\\\n");
    EXPECT_EQ(line("a", "c\rd", Version::v1_2), "a:c\\rd\n");
    EXPECT_EQ(line("a", "c:d\\", Version::v1_0), "a:c:d\\\n");
}

TEST(Encoder, P_FRAME_17_ConnectedIsNotEscaped) {
    for (const Version version : versions) {
        EXPECT_EQ(
            encoded(Command::connected, {{"session", "a:b\\c"}}, {}, version),
            "CONNECTED\nsession:a:b\\c\n\n\0"s
        );
    }
}

TEST(Encoder, P_FRAME_17_ConnectedRefusesLineEndsAndNul) {
    const std::vector<Header> headers{
        {"a", "b\nc"}, {"a", "b\rc"}, {"a", "nul"}, {"a\nb", "c"}, {"ok", "yes"}, {"", "x"}};
    std::vector<Header> with_nul = headers;
    with_nul[2].value = std::string_view("b\0c", 3);
    for (const Command command : {Command::connected, Command::connect, Command::stomp}) {
        EXPECT_EQ(encoded(command, with_nul), std::string(to_string(command)) + "\nok:yes\n\n\0"s);
    }
}

TEST(Encoder, P_FRAME_18_LeavesOutWhatTheVersionCannotCarry) {
    const std::vector<Header> headers{{"a", "x\ny"}, {"b", "x\ry"}, {"c:d", "e"}, {"f", "g"}};
    EXPECT_EQ(encoded(Command::message, headers, {}, Version::v1_0), "MESSAGE\nf:g\n\n\0"s);
    EXPECT_EQ(
        encoded(Command::message, headers, {}, Version::v1_1),
        "MESSAGE\na:x\\ny\nc\\cd:e\nf:g\n\n\0"s
    );
    EXPECT_EQ(encoded(Command::message, headers), "MESSAGE\na:x\\ny\nb:x\\ry\nc\\cd:e\nf:g\n\n\0"s);
}

TEST(Encoder, P_FRAME_18_TellsWhatItLeftOut) {
    std::string out;
    EXPECT_FALSE(append_header(out, "a", "b\rc", Version::v1_1));
    EXPECT_TRUE(out.empty());
    EXPECT_TRUE(append_header(out, "a", "b", Version::v1_1));
}

TEST(Encoder, WritesNumbersInDecimal) {
    std::string out;
    append_number(out, 0);
    out += ' ';
    append_number(out, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(out, "0 18446744073709551615");
}

TEST(Encoder, P_FRAME_17_DecodingGivesBackWhatWasEncoded) {
    std::mt19937 random(11);
    for (int round = 0; round < 5'000; ++round) {
        const OwnedFrame frame = random_frame(random);
        for (const Version version : versions) {
            OwnedFrame expected{frame.command, {}, frame.body};
            std::vector<Header> headers;
            for (const auto& header : frame.headers) {
                if (!survives(header, version)) { continue; }
                headers.push_back({header.first, header.second});
                expected.headers.push_back(header);
            }
            if (!frame.body.empty()) {
                expected.headers.emplace_back("content-length", std::to_string(frame.body.size()));
            }
            Conditions conditions = in_version(version);
            conditions.role = Parser::Role::client;
            const std::string wire = encoded(frame.command, headers, frame.body, version);
            const auto outcome = parse(wire, conditions, random_pieces(random, 20));
            ASSERT_EQ(outcome.error, std::nullopt) << outcome.what;
            ASSERT_EQ(outcome.frames, std::vector{expected});
        }
    }
}

}  // namespace protocol::test
