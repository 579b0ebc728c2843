// The table of tokens and close codes (P-ERR-08) and quoting (P-ERR-04).
// The expected table is written out, so that a token cannot change unnoticed.
#include "protocol/error.hpp"

#include "protocol/utf8.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace protocol {

namespace {

using std::string_literals::operator""s;

const std::map<std::string_view, std::uint16_t> published{
    {"bad-frame", 1002},
    {"bad-header", 1002},
    {"missing-header", 1002},
    {"bad-state", 1002},
    {"version-unsupported", 1002},
    {"frame-timeout", 1002},
    {"bad-utf8", 1007},
    {"auth-failed", 1008},
    {"token-expired", 1008},
    {"token-expired", 1008},
    {"access-denied", 1008},
    {"connect-timeout", 1008},
    {"bad-destination", 1008},
    {"bad-selector", 1008},
    {"unsupported", 1008},
    {"limit-subscriptions", 1008},
    {"limit-transaction", 1008},
    {"limit-queues", 1008},
    {"abuse", 1008},
    {"kicked", 1008},
    {"replaced", 1008},
    {"revoked", 1008},
    {"frame-too-large", 1009},
    {"header-too-large", 1009},
    {"internal", 1011},
    {"storage-failed", 1011},
    {"shutdown", 1012},
    {"overload", 1013},
    {"disk-full", 1013},
    {"queue-full", 1013},
    {"storage-timeout", 1013},
    {"slow-consumer", 1013},
    {"heartbeat-timeout", 1013},
    {"rate-limited", 1013},
    {"limit-connections", 1013},
};

}  // namespace

TEST(Error, P_ERR_08_EachTokenHasItsPublishedCloseCode) {
    for (std::size_t i = 0; i < error_code_count; ++i) {
        const auto code = static_cast<ErrorCode>(i);
        const auto entry = published.find(token(code));
        ASSERT_NE(entry, published.end()) << token(code);
        EXPECT_EQ(close_code(code), entry->second) << token(code);
    }
}

TEST(Error, P_ERR_08_TokensAreDistinct) {
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < error_code_count; ++i) {
        seen.insert(token(static_cast<ErrorCode>(i)));
    }
    EXPECT_EQ(seen.size(), error_code_count);
}

TEST(Error, P_ERR_08_TheEnumIsInTheOrderOfTheTable) {
    EXPECT_EQ(token(ErrorCode::bad_frame), "bad-frame");
    EXPECT_EQ(token(ErrorCode::bad_utf8), "bad-utf8");
    EXPECT_EQ(token(ErrorCode::access_denied), "access-denied");
    EXPECT_EQ(token(ErrorCode::bad_destination), "bad-destination");
    EXPECT_EQ(token(ErrorCode::unsupported), "unsupported");
    EXPECT_EQ(token(ErrorCode::revoked), "revoked");
    EXPECT_EQ(token(ErrorCode::frame_too_large), "frame-too-large");
    EXPECT_EQ(token(ErrorCode::internal), "internal");
    EXPECT_EQ(token(ErrorCode::shutdown), "shutdown");
    EXPECT_EQ(token(ErrorCode::slow_consumer), "slow-consumer");
    EXPECT_EQ(token(ErrorCode::limit_connections), "limit-connections");
}

TEST(Error, P_ERR_04_QuotingKeepsText) {
    EXPECT_EQ(protocol::quoted("plain text: a\\b"), "plain text: a\\b");
    EXPECT_EQ(
        protocol::quoted("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"),
        "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"
    );
    EXPECT_EQ(protocol::quoted(""), "");
}

TEST(Error, P_ERR_04_QuotingEscapesControlOctets) {
    EXPECT_EQ(protocol::quoted("a\nb\rc\td\0e\x7F"s), "a\\nb\\rc\\x09d\\x00e\\x7f");
    EXPECT_EQ(protocol::quoted("\x1B[31m"), "\\x1b[31m");
    EXPECT_EQ(protocol::quoted("\xC2\x9B\xC2\xA0"), "\\xc2\\x9b\xC2\xA0");
}

TEST(Error, P_ERR_04_QuotingShowsOctetsThatAreNoUtf8) {
    EXPECT_EQ(protocol::quoted("a\xFF\xC3"), "a\\xff\\xc3");
}

TEST(Error, P_ERR_04_QuotingCutsTo200OctetsBetweenCharacters) {
    EXPECT_EQ(protocol::quoted(std::string(200, 'x')), std::string(200, 'x'));
    EXPECT_EQ(protocol::quoted(std::string(201, 'x')), std::string(200, 'x'));
    EXPECT_EQ(protocol::quoted(std::string(199, 'x') + "\xC3\xBC"), std::string(199, 'x'));
    EXPECT_EQ(protocol::quoted(std::string(198, 'x') + "\n\n"), std::string(198, 'x') + "\\n");
}

TEST(Error, P_ERR_04_WhateverIsQuotedIsShortPrintableUtf8) {
    std::mt19937 random(3);
    for (int round = 0; round < 2'000; ++round) {
        std::string text(random() % 300, ' ');
        for (char& octet : text) {
            octet = static_cast<char>(random() % (round % 2 == 0 ? 256 : 128));
        }
        const std::string result = protocol::quoted(text);
        ASSERT_LE(result.size(), 200U);
        ASSERT_TRUE(is_utf8(result));
        for (const char octet : result) {
            ASSERT_FALSE(octet >= 0 && octet < 0x20) << result;
        }
    }
}

}  // namespace protocol
