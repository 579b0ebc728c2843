// The RFC 6455 codec: P-WS-05 to -08, -16, violations, limits, and the freedom of cuts.
// Frames are made by hand here where the encoder refuses to make them.
#include "protocol/web_socket.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace protocol {

namespace {

using std::string_literals::operator""s;
using Event = WebSocketDecoder::Event;
using Role = WebSocketDecoder::Role;

constexpr std::size_t large = 1 << 24;
constexpr std::uint32_t mask = 0xA1B2C3D4;

using sizes = std::vector<std::size_t>;
using codes = std::vector<std::uint16_t>;

struct Seen {
    struct Message {
        bool is_text = false;
        std::string payload;
        friend bool operator==(const Message&, const Message&) = default;
    };

    struct Control {
        Event event{};
        std::string payload;
        std::uint16_t code = 0;
        friend bool operator==(const Control&, const Control&) = default;
    };

    std::vector<Message> messages;
    std::vector<Control> controls;
    std::string partial;       ///< Of a message that has not ended.
    std::uint16_t failed = 0;  ///< The close code of the failure.
    std::string reason;
    std::size_t consumed = 0;
    bool is_mid_message = false;
};

void take(WebSocketDecoder& decoder, Event event, Seen& seen) {
    const std::string payload(decoder.payload().data(), decoder.payload().size());
    if (event != Event::data) {
        seen.controls.push_back(
            {event, payload, event == Event::close ? decoder.close_code() : std::uint16_t{0}}
        );
        return;
    }
    seen.partial += payload;
    if (!decoder.is_message_end()) { return; }
    seen.messages.push_back({decoder.is_text(), seen.partial});
    seen.partial.clear();
}

bool drain(WebSocketDecoder& decoder, Seen& seen) {
    while (true) {
        const Event event = decoder.next();
        if (event == Event::need_more) { return true; }
        if (event == Event::failed) {
            seen.failed = decoder.close_code();
            seen.reason = decoder.reason();
            return false;
        }
        take(decoder, event, seen);
    }
}

Seen decode(
    std::string_view octets,
    const std::function<std::size_t()>& piece_size,
    std::size_t message_max = large,
    Role role = Role::broker
) {
    WebSocketDecoder decoder(role, message_max);
    Seen seen;
    while (seen.consumed < octets.size()) {
        const std::string_view piece = octets.substr(seen.consumed, piece_size());
        std::vector<char> block(piece.begin(), piece.end());
        seen.consumed += piece.size();
        decoder.feed(block);
        if (!drain(decoder, seen)) { break; }
    }
    seen.is_mid_message = decoder.is_mid_message();
    return seen;
}

Seen decode(std::string_view octets, std::size_t message_max = large, Role role = Role::broker) {
    return decode(
        octets, [] { return std::string_view::npos; }, message_max, role
    );
}

struct Raw {
    unsigned opcode = 1;
    bool fin = true;
    bool masked = true;
    unsigned rsv = 0;
    std::size_t length_octets = 0;  ///< Of the extended length: 0 for the shortest form, 2 or 8.
    std::uint64_t declared =
        std::numeric_limits<std::uint64_t>::max();  ///< Instead of the true length.
};

std::string raw(std::string_view payload, const Raw& how) {
    const std::uint64_t length =
        how.declared == std::numeric_limits<std::uint64_t>::max() ? payload.size() : how.declared;
    std::size_t extended = how.length_octets;
    if (extended == 0 && length > 125) { extended = length > 0xFFFF ? 8 : 2; }
    std::string out;
    out += static_cast<char>((how.fin ? 0x80U : 0U) | how.rsv << 4U | how.opcode);
    const unsigned small = extended == 0   ? static_cast<unsigned>(length)
                           : extended == 2 ? 126U
                                           : 127U;
    out += static_cast<char>((how.masked ? 0x80U : 0U) | small);
    for (std::size_t i = extended; i > 0; --i) {
        out += static_cast<char>(length >> (8 * (i - 1)) & 0xFFU);
    }
    if (how.masked) { out.append({'\x11', '\x22', '\x33', '\x44'}); }
    std::string masked(payload);
    for (std::size_t i = 0; how.masked && i < masked.size(); ++i) {
        masked[i] =
            static_cast<char>(static_cast<unsigned char>(masked[i]) ^ (0x11U * (i % 4 + 1)));
    }
    return out + masked;
}

std::string text(std::string_view payload, bool fin = true) {
    Raw how;
    how.fin = fin;
    return raw(payload, how);
}

std::string frame(unsigned opcode, std::string_view payload, bool fin = true) {
    Raw how;
    how.opcode = opcode;
    how.fin = fin;
    return raw(payload, how);
}

std::string close_payload(unsigned code, std::string_view reason = {}) {
    std::string payload{static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
    return payload.append(reason);
}

std::string random_text(std::mt19937& random, std::size_t most) {
    static const std::vector<std::string> atoms{
        "a", "bc", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\n", "\0"s};
    std::string out;
    for (std::size_t i = random() % (most + 1); i > 0; --i) {
        out += atoms[random() % atoms.size()];
    }
    return out;
}

/// A stream of messages, fragmented at random with control frames between, now and then damaged.
std::string random_stream(std::mt19937& random) {
    std::string out;
    for (std::size_t i = random() % 6; i > 0; --i) {
        const unsigned opcode = 1 + random() % 2;
        const std::string payload = random_text(random, random() % 10 == 0 ? 200 : 20);
        std::size_t at = 0;
        bool first = true;
        while (true) {
            const std::size_t size = std::min<std::size_t>(payload.size() - at, random() % 40);
            const bool fin = at + size == payload.size();
            out += frame(first ? opcode : 0, std::string_view(payload).substr(at, size), fin);
            first = false;
            at += size;
            if (random() % 4 == 0) { out += frame(9 + random() % 2, random_text(random, 20)); }
            if (fin) { break; }
        }
    }
    if (random() % 4 == 0) { out += frame(8, close_payload(1000, "bye")) + text("ignored"); }
    if (random() % 3 == 0 && !out.empty()) {
        out[random() % out.size()] = static_cast<char>(random() % 256);
    }
    return out;
}

}  // namespace

TEST(WebSocket, ReadsATextAndABinaryMessage) {
    const auto seen = decode(text("hi") + frame(2, "\xFF\0"s));
    EXPECT_EQ(seen.messages, (std::vector<Seen::Message>{{true, "hi"}, {false, "\xFF\0"s}}));
    EXPECT_EQ(seen.failed, 0);
    EXPECT_FALSE(seen.is_mid_message);
}

TEST(WebSocket, AllLengthForms) {
    for (const std::size_t size : sizes({0, 1, 125, 126, 127, 65'535, 65'536, 100'000})) {
        const std::string payload(size, 'x');
        const auto seen = decode(text(payload));
        EXPECT_EQ(seen.messages, (std::vector<Seen::Message>{{true, payload}})) << size;
    }
}

TEST(WebSocket, P_WS_06_EmptyMessagesEndAndSayNothing) {
    const auto seen =
        decode(text("") + frame(2, "") + text("", false) + frame(0, "", false) + frame(0, ""));
    EXPECT_EQ(seen.messages, (std::vector<Seen::Message>{{true, ""}, {false, ""}, {true, ""}}));
}

TEST(WebSocket, P_WS_06_FragmentsAreOneMessageAndControlFramesMayComeBetween) {
    const auto seen = decode(
        text("a", false) + frame(9, "p") + frame(0, "b", false) + frame(10, "q") + frame(0, "c") +
        frame(2, "d")
    );
    EXPECT_EQ(seen.messages, (std::vector<Seen::Message>{{true, "abc"}, {false, "d"}}));
    EXPECT_EQ(
        seen.controls, (std::vector<Seen::Control>{{Event::ping, "p", 0}, {Event::pong, "q", 0}})
    );
}

TEST(WebSocket, PayloadIsHandedOutAsItArrivesAndInPlace) {
    WebSocketDecoder decoder(Role::broker, large);
    std::string octets = text("hello");
    const std::string_view wire(octets);
    decoder.feed(std::span(octets).first(8));
    ASSERT_EQ(decoder.next(), Event::data);
    EXPECT_EQ(std::string_view(decoder.payload().data(), decoder.payload().size()), "he");
    EXPECT_EQ(decoder.payload().data(), wire.data() + 6);
    EXPECT_FALSE(decoder.is_message_end());
    EXPECT_TRUE(decoder.is_mid_message());
    EXPECT_EQ(decoder.next(), Event::need_more);
    decoder.feed(std::span(octets).subspan(8));
    ASSERT_EQ(decoder.next(), Event::data);
    EXPECT_EQ(std::string_view(decoder.payload().data(), decoder.payload().size()), "llo");
    EXPECT_TRUE(decoder.is_message_end());
    EXPECT_FALSE(decoder.is_mid_message());
}

TEST(WebSocket, IsMidMessageInHeadersAndBetweenFragments) {
    EXPECT_TRUE(decode(text("hi").substr(0, 1)).is_mid_message);
    EXPECT_TRUE(decode(text("hi").substr(0, 5)).is_mid_message);
    EXPECT_TRUE(decode(text("hi", false)).is_mid_message);
    EXPECT_FALSE(decode(text("hi", false) + frame(0, "")).is_mid_message);
}

TEST(WebSocket, P_WS_09_PingKeepsItsPayload) {
    const std::string payload(125, 'p');
    EXPECT_EQ(
        decode(frame(9, payload)).controls, (std::vector<Seen::Control>{{Event::ping, payload, 0}})
    );
    EXPECT_EQ(decode(frame(9, "")).controls, (std::vector<Seen::Control>{{Event::ping, "", 0}}));
    EXPECT_EQ(decode(frame(10, "x")).controls, (std::vector<Seen::Control>{{Event::pong, "x", 0}}));
}

TEST(WebSocket, P_WS_05_ReservedBitsFail) {
    for (const unsigned rsv : {1U, 2U, 4U, 7U}) {
        for (const unsigned opcode : {0U, 1U, 2U, 8U, 9U, 10U}) {
            Raw how;
            how.rsv = rsv;
            how.opcode = opcode;
            EXPECT_EQ(decode(raw("x", how)).failed, 1002);
        }
    }
}

TEST(WebSocket, ReservedOpcodesFail) {
    for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
        EXPECT_EQ(decode(frame(opcode, "")).failed, 1002) << opcode;
        EXPECT_EQ(decode(text("a", false) + frame(opcode, "")).failed, 1002) << opcode;
    }
}

TEST(WebSocket, MaskingFollowsTheRole) {
    Raw unmasked;
    unmasked.masked = false;
    EXPECT_EQ(decode(raw("x", unmasked)).failed, 1002);
    EXPECT_EQ(decode(raw("x", unmasked), large, Role::client).messages.at(0).payload, "x");
    EXPECT_EQ(decode(text("x"), large, Role::client).failed, 1002);
    unmasked.opcode = 9;
    EXPECT_EQ(decode(raw("x", unmasked)).failed, 1002);
    EXPECT_EQ(decode(raw("x", unmasked), large, Role::client).controls.size(), 1U);
}

TEST(WebSocket, ControlFramesAreWholeAndShort) {
    for (const unsigned opcode : {8U, 9U, 10U}) {
        EXPECT_EQ(decode(frame(opcode, "", false)).failed, 1002);
        EXPECT_EQ(decode(frame(opcode, std::string(126, 'x'))).failed, 1002);
        EXPECT_EQ(decode(frame(opcode, std::string(70'000, 'x'))).failed, 1002);
    }
}

TEST(WebSocket, ContinuationsFollowABeginningOnly) {
    EXPECT_EQ(decode(frame(0, "x")).failed, 1002);
    EXPECT_EQ(decode(frame(0, "x", false)).failed, 1002);
    EXPECT_EQ(decode(text("a", false) + frame(0, "b") + frame(0, "c")).failed, 1002);
    EXPECT_EQ(decode(text("a", false) + text("b")).failed, 1002);
    EXPECT_EQ(decode(text("a", false) + frame(2, "b")).failed, 1002);
    EXPECT_EQ(decode(text("", false) + text("b")).failed, 1002);
}

TEST(WebSocket, LengthsAreInTheirShortestForm) {
    for (const std::size_t size : sizes({0, 1, 125})) {
        Raw how;
        how.length_octets = 2;
        EXPECT_EQ(decode(raw(std::string(size, 'x'), how)).failed, 1002) << size;
        how.length_octets = 8;
        EXPECT_EQ(decode(raw(std::string(size, 'x'), how)).failed, 1002) << size;
    }
    Raw how;
    how.length_octets = 8;
    EXPECT_EQ(decode(raw(std::string(65'535, 'x'), how)).failed, 1002);
    EXPECT_EQ(decode(raw(std::string(65'536, 'x'), how)).failed, 0);
}

TEST(WebSocket, LengthsWithTheTopBitFail) {
    Raw how;
    how.length_octets = 8;
    how.declared = std::uint64_t{1} << 63;
    EXPECT_EQ(decode(raw("", how)).failed, 1002);
    how.declared = std::numeric_limits<std::uint64_t>::max() - 1;
    EXPECT_EQ(decode(raw("", how)).failed, 1002);
}

TEST(WebSocket, P_WS_07_MessagesAboveTheLimitFailAtTheHeader) {
    EXPECT_EQ(decode(text(std::string(100, 'x')), 100).messages.size(), 1U);
    Raw how;
    how.declared = 101;
    EXPECT_EQ(decode(raw("", how), 100).failed, 1009);
    how.declared = std::numeric_limits<std::uint64_t>::max() >> 1;
    EXPECT_EQ(decode(raw("", how), 100).failed, 1009);
}

TEST(WebSocket, P_WS_07_TheLimitCountsOverFragmentsWithoutOverflow) {
    const std::string half(50, 'x');
    EXPECT_EQ(decode(text(half, false) + frame(0, half), 100).messages.size(), 1U);
    EXPECT_EQ(decode(text(half, false) + frame(0, half + "x"), 100).failed, 1009);
    EXPECT_EQ(
        decode(text(half, false) + frame(0, half, false) + frame(0, ""), 100).messages.size(), 1U
    );
    Raw how;
    how.opcode = 0;
    how.declared = std::numeric_limits<std::uint64_t>::max() >> 1;
    EXPECT_EQ(
        decode(text(half, false) + raw("", how), std::numeric_limits<std::size_t>::max()).failed, 0
    );
    EXPECT_EQ(decode(text(half, false) + raw("", how), 100).failed, 1009);
}

TEST(WebSocket, P_WS_07_TheLimitStartsAfreshAndControlFramesDoNotCount) {
    const std::string full(100, 'x');
    const auto seen = decode(text(full) + frame(9, std::string(125, 'p')) + frame(2, full), 100);
    EXPECT_EQ(seen.messages.size(), 2U);
}

TEST(WebSocket, P_LIM_01_TheLimitCanBeRaised) {
    WebSocketDecoder decoder(Role::broker, 10);
    Seen seen;
    std::string first = text(std::string(10, 'x'));
    decoder.feed(first);
    EXPECT_TRUE(drain(decoder, seen));
    decoder.set_message_max(20);
    std::string second = text(std::string(20, 'x'));
    decoder.feed(second);
    EXPECT_TRUE(drain(decoder, seen));
    std::string third = text(std::string(21, 'x'));
    decoder.feed(third);
    EXPECT_FALSE(drain(decoder, seen));
    EXPECT_EQ(seen.failed, 1009);
}

TEST(WebSocket, P_WS_08_InvalidTextFails) {
    for (const char* payload : {"\xFF", "a\xC3", "\xED\xA0\x80", "\xF0\x9F\x98", "\xC3\x28"}) {
        EXPECT_EQ(decode(text(payload)).failed, 1007);
        EXPECT_EQ(decode(frame(2, payload)).failed, 0);
    }
}

TEST(WebSocket, P_WS_08_CharactersMaySpanFragments) {
    EXPECT_EQ(
        decode(text("\xF0\x9F", false) + frame(0, "", false) + frame(0, "\x98\x80")).failed, 0
    );
    EXPECT_EQ(decode(text("\xF0\x9F", false) + frame(9, "") + frame(0, "\x98")).failed, 1007);
    EXPECT_EQ(decode(text("\xC3", false) + frame(0, "")).failed, 1007);
    EXPECT_EQ(decode(text("\xC3") + text("\xBC")).failed, 1007);
}

TEST(WebSocket, P_WS_08_InvalidTextFailsBeforeTheMessageEnds) {
    EXPECT_EQ(decode(text("ok", false) + frame(0, "\xFF", false)).failed, 1007);
    const auto seen = decode(
        text("ab\xFF"
             "cdefgh"),
        [] { return 1U; }
    );
    EXPECT_EQ(seen.failed, 1007);
    EXPECT_EQ(seen.consumed, 9U);
}

TEST(WebSocket, CloseCarriesCodeAndReason) {
    const auto seen = decode(frame(8, close_payload(1001, "going away")));
    EXPECT_EQ(seen.controls, (std::vector<Seen::Control>{{Event::close, "going away", 1001}}));
    EXPECT_EQ(decode(frame(8, close_payload(4999))).controls.at(0).code, 4999);
    EXPECT_EQ(
        decode(frame(8, close_payload(1000, std::string(123, 'r')))).controls.at(0).payload.size(),
        123U
    );
}

TEST(WebSocket, CloseWithoutCodeIs1005) {
    EXPECT_EQ(
        decode(frame(8, "")).controls, (std::vector<Seen::Control>{{Event::close, "", 1005}})
    );
}

TEST(WebSocket, BadClosePayloadsFail) {
    EXPECT_EQ(decode(frame(8, "x")).failed, 1002);
    for (const unsigned code :
         {0U, 1U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 1100U, 2000U, 2999U, 5000U, 65'535U}) {
        EXPECT_EQ(decode(frame(8, close_payload(code))).failed, 1002) << code;
    }
    EXPECT_EQ(decode(frame(8, close_payload(1000, "\xFF"))).failed, 1007);
    EXPECT_EQ(decode(frame(8, close_payload(1000, "\xC3"))).failed, 1007);
}

TEST(WebSocket, CloseCodesThatMayBeSent) {
    for (const std::uint16_t code :
         codes({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999}
         )) {
        EXPECT_TRUE(is_valid_close_code(code)) << code;
    }
    for (const std::uint16_t code :
         codes({0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65'535})) {
        EXPECT_FALSE(is_valid_close_code(code)) << code;
    }
}

TEST(WebSocket, NothingCountsAfterAClose) {
    const auto seen = decode(frame(8, "") + text("x") + "\xFF\xFF\xFF");
    EXPECT_EQ(seen.controls.size(), 1U);
    EXPECT_TRUE(seen.messages.empty());
    EXPECT_EQ(seen.failed, 0);
}

TEST(WebSocket, FailureIsFinalAndHasAReason) {
    WebSocketDecoder decoder(Role::broker, large);
    std::string octets = frame(3, "") + text("x");
    decoder.feed(octets);
    EXPECT_EQ(decoder.next(), Event::failed);
    EXPECT_EQ(decoder.next(), Event::failed);
    EXPECT_EQ(decoder.close_code(), 1002);
    EXPECT_FALSE(decoder.reason().empty());
    EXPECT_TRUE(decoder.payload().empty());
}

TEST(WebSocket, ViolationsShowInTheFirstTwoOctets) {
    EXPECT_EQ(decode(frame(3, "payload"), [] { return 1U; }).consumed, 2U);
    EXPECT_EQ(decode(frame(9, std::string(126, 'x')), [] { return 1U; }).consumed, 2U);
}

TEST(WebSocket, P_FRAME_01_CutsMakeNoDifference) {
    std::mt19937 random(12);
    for (int round = 0; round < 4'000; ++round) {
        const std::string octets = random_stream(random);
        const std::size_t message_max = random() % 4 == 0 ? random() % 60 : large;
        const auto reference = decode(octets, message_max);
        for (const std::size_t most : {1U, 3U, 50U}) {
            const auto cut = decode(
                octets, [&] { return 1 + random() % most; }, message_max
            );
            ASSERT_EQ(cut.messages, reference.messages);
            ASSERT_EQ(cut.controls, reference.controls);
            ASSERT_EQ(cut.failed, reference.failed);
            ASSERT_EQ(cut.reason, reference.reason);
            // Before an invalid octet of a text more or less of it may have been handed out.
            if (reference.failed == 0) {
                ASSERT_EQ(cut.partial, reference.partial);
                ASSERT_EQ(cut.is_mid_message, reference.is_mid_message);
            }
        }
    }
}

TEST(WebSocket, DecodingGivesBackWhatWasEncoded) {
    std::mt19937 random(13);
    for (int round = 0; round < 500; ++round) {
        std::string wire;
        std::vector<Seen::Message> expected;
        const bool to_broker = random() % 2 == 0;
        for (int i = 0; i < 5; ++i) {
            const bool is_text = random() % 2 == 0;
            std::string payload = random_text(random, 300);
            if (!is_text) { payload += '\xFF'; }
            const auto key = static_cast<std::uint32_t>(random());
            append_web_socket_frame(
                wire, is_text ? Opcode::text : Opcode::binary, payload, to_broker ? &key : nullptr
            );
            expected.push_back({is_text, std::move(payload)});
        }
        const auto seen = decode(
            wire, [&] { return 1 + random() % 700; }, large, to_broker ? Role::broker : Role::client
        );
        ASSERT_EQ(seen.messages, expected);
        ASSERT_EQ(seen.failed, 0);
    }
}

TEST(WebSocketEncoder, HeadersAreMinimal) {
    const auto header = [](std::size_t size) {
        char out[web_socket_header_max];
        return std::string(out, write_web_socket_header(out, Opcode::text, size));
    };
    EXPECT_EQ(header(0), "\x81\x00"s);
    EXPECT_EQ(header(125), "\x81\x7D"s);
    EXPECT_EQ(header(126), "\x81\x7E\x00\x7E"s);
    EXPECT_EQ(header(65'535), "\x81\x7E\xFF\xFF"s);
    EXPECT_EQ(header(65'536), "\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
}

TEST(WebSocketEncoder, P_WS_11_OneUnfragmentedFramePerMessage) {
    std::string out = "x";
    append_web_socket_frame(out, Opcode::binary, "ab");
    append_web_socket_frame(out, Opcode::ping, "");
    EXPECT_EQ(
        out,
        "x\x82\x02"
        "ab\x89\x00"s
    );
}

TEST(WebSocketEncoder, P_WS_13_AHeartBeatIsATextMessageOfOneLineFeed) {
    std::string out;
    append_web_socket_frame(out, Opcode::text, "\n");
    EXPECT_EQ(out, "\x81\x01\n");
}

TEST(WebSocketEncoder, P_WS_16_ReasonsAreCutTo123OctetsBetweenCharacters) {
    const auto reason = [](std::string_view given) {
        std::string out;
        append_close_frame(out, 1002, given);
        return decode(out, large, Role::client).controls.at(0).payload;
    };
    EXPECT_EQ(reason("bad-frame"), "bad-frame");
    EXPECT_EQ(reason(std::string(123, 'x')), std::string(123, 'x'));
    EXPECT_EQ(reason(std::string(200, 'x')), std::string(123, 'x'));
    EXPECT_EQ(reason(std::string(122, 'x') + "\xC3\xBC"), std::string(122, 'x'));
    EXPECT_EQ(reason(std::string(120, 'x') + "\xF0\x9F\x98\x80"), std::string(120, 'x'));
    EXPECT_EQ(
        reason(
            std::string(121, 'x') + "\xC3\xBC"
                                    "x"
        ),
        std::string(121, 'x') + "\xC3\xBC"
    );
}

TEST(WebSocketEncoder, NoCodeGivesAnEmptyClose) {
    std::string out;
    append_close_frame(out, 1005, "not sent");
    EXPECT_EQ(out, "\x88\x00"s);
}

TEST(WebSocketMask, XorsOctetByOctetAndGoesOnWhereItStopped) {
    std::mt19937 random(14);
    const auto* const key = reinterpret_cast<const unsigned char*>(&mask);
    for (std::size_t size = 0; size < 70; ++size) {
        std::string data(size, '\0');
        for (char& octet : data) {
            octet = static_cast<char>(random());
        }
        std::string expected = data;
        for (std::size_t i = 0; i < size; ++i) {
            expected[i] = static_cast<char>(static_cast<unsigned char>(expected[i]) ^ key[i % 4]);
        }
        for (std::size_t cut = 0; cut <= size; ++cut) {
            std::string work = data;
            const std::uint32_t rest = apply_mask(work.data(), cut, mask);
            apply_mask(work.data() + cut, size - cut, rest);
            ASSERT_EQ(work, expected) << size << " cut at " << cut;
        }
    }
}

}  // namespace protocol
