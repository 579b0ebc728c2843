// Escaping per version: P-FRAME-07, -08, -17, -18.
// Exact octets first, then the round trip over random texts.
#include "protocol/escape.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace protocol {

namespace {

using std::string_literals::operator""s;

constexpr std::array versions{Version::v1_0, Version::v1_1, Version::v1_2};

std::string escaped(std::string_view text, Version version) {
    std::string out;
    append_escaped(out, text, version);
    return out;
}

std::optional<std::string> unescaped(std::string text, Version version, bool lenient = false) {
    const auto size = unescape_in_place(text.data(), text.size(), version, lenient);
    if (!size) { return std::nullopt; }
    text.resize(*size);
    return text;
}

std::string random_text(std::mt19937& random) {
    constexpr std::string_view letters = "ab\\:\n\r nc\\r";
    std::string text;
    for (std::size_t i = random() % 12; i > 0; --i) {
        text += letters[random() % letters.size()];
    }
    return text;
}

}  // namespace

TEST(Escape, P_FRAME_07_NothingIsUndoneIn10) {
    EXPECT_EQ(unescaped("\\n\\c\\x\\", Version::v1_0), "\\n\\c\\x\\");
}

TEST(Escape, P_FRAME_07_UndoesTheSetOfTheVersion) {
    EXPECT_EQ(unescaped("a\\nb\\cc\\\\d", Version::v1_1), "a\nb:c\\d");
    EXPECT_EQ(unescaped("a\\nb\\cc\\\\d\\re", Version::v1_2), "a\nb:c\\d\re");
    EXPECT_EQ(unescaped("\\\\n", Version::v1_2), "\\n");
    EXPECT_EQ(unescaped("", Version::v1_2), "");
    EXPECT_EQ(unescaped("plain", Version::v1_2), "plain");
}

TEST(Escape, P_FRAME_08_UndefinedEscapesAreRefused) {
    for (const char* text : {"\\x", "a\\", "\\\\\\", "\\ ", "\\C", "\\n\\t"}) {
        EXPECT_EQ(unescaped(text, Version::v1_1), std::nullopt) << text;
        EXPECT_EQ(unescaped(text, Version::v1_2), std::nullopt) << text;
    }
    EXPECT_EQ(unescaped("\\r", Version::v1_1), std::nullopt);
}

TEST(Escape, P_FRAME_08_LenientKeepsBothOctets) {
    EXPECT_EQ(unescaped("\\x\\n\\", Version::v1_2, true), "\\x\n\\");
    EXPECT_EQ(unescaped("\\r\\c", Version::v1_1, true), "\\r:");
    EXPECT_EQ(unescaped("\\\\\\", Version::v1_2, true), "\\\\");
}

TEST(Escape, P_FRAME_08_UndefinedEscapesAreSeen) {
    EXPECT_TRUE(has_undefined_escape("a\\x", Version::v1_2));
    EXPECT_TRUE(has_undefined_escape("\\n\\", Version::v1_1));
    EXPECT_TRUE(has_undefined_escape("\\r", Version::v1_1));
    EXPECT_FALSE(has_undefined_escape("\\r\\\\x", Version::v1_2));
    EXPECT_FALSE(has_undefined_escape("\\x", Version::v1_0));
}

TEST(Escape, P_FRAME_17_WritesTheSetOfTheVersion) {
    const std::string text = "a:b\nc\\d\re";
    EXPECT_EQ(escaped(text, Version::v1_0), text);
    EXPECT_EQ(escaped(text, Version::v1_1), "a\\cb\\nc\\\\d\re");
    EXPECT_EQ(escaped(text, Version::v1_2), "a\\cb\\nc\\\\d\\re");
    EXPECT_EQ(escaped("", Version::v1_2), "");
    EXPECT_EQ(escaped("::", Version::v1_2), "\\c\\c");
}

TEST(Escape, P_FRAME_17_AppendsToWhatIsThere) {
    std::string out = "x:";
    append_escaped(out, "a:b", Version::v1_2);
    EXPECT_EQ(out, "x:a\\cb");
}

TEST(Escape, NeedsEscapeSeesEachSpecialOctet) {
    for (const char* text : {"a:", "\\", "a\nb", "\r"}) {
        EXPECT_TRUE(needs_escape(text)) << text;
    }
    EXPECT_FALSE(needs_escape(""));
    EXPECT_FALSE(needs_escape("plain \xC3\xBC text/!"));
}

TEST(Escape, P_FRAME_18_LineEndsCannotBeCarriedIn10) {
    EXPECT_FALSE(can_carry("a", "b\nc", Version::v1_0));
    EXPECT_FALSE(can_carry("a", "b\rc", Version::v1_0));
    EXPECT_FALSE(can_carry("a\nb", "c", Version::v1_0));
    EXPECT_FALSE(can_carry("a:b", "c", Version::v1_0));
    EXPECT_TRUE(can_carry("a", "b:c\\", Version::v1_0));
}

TEST(Escape, P_FRAME_18_CarriageReturnCannotBeCarriedIn11) {
    EXPECT_FALSE(can_carry("a", "b\r", Version::v1_1));
    EXPECT_FALSE(can_carry("a\rb", "", Version::v1_1));
    EXPECT_TRUE(can_carry("a:b\n", "c\n:", Version::v1_1));
    EXPECT_TRUE(can_carry("a:\r\n", "\r\n", Version::v1_2));
}

TEST(Escape, P_FRAME_18_NoVersionCarriesNulOrANamelessEntry) {
    for (const Version version : versions) {
        EXPECT_FALSE(can_carry("a", "b\0"s, version));
        EXPECT_FALSE(can_carry("a\0"s, "b", version));
        EXPECT_FALSE(can_carry("", "b", version));
        EXPECT_TRUE(can_carry("a", "", version));
    }
}

TEST(Escape, P_FRAME_17_RoundTripInEveryVersion) {
    std::mt19937 random(1);
    for (int round = 0; round < 20'000; ++round) {
        const std::string text = random_text(random);
        for (const Version version : {Version::v1_1, Version::v1_2}) {
            if (!can_carry("a", text, version)) { continue; }
            const std::string wire = escaped(text, version);
            ASSERT_EQ(unescaped(wire, version), text);
            ASSERT_EQ(wire.find('\n'), std::string::npos);
            ASSERT_EQ(wire.find(':'), std::string::npos);
            ASSERT_EQ(wire == text, !needs_escape(text));
        }
    }
}

TEST(Escape, P_FRAME_08_LenientDiffersOnlyWhereAnEscapeIsUndefined) {
    std::mt19937 random(2);
    for (int round = 0; round < 20'000; ++round) {
        const std::string text = random_text(random);
        for (const Version version : versions) {
            const auto plain = unescaped(text, version);
            ASSERT_EQ(plain.has_value(), !has_undefined_escape(text, version)) << text;
            if (plain) { ASSERT_EQ(plain, unescaped(text, version, true)); }
        }
    }
}

}  // namespace protocol
