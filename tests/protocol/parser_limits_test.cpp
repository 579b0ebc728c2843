// The parser's limits: each just below and just above (P-LIM-01), refused as octets arrive
// (P-LIM-02). Small limits, so that both sides of each are cheap.
#include "tests/protocol/parsing.hpp"

#include <gtest/gtest.h>

namespace protocol::test {

namespace {

using std::string_literals::operator""s;

std::string_view refusal(const Outcome& outcome) {
    return outcome.error ? token(*outcome.error) : std::string_view();
}

/// A header line of `size` octets.
std::string line_of(std::size_t size, char name = 'a') {
    return std::string(1, name) + ":" + std::string(size - 2, 'v');
}

class ParserLimits : public testing::TestWithParam<std::size_t> {
protected:
    [[nodiscard]] Outcome run(std::string_view text) const {
        return parse(text, conditions_, pieces_of(GetParam()));
    }

    Conditions conditions_;
};

INSTANTIATE_TEST_SUITE_P(Cut, ParserLimits, testing::Values(1, 2, 7, 1'000'000));

}  // namespace

TEST_P(ParserLimits, P_LIM_01_HeaderLine) {
    conditions_.limits.header_line_max = 20;
    EXPECT_EQ(run(frame_text({"SEND", line_of(20)})).frames.size(), 1U);
    EXPECT_EQ(run(frame_text({"SEND", line_of(20)}, "", "\r\n")).frames.size(), 1U);
    EXPECT_EQ(refusal(run(frame_text({"SEND", line_of(21)}))), "header-too-large");
    EXPECT_EQ(refusal(run(frame_text({"SEND", line_of(21)}, "", "\r\n"))), "header-too-large");
}

TEST_P(ParserLimits, P_LIM_01_HeaderLineBeforeConnected) {
    conditions_.version.reset();
    conditions_.limits.header_line_max = 20;
    conditions_.limits.header_line_before_connected_max = 40;
    EXPECT_EQ(run(frame_text({"CONNECT", line_of(40)})).frames.size(), 1U);
    EXPECT_EQ(refusal(run(frame_text({"CONNECT", line_of(41)}))), "header-too-large");
}

TEST_P(ParserLimits, P_LIM_01_HeaderCount) {
    conditions_.limits.header_count_max = 3;
    EXPECT_EQ(run(frame_text({"SEND", "a:1", "b:2", "c:3"})).frames.size(), 1U);
    EXPECT_EQ(run(frame_text({"SEND", "a:1", "b:2", "c:3"}, "", "\r\n")).frames.size(), 1U);
    EXPECT_EQ(refusal(run(frame_text({"SEND", "a:1", "b:2", "c:3", "d:4"}))), "header-too-large");
    EXPECT_EQ(refusal(run(frame_text({"SEND", "a:1", "a:2", "a:3", "a:4"}))), "header-too-large");
}

TEST_P(ParserLimits, P_LIM_01_AllHeaderLines) {
    conditions_.limits.header_bytes_max = 30;
    EXPECT_EQ(run(frame_text({"SEND", line_of(15), line_of(15, 'b')})).frames.size(), 1U);
    EXPECT_EQ(
        run(frame_text({"SEND", line_of(15), line_of(15, 'b')}, "", "\r\n")).frames.size(), 1U
    );
    EXPECT_EQ(
        refusal(run(frame_text({"SEND", line_of(15), line_of(16, 'b')}))), "header-too-large"
    );
}

TEST_P(ParserLimits, P_LIM_01_FrameWithContentLength) {
    const std::string head = "SEND\ncontent-length:10\n\n";
    conditions_.limits.frame_bytes_max = head.size() + 11;
    EXPECT_EQ(run(head + "0123456789\0"s).frames.size(), 1U);
    conditions_.limits.frame_bytes_max = head.size() + 10;
    EXPECT_EQ(refusal(run(head + "0123456789\0"s)), "frame-too-large");
}

TEST_P(ParserLimits, P_LIM_01_FrameWithoutContentLength) {
    const std::string text = frame_text({"SEND", "a:b"}, "0123456789");
    conditions_.limits.frame_bytes_max = text.size();
    EXPECT_EQ(run(text).frames.size(), 1U);
    EXPECT_EQ(run(text + text + text).frames.size(), 3U);
    conditions_.limits.frame_bytes_max = text.size() - 1;
    EXPECT_EQ(refusal(run(text)), "frame-too-large");
}

TEST_P(ParserLimits, P_LIM_01_RepeatedHeadsHaveTheSameFrameLimit) {
    const std::string text = frame_text({"SEND", "a:b"}, "0123456789");
    conditions_.limits.frame_bytes_max = text.size();
    const auto outcome = run(text + frame_text({"SEND", "a:b"}, "0123456789x"));
    EXPECT_EQ(outcome.frames.size(), 1U);
    EXPECT_EQ(refusal(outcome), "frame-too-large");
}

TEST_P(ParserLimits, P_LIM_01_OctetsBeforeConnectedAccumulate) {
    conditions_.version.reset();
    const std::string text = "\n\r\n\n" + frame_text({"CONNECT", "login:a"});
    conditions_.limits.before_connected_max = text.size();
    EXPECT_EQ(run(text).frames.size(), 1U);
    conditions_.limits.before_connected_max = text.size() - 1;
    EXPECT_EQ(refusal(run(text)), "frame-too-large");
    EXPECT_EQ(refusal(run(std::string(text.size(), '\n'))), "frame-too-large");
}

TEST_P(ParserLimits, P_LIM_01_ABodyBeforeConnectedCounts) {
    conditions_.version.reset();
    const std::string text = frame_text({"CONNECT", "login:a"}, "a body without a length");
    conditions_.limits.before_connected_max = text.size();
    EXPECT_EQ(run(text).frames.size(), 1U);
    conditions_.limits.before_connected_max = text.size() - 1;
    EXPECT_EQ(refusal(run(text)), "frame-too-large");
}

TEST_P(ParserLimits, P_LIM_01_NothingIsCountedAfterConnected) {
    conditions_.limits.before_connected_max = 8;
    const std::string text = frame_text({"SEND", "destination:/queue/a"}, "0123456789");
    EXPECT_EQ(run(text + text + "\n\n\n\n\n\n\n\n\n\n" + text).frames.size(), 3U);
}

TEST_P(ParserLimits, P_FRAME_11_ContentLengthAboveTheFrameLimitRefusesAtTheEndOfTheHeaders) {
    for (const char* length : {"1048576", "9999999999"}) {
        const std::string head = "SEND\ncontent-length:" + std::string(length) + "\n\n";
        EXPECT_EQ(refusal(run(head)), "frame-too-large") << length;
    }
}

TEST(ParserLimit, P_FRAME_11_TheDefaultFrameLimitIsExact) {
    const std::string start = "SEND\ncontent-length:";
    const std::size_t head = start.size() + 7 + 2;
    const std::size_t most = Limits{}.frame_bytes_max - head - 1;
    const std::string fits = start + std::to_string(most) + "\n\n";
    ASSERT_EQ(fits.size(), head);
    EXPECT_EQ(parse(fits).error, std::nullopt);
    EXPECT_EQ(parse(fits + std::string(most, 'x') + '\0').frames.size(), 1U);
    EXPECT_EQ(refusal(parse(start + std::to_string(most + 1) + "\n\n")), "frame-too-large");
}

TEST(ParserLimit, P_LIM_02_ALongLineIsRefusedBeforeItsEnd) {
    Conditions conditions;
    conditions.limits.header_line_max = 20;
    const auto outcome = parse("SEND\na:" + std::string(1000, 'x'), conditions, pieces_of(1));
    EXPECT_EQ(refusal(outcome), "header-too-large");
    EXPECT_EQ(outcome.consumed, 5U + 21U);
}

TEST(ParserLimit, P_LIM_02_ALongBodyIsRefusedBeforeItsEnd) {
    Conditions conditions;
    conditions.limits.frame_bytes_max = 100;
    const auto outcome = parse("SEND\n\n" + std::string(1000, 'x'), conditions, pieces_of(1));
    EXPECT_EQ(refusal(outcome), "frame-too-large");
    EXPECT_EQ(outcome.consumed, 100U);
}

TEST(ParserLimit, P_LIM_02_OneHeaderTooManyIsRefusedAtItsStart) {
    Conditions conditions;
    conditions.limits.header_count_max = 1;
    const auto outcome = parse("SEND\na:1\nb:2\n\n", conditions, pieces_of(1));
    EXPECT_EQ(refusal(outcome), "header-too-large");
    EXPECT_EQ(outcome.consumed, 10U);
}

TEST(ParserLimit, P_FRAME_15_HeldOctetsStayNearWhatWasReceived) {
    Conditions conditions;
    const std::string text =
        frame_text({"SEND", "content-length:200000"}, std::string(200'000, 'x'));
    const auto outcome = parse(text, conditions, pieces_of(1000));
    EXPECT_EQ(outcome.frames.size(), 1U);
    EXPECT_LE(outcome.held_bytes_max, 2 * text.size());
}

}  // namespace protocol::test
