// P-FRAME-01: however any input is cut, the frames and the refusal are the same.
// Inputs are made from pieces of the grammar and then damaged; seeds are fixed.
#include "tests/protocol/parsing.hpp"

#include <gtest/gtest.h>

#include <array>

namespace protocol::test {

namespace {

using std::string_literals::operator""s;

constexpr std::array<std::optional<Version>, 4> states{
    std::nullopt, Version::v1_0, Version::v1_1, Version::v1_2};

class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}

    std::size_t below(std::size_t bound) { return engine_() % bound; }

    bool one_in(std::size_t n) { return below(n) == 0; }

    std::mt19937& engine() { return engine_; }

    template <class List>
    const typename List::value_type& of(const List& list) {
        return list[below(list.size())];
    }

private:
    std::mt19937 engine_;
};

const std::vector<std::string> commands{
    "SEND",
    "SEND",
    "SEND",
    "CONNECT",
    "STOMP",
    "SUBSCRIBE",
    "ACK",
    "DISCONNECT",
    "BEGIN",
    "MESSAGE",
    "SENDX"};

const std::vector<std::string> lines{
    "destination:/queue/a",
    "destination:/topic/\xC3\xBC\xF0\x9F\x98\x80",
    "a:b",
    "a: b ",
    "a:b:c",
    "a:\\n\\c\\\\",
    "a:\\r",
    "na\\cme:v",
    "a:b\rc",
    "empty:",
    "receipt:r1",
    "accept-version:1.2",
    "content-length:3",
    "content-length:0",
    "a:0123456789012345678901234567890123456789",
    "nocolon",
    ":",
    "a:\\x",
    "a:\xC3",
};

const std::vector<std::string> bodies{
    "", "abc", "a\0b"s, "\xFF\xFE\xFD", std::string(50, 'x'), "\n\r\n"};

const std::vector<std::string> gaps{"", "", "\n", "\r\n", "\n\n", "\0"s, "\r", "x"};

std::string make_frame(Random& random) {
    const std::string end = random.one_in(4) ? "\r\n" : "\n";
    // The broken ones at the lists' ends come rarely, so that many frames follow each other.
    const std::size_t good = random.one_in(6) ? lines.size() : lines.size() - 4;
    std::string text = random.of(commands) + end;
    for (std::size_t i = random.below(6); i > 0; --i) {
        text += lines[random.below(good)] + end;
    }
    return text + end + random.of(bodies) + '\0';
}

std::string make_input(Random& random) {
    std::string text;
    for (std::size_t i = 1 + random.below(5); i > 0; --i) {
        const std::string frame = make_frame(random);
        text += frame;
        if (random.one_in(3)) { text += frame; }
        text += gaps[random.below(random.one_in(8) ? gaps.size() : gaps.size() - 2)];
    }
    if (random.one_in(4)) {
        text[random.below(text.size())] = static_cast<char>(random.below(256));
    }
    if (random.one_in(8)) { text.resize(random.below(text.size())); }
    return text;
}

Conditions make_conditions(Random& random) {
    Conditions conditions = in_version(random.of(states));
    conditions.limits.strict = random.one_in(6);
    conditions.limits.lenient_escapes = random.one_in(4);
    if (random.one_in(3)) {
        conditions.limits.header_line_max = 10 + random.below(40);
        conditions.limits.header_line_before_connected_max = 10 + random.below(40);
        conditions.limits.header_count_max = 1 + random.below(5);
        conditions.limits.header_bytes_max = 10 + random.below(120);
        conditions.limits.frame_bytes_max = 20 + random.below(150);
        conditions.limits.before_connected_max = 20 + random.below(200);
    }
    return conditions;
}

std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == '\n' ? "\\n\n" : c == '\0' ? "\\0" : std::string(1, c);
    }
    return out;
}

/// A line that is both too long and wrong may be refused for either.
bool is_about_size(const Outcome& outcome) {
    return outcome.error == ErrorCode::header_too_large ||
           outcome.error == ErrorCode::frame_too_large;
}

