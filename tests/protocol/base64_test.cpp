// Base64 and base64url: one way to write each text, and no other is read (S-AUTH-10).
#include "protocol/base64.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace protocol {
namespace {

TEST(Base64url, S_AUTH_10_ReadsWhatItWrites) {
    std::string octets;
    for (int i = 0; i < 600; ++i) {
        const std::string text = encode_base64url(octets);
        ASSERT_EQ(decode_base64url(text), octets);
        ASSERT_TRUE(is_base64url(text));
        octets.push_back(static_cast<char>(i * 7));
    }
}

TEST(Base64url, S_AUTH_10_TheVectorsOfRfc4648) {
    EXPECT_EQ(encode_base64url(""), "");
    EXPECT_EQ(encode_base64url("f"), "Zg");
    EXPECT_EQ(encode_base64url("fo"), "Zm8");
    EXPECT_EQ(encode_base64url("foo"), "Zm9v");
    EXPECT_EQ(encode_base64url("\xFB\xEF\xFF"), "--__");
}

TEST(Base64url, S_AUTH_10_RefusesWhatIsNotCanonical) {
    for (const char* text :
         {"Zg==",
          "Zg=",
          "Z",
          "Zm9vZ",
          "Zh",
          "Zm9",
          "Zm9vZh",
          "Zm 9v",
          "Zm9v\n",
          "Zm9v ",
          "+/+/",
          "Zm9*"}) {
        EXPECT_FALSE(decode_base64url(text)) << text;
    }
    EXPECT_FALSE(decode_base64url(std::string("Zm9\0", 4)));
    EXPECT_FALSE(decode_base64url("Zm9\xC3"));
}

// Of all texts of four octets or fewer over a small alphabet those are read that are written.
TEST(Base64url, S_AUTH_10_NothingIsReadInTwoWays) {
    const std::string digits = "AQgwBz_-=";
    for (std::size_t n = 0; n < 9 * 9 * 9 * 9; ++n) {
        const std::string text{
            digits[n % 9], digits[n / 9 % 9], digits[n / 81 % 9], digits[n / 729 % 9]};
        for (std::size_t size = 0; size <= 4; ++size) {
            const auto octets = decode_base64url(text.substr(0, size));
            if (octets) { ASSERT_EQ(encode_base64url(*octets), text.substr(0, size)); }
        }
    }
}

TEST(Base64, AgreesWithTheExamplesOfRfc4648) {
    EXPECT_EQ(encode_base64(""), "");
    EXPECT_EQ(encode_base64("f"), "Zg==");
    EXPECT_EQ(encode_base64("fo"), "Zm8=");
    EXPECT_EQ(encode_base64("foo"), "Zm9v");
    EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(encode_base64(std::string_view("\xff\x00\xfe", 3)), "/wD+");
}

// Of all texts of five octets or fewer over a small alphabet those are read that are written.
TEST(Base64, NothingIsReadInTwoWays) {
    const std::string digits = "AQgz+/=-\n";
    std::size_t read = 0;
    for (std::size_t n = 0; n < 9 * 9 * 9 * 9 * 9; ++n) {
        const std::string text{
            digits[n % 9],
            digits[n / 9 % 9],
            digits[n / 81 % 9],
            digits[n / 729 % 9],
            digits[n / 6561]};
        for (std::size_t size = 0; size <= text.size(); ++size) {
            const auto octets = decode_base64(text.substr(0, size));
            if (!octets) { continue; }
            ++read;
            ASSERT_EQ(encode_base64(*octets), text.substr(0, size));
        }
    }
    EXPECT_GT(read, 0U);
}

}  // namespace
}  // namespace protocol
