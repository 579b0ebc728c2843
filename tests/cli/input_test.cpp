// Cutting a stream into lines, as `pub --lines` does.
// Uses pipes.
#include "broker/cli/input.hpp"

#include "broker/cli/exit_code.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <unistd.h>

namespace cli {
namespace {

class LineReaderOfPipe : public testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(::pipe(ends_.data()), 0); }

    void TearDown() override {
        close_input();
        ::close(ends_[0]);
    }

    void type(std::string_view text) {
        ASSERT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }

    void close_input() {
        if (ends_[1] >= 0) { ::close(ends_[1]); }
        ends_[1] = -1;
    }

    [[nodiscard]] int descriptor() const { return ends_[0]; }

private:
    std::array<int, 2> ends_{-1, -1};
};

TEST_F(LineReaderOfPipe, GivesWholeLinesOnly) {
    LineReader reader(descriptor());
    type("one\ntw");
    reader.fill();
    EXPECT_EQ(reader.take(), "one");
    EXPECT_EQ(reader.take(), std::nullopt);
    type("o\r\n\n");
    reader.fill();
    EXPECT_EQ(reader.take(), "two");
    EXPECT_EQ(reader.take(), "");
    EXPECT_FALSE(reader.is_ended());
}

TEST_F(LineReaderOfPipe, GivesALastLineWithoutEnd) {
    LineReader reader(descriptor());
    type("one\ntwo");
    reader.fill();
    EXPECT_EQ(reader.take(), "one");
    close_input();
    reader.fill();
    EXPECT_EQ(reader.take(), "two");
    EXPECT_TRUE(reader.is_ended());
    EXPECT_EQ(reader.take(), std::nullopt);
}

TEST_F(LineReaderOfPipe, ReadsAllOfAStream) {
    type("body");
    close_input();
    EXPECT_EQ(read_all(descriptor(), "pipe"), "body");
}

TEST(Input, SaysWhichFileCannotBeRead) {
    try {
        static_cast<void>(read_file("/nonexistent/body"));
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_NE(
            std::string_view(failure.what()).find("/nonexistent/body"), std::string_view::npos
        );
    }
}

}  // namespace
}  // namespace cli
