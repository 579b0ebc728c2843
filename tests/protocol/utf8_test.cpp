// UTF-8: whole texts against a naive reference, and streams cut anywhere (P-FRAME-14, P-WS-08).
// Every two-octet text and the edges of every sequence length are tried.
#include "protocol/utf8.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace protocol {

namespace {

using std::string_literals::operator""s;

/// The table of RFC 3629, section 4, read literally.
bool reference(std::string_view text) {
    struct Row {
        unsigned first_low, first_high, second_low, second_high;
        std::size_t size;
    };

    static const std::vector<Row> rows{
        {0x00, 0x7F, 0, 0, 1},
        {0xC2, 0xDF, 0x80, 0xBF, 2},
        {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3},
        {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4},
        {0xF4, 0xF4, 0x80, 0x8F, 4}};
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const Row* found = nullptr;
        for (const Row& row : rows) {
            if (at(i) >= row.first_low && at(i) <= row.first_high) { found = &row; }
        }
        if (found == nullptr || i + found->size > text.size()) { return false; }
        if (found->size > 1 && (at(i + 1) < found->second_low || at(i + 1) > found->second_high)) {
            return false;
        }
        for (std::size_t k = 2; k < found->size; ++k) {
            if (at(i + k) < 0x80 || at(i + k) > 0xBF) { return false; }
        }
        i += found->size;
    }
    return true;
}

const std::vector<std::string> valid{
    "",
    "a",
    "\0"s,
    "\x7F",
    "\xC2\x80",
    "\xDF\xBF",
    "\xE0\xA0\x80",
    "\xED\x9F\xBF",
    "\xEE\x80\x80",
    "\xEF\xBF\xBF",
    "\xF0\x90\x80\x80",
    "\xF4\x8F\xBF\xBF",
    "gr\xC3\xBC\xC3\x9F"};

const std::vector<std::string> invalid{
    "\x80",
    "\xBF",
    "\xC0\x80",
    "\xC1\xBF",
    "\xC2",
    "\xC2\x41",
    "\xE0\x9F\xBF",
    "\xE0\x80\x80",
    "\xED\xA0\x80",
    "\xED\xBF\xBF",
    "\xF0\x8F\xBF\xBF",
    "\xF4\x90\x80\x80",
    "\xF5\x80\x80\x80",
    "\xFF",
    "\xFE",
    "\xE2\x82",
    "\xF0\x9F\x98",
    "a\xC3",
    "\xC3\xC3\xBC"};

bool streamed(std::string_view text, std::mt19937& random, std::size_t most) {
    Utf8Stream stream;
    while (!text.empty()) {
        const std::size_t size = std::min<std::size_t>(text.size(), random() % (most + 1));
        // A block of its own shows reads beyond the piece.
        const std::vector<char> block(
            text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size)
        );
        if (!stream.accept({block.data(), block.size()})) { return false; }
        text.remove_prefix(size);
    }
    return stream.finish();
}

std::string random_text(std::mt19937& random) {
    std::string text;
    for (std::size_t i = random() % 12; i > 0; --i) {
        text +=
            random() % 3 == 0 ? std::string(random() % 80, 'x') : valid[random() % valid.size()];
    }
    if (random() % 2 == 0) {
        text += invalid[random() % invalid.size()] + std::string(random() % 3, 'y');
    }
    if (random() % 4 == 0 && !text.empty()) {
        text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    return text;
}

}  // namespace

TEST(Utf8, P_FRAME_14_AcceptsAndRefusesTheEdges) {
    for (const std::string& text : valid) {
        EXPECT_TRUE(is_utf8(text));
        EXPECT_TRUE(is_utf8(std::string(70, 'x') + text));
    }
    for (const std::string& text : invalid) {
        EXPECT_FALSE(is_utf8(text));
        EXPECT_FALSE(is_utf8(std::string(70, 'x') + text));
        EXPECT_FALSE(is_utf8(text + std::string(70, 'x')));
    }
}

TEST(Utf8, P_FRAME_14_AgreesWithTheReferenceOnAllPairs) {
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            const std::string text{static_cast<char>(first), static_cast<char>(second)};
            ASSERT_EQ(is_utf8(text), reference(text)) << first << " " << second;
        }
    }
}

TEST(Utf8, P_FRAME_14_AgreesWithTheReferenceOnRandomTexts) {
    std::mt19937 random(4);
    for (int round = 0; round < 5'000; ++round) {
        const std::string text = random_text(random);
        ASSERT_EQ(is_utf8(text), reference(text));
    }
}

TEST(Utf8Stream, P_WS_08_CutsMakeNoDifference) {
    std::mt19937 random(5);
    for (int round = 0; round < 5'000; ++round) {
        const std::string text = random_text(random);
        for (const std::size_t most : {1U, 3U, 100U}) {
            ASSERT_EQ(streamed(text, random, most), reference(text));
        }
    }
}

TEST(Utf8Stream, P_WS_08_FailsAtTheFirstOctetThatCannotFollow) {
    for (const std::string& text : invalid) {
        Utf8Stream stream;
        std::size_t taken = 0;
        while (taken < text.size() && stream.accept(std::string_view(text).substr(taken, 1))) {
            ++taken;
        }
        // The shortest beginning that no valid text has.
        std::size_t expected = 0;
        const auto can_go_on = [&](std::size_t size) {
            for (const char* rest :
                 {"",
                  "\x80",
                  "\x80\x80",
                  "\x80\x80\x80",
                  "\xA0",
                  "\xA0\x80",
                  "\x90\x80\x80",
                  "\x8F"}) {
                if (reference(text.substr(0, size) + rest)) { return true; }
            }
            return false;
        };
        while (expected < text.size() && can_go_on(expected + 1)) {
            ++expected;
        }
        EXPECT_EQ(taken, expected);
    }
}

TEST(Utf8Stream, P_WS_08_AnUnfinishedSequenceFailsAtTheEnd) {
    Utf8Stream stream;
    EXPECT_TRUE(stream.accept("a\xE2\x82"));
    EXPECT_FALSE(stream.finish());
    EXPECT_TRUE(stream.accept("\xE2\x82"));
    EXPECT_TRUE(stream.accept(""));
    EXPECT_TRUE(stream.accept("\xAC"));
    EXPECT_TRUE(stream.finish());
}

TEST(Utf8, ATextIsNotCutInsideASequence) {
    EXPECT_EQ(cut_utf8("a\xE2\x82\xAC", 4), "a\xE2\x82\xAC");
    EXPECT_EQ(cut_utf8("a\xE2\x82\xAC", 3), "a");
    EXPECT_EQ(cut_utf8("a\xE2\x82\xAC", 2), "a");
    EXPECT_EQ(cut_utf8("a\xE2\x82\xAC", 1), "a");
    EXPECT_EQ(
        cut_utf8(
            "a\xE2\x82\xAC"
            "b",
            4
        ),
        "a\xE2\x82\xAC"
    );
    EXPECT_EQ(cut_utf8("\xE2\x82\xAC", 2), "");
}

}  // namespace protocol
