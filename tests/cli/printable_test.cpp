// What a peer's text may look like on a terminal.
// Pure.
#include "broker/cli/printable.hpp"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(Printable, LeavesTextOfAllLanguagesAsItIs) {
    const std::string text = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8e \\n ~";
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, SpellsOutWhatSteersATerminal) {
    EXPECT_EQ(printable("a\x1b[2Jb\x07\x7f"), "a\\x1b[2Jb\\x07\\x7f");
    EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
    EXPECT_EQ(
        printable("\xc2\x9b"
                  "2J"),
        "\\xc2\\x9b2J"
    );
}

TEST(Printable, KeepsLinesOnlyWhereTheyAreWanted) {
    EXPECT_EQ(printable("a\tb\n", Blanks::kept), "a\tb\n");
    EXPECT_EQ(printable("a\tb\n"), "a\\x09b\\x0a");
    EXPECT_EQ(printable("a\r\n", Blanks::kept), "a\\x0d\n");
}

TEST(Printable, SpellsOutMarksThatTurnTheDirection) {
    EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");
    EXPECT_EQ(printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");
    EXPECT_EQ(printable("\xe2\x80\xa6"), "\xe2\x80\xa6");
}

TEST(Printable, SpellsOutWhatIsNotUtf8) {
    EXPECT_EQ(
        printable("\xff"
                  "a\xc3"),
        "\\xffa\\xc3"
    );
    EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");
}

}  // namespace
}  // namespace cli