void expect_same(const Outcome& whole, const Outcome& cut, std::string_view input) {
    ASSERT_EQ(whole.frames, cut.frames) << shown(input);
    ASSERT_EQ(whole.error.has_value(), cut.error.has_value()) << shown(input);
    if (whole.error && !is_about_size(whole) && !is_about_size(cut)) {
        ASSERT_EQ(token(*whole.error), token(*cut.error)) << shown(input);
        ASSERT_EQ(whole.failed_receipt, cut.failed_receipt) << shown(input);
    }
    if (whole.error) { return; }
    ASSERT_EQ(whole.is_mid_frame, cut.is_mid_frame) << shown(input);
    ASSERT_EQ(whole.tolerances.raw_colon, cut.tolerances.raw_colon) << shown(input);
    ASSERT_EQ(whole.tolerances.body_dropped, cut.tolerances.body_dropped) << shown(input);
    ASSERT_EQ(whole.tolerances.escape_kept, cut.tolerances.escape_kept) << shown(input);
    ASSERT_EQ(whole.tolerances.carriage_return, cut.tolerances.carriage_return) << shown(input);
    ASSERT_EQ(whole.tolerances.nul_between, cut.tolerances.nul_between) << shown(input);
}

}  // namespace

TEST(ParserProperty, P_FRAME_01_EveryCutPositionGivesTheSameFrames) {
    const std::string text = "\r\nSEND\r\na\\cb:\\n\xC3\xBC\ncontent-length:4\n\na\0\xF0\x9F\0"s +
                             "\nSEND\na:\\\\\n\nbody\0"s + frame_text({"SUBSCRIBE", "id:1"});
    const auto reference = parse(text);
    ASSERT_EQ(reference.frames.size(), 3U) << reference.what;
    for (std::size_t at = 1; at < text.size(); ++at) {
        expect_same(reference, parse(text, {}, cut_at(at)), text);
    }
}

TEST(ParserProperty, P_FRAME_01_RandomCutsOfRandomInputGiveTheSameFrames) {
    Random random(20'260'101);
    for (int round = 0; round < 6'000; ++round) {
        const std::string text = make_input(random);
        const Conditions conditions = make_conditions(random);
        const auto reference = parse(text, conditions);
        expect_same(reference, parse(text, conditions, pieces_of(1)), text);
        expect_same(reference, parse(text, conditions, random_pieces(random.engine(), 2)), text);
        expect_same(reference, parse(text, conditions, random_pieces(random.engine(), 40)), text);
        if (HasFatalFailure()) { return; }
    }
}

TEST(ParserProperty, P_FRAME_15_HeldOctetsAreBoundedByTheInputSoFar) {
    Random random(7);
    for (int round = 0; round < 500; ++round) {
        const std::string text = make_input(random);
        const auto outcome = parse(text, make_conditions(random), pieces_of(3));
        ASSERT_LE(outcome.held_bytes_max, 2 * text.size() + 64) << shown(text);
    }
}

TEST(ParserProperty, ManyParsersShareOneScratch) {
    const Limits limits;
    ParserScratch scratch;
    Parser first(limits, scratch);
    Parser second(limits, scratch);
    first.connected(Version::v1_2);
    second.connected(Version::v1_2);
    const std::string text = frame_text({"SEND", "destination:/queue/first", "a:\\n"}, "one");
    const std::string other = frame_text({"SEND", "b:2", "c:3", "d:4"}, "two");
    for (std::size_t at = 1; at < text.size(); ++at) {
        Outcome mine;
        Outcome theirs;
        std::vector<char> head(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at));
        std::vector<char> tail(text.begin() + static_cast<std::ptrdiff_t>(at), text.end());
        std::vector<char> whole(other.begin(), other.end());
        first.feed(head);
        ASSERT_TRUE(drain(first, mine));
        second.feed(whole);
        ASSERT_TRUE(drain(second, theirs));
        first.feed(tail);
        ASSERT_TRUE(drain(first, mine));
        ASSERT_EQ(mine.frames, parse(text).frames);
        ASSERT_EQ(theirs.frames, parse(other).frames);
    }
}

}  // namespace protocol::test
