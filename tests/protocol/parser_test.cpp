// The parser's grammar: P-FRAME-02 to -15, and what belongs to it of P-TCP, P-WS and P-ERR.
// Limits and the freedom of cuts have files of their own.
#include "tests/protocol/parsing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace protocol::test {

namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

constexpr std::array versions{Version::v1_0, Version::v1_1, Version::v1_2};

const std::string minimal = "SEND\ndestination:/queue/a\n\n\0"s;

OwnedFrame only_frame(const Outcome& outcome) {
    EXPECT_EQ(outcome.error, std::nullopt) << outcome.what;
    EXPECT_EQ(outcome.frames.size(), 1U);
    return outcome.frames.empty() ? OwnedFrame{} : outcome.frames.front();
}

/// The value of header `a` in a SEND whose line is `a:` + `raw`.
std::optional<std::string> value_of(std::string_view raw, const Conditions& conditions) {
    const auto outcome = parse(frame_text({"SEND", "a:" + std::string(raw)}), conditions);
    return outcome.frames.empty() ? std::nullopt : outcome.frames.front().find("a");
}

void expect_refused(const Outcome& outcome, ErrorCode code) {
    ASSERT_TRUE(outcome.error.has_value());
    EXPECT_EQ(token(*outcome.error), token(code)) << outcome.what;
    EXPECT_FALSE(outcome.what.empty());
    EXPECT_FALSE(outcome.remedy.empty());
    EXPECT_FALSE(outcome.rule.empty());
}

void expect_refused(const Outcome& outcome) {
    expect_refused(outcome, ErrorCode::bad_frame);
}

}  // namespace

TEST(Parser, ReadsCommandHeadersAndBody) {
    const auto frame = only_frame(parse(frame_text({"SEND", "destination:/queue/a", "x:y"}, "hi")));
    EXPECT_EQ(frame.command, Command::send);
    EXPECT_EQ(frame.headers, (OwnedHeaders{{"destination", "/queue/a"}, {"x", "y"}}));
    EXPECT_EQ(frame.body, "hi");
}

TEST(Parser, P_FRAME_01_OneInputMayHoldManyFrames) {
    const auto outcome = parse(minimal + minimal + "\n" + minimal);
    EXPECT_EQ(outcome.frames.size(), 3U);
    EXPECT_FALSE(outcome.is_mid_frame);
}

TEST(Parser, P_FRAME_02_SkipsLineEndsAndNulsBetweenFrames) {
    for (const Version version : versions) {
        const auto outcome =
            parse("\n\r\n\0\n"s + minimal + "\r\n\n" + minimal, in_version(version));
        EXPECT_EQ(outcome.error, std::nullopt);
        EXPECT_EQ(outcome.frames.size(), 2U);
        EXPECT_GT(outcome.line_ends, 0U);
        EXPECT_EQ(outcome.tolerances.nul_between, 1U);
    }
}

TEST(Parser, P_FRAME_02_LineEndsAloneAreLifeAndNoFrame) {
    const auto outcome = parse("\n");
    EXPECT_EQ(outcome.line_ends, 1U);
    EXPECT_TRUE(outcome.frames.empty());
    EXPECT_FALSE(outcome.is_mid_frame);
}

TEST(Parser, P_FRAME_02_CarriageReturnWithoutLineFeedRefuses) {
    expect_refused(parse("\r" + minimal));
    expect_refused(parse("\r\r\n" + minimal));
    expect_refused(parse("\r" + minimal, {}, pieces_of(1)));
}

TEST(Parser, P_FRAME_02_StrictRefusesNulBetweenFrames) {
    expect_refused(parse(minimal + "\0"s + minimal, strict()));
    EXPECT_EQ(parse(minimal + "\n\r\n" + minimal, strict()).frames.size(), 2U);
}

TEST(Parser, P_FRAME_03_KnowsEveryClientCommand) {
    for (int i = 0; i <= static_cast<int>(Command::disconnect); ++i) {
        const auto command = static_cast<Command>(i);
        const auto frame = only_frame(parse(frame_text({std::string(to_string(command))})));
        EXPECT_EQ(frame.command, command);
    }
}

TEST(Parser, P_FRAME_03_MatchesTheWholeLineExactly) {
    for (const char* line :
         {"send",
          "Send",
          " SEND",
          "SEND ",
          "SENDX",
          "SEN",
          "CONNECTE",
          "CONNECTEDX",
          "STOMPS",
          "ACKS"}) {
        expect_refused(parse(frame_text({line, "destination:/queue/a"})));
    }
}

TEST(Parser, P_FRAME_03_RefusesTheFirstOctetThatFitsNoCommand) {
    expect_refused(parse("X"));
    expect_refused(parse("SENX"));
    expect_refused(parse("SUBSCRIBER"));
    expect_refused(parse("SEN\r"));
    EXPECT_EQ(parse("SUBSCRIB").error, std::nullopt);
    EXPECT_EQ(parse("UNSUBSCRIBE\r").error, std::nullopt);
}

TEST(Parser, P_FRAME_03_RefusalComesAtTheSameOctetHoweverTheInputIsCut) {
    EXPECT_EQ(
        parse("SUBSCRIBX and more", {}, pieces_of(1)).consumed, std::string("SUBSCRIBX").size()
    );
}

TEST(Parser, P_FRAME_03_RefusesServerCommandsFromAClient) {
    for (const char* line : {"CONNECTED", "MESSAGE", "RECEIPT", "ERROR"}) {
        expect_refused(parse(frame_text({line})));
    }
}

TEST(Parser, P_FRAME_03_AClientsParserReadsServerCommandsOnly) {
    Conditions conditions;
    conditions.role = Parser::Role::client;
    EXPECT_EQ(parse(frame_text({"MESSAGE", "a:b"}, "body"), conditions).frames.at(0).body, "body");
    EXPECT_EQ(parse(frame_text({"ERROR"}, "why"), conditions).frames.at(0).body, "why");
    expect_refused(parse(minimal, conditions));
}

TEST(Parser, P_TCP_04_RemedyNamesTheMixUp) {
    EXPECT_THAT(parse("GET / HTTP/1.1\r\n").remedy, HasSubstr("HTTP"));
    EXPECT_THAT(parse("\x16\x03\x01").remedy, HasSubstr("TLS"));
    EXPECT_EQ(parse("GET / HTTP/1.1\r\n", {}, pieces_of(1)).consumed, 1U);
}

TEST(Parser, P_FRAME_04_OneCarriageReturnEndsALineWithLineFeed) {
    for (const Version version : versions) {
        const auto text = frame_text({"SEND", "a:b"}, "x", "\r\n");
        const auto frame = only_frame(parse(text, in_version(version)));
        EXPECT_EQ(frame.headers, (OwnedHeaders{{"a", "b"}}));
        EXPECT_EQ(frame.body, "x");
    }
}

TEST(Parser, P_FRAME_04_CarriageReturnAtALineEndIsAToleranceBefore12) {
    const auto text = frame_text({"SEND", "a:b"}, "x", "\r\n");
    EXPECT_GT(parse(text, in_version(Version::v1_0)).tolerances.carriage_return, 0U);
    EXPECT_GT(parse(text, in_version(Version::v1_1)).tolerances.carriage_return, 0U);
    EXPECT_EQ(parse(text).tolerances.carriage_return, 0U);
}

TEST(Parser, P_FRAME_04_StrictRefusesCarriageReturnBefore12) {
    for (const Version version : {Version::v1_0, Version::v1_1}) {
        expect_refused(parse(frame_text({"SEND", "a:b"}, "x", "\r\n"), strict(version)));
        expect_refused(parse("SEND\na:b\r\n\n\0"s, strict(version)));
        expect_refused(parse("SEND\na:b\n\r\n\0"s, strict(version)));
    }
    EXPECT_EQ(parse(frame_text({"SEND", "a:b"}, "x", "\r\n"), strict()).frames.size(), 1U);
}

TEST(Parser, P_FRAME_04_AnyOtherCarriageReturnRefusesIn12AndConnect) {
    for (const char* line : {"a:b\rc", "a:\rb", "a\r:b", "a:b\r"}) {
        const std::vector<std::string> lines{
            "SEND", std::string(line) + (line[3] == '\r' ? "\r" : "")};
        expect_refused(parse(frame_text(lines)));
    }
    expect_refused(parse(frame_text({"CONNECT", "login:a\rb"}), in_version(std::nullopt)));
    expect_refused(parse(frame_text({"STOMP", "login:a\rb"}), in_version(std::nullopt)));
    expect_refused(parse("SEND\r\r\n\r\n\0"s));
}

TEST(Parser, P_FRAME_04_Before12OtherCarriageReturnsBelongToTheValue) {
    for (const Version version : {Version::v1_0, Version::v1_1}) {
        EXPECT_EQ(value_of("b\rc", in_version(version)), "b\rc");
        EXPECT_EQ(value_of("b\r\r", in_version(version)), "b\r");
    }
}

TEST(Parser, P_FRAME_05_SplitsAtTheFirstColon) {
    for (const Version version : versions) {
        const auto outcome = parse(frame_text({"SEND", "a:b:c:"}), in_version(version));
        EXPECT_EQ(only_frame(outcome).headers, (OwnedHeaders{{"a", "b:c:"}}));
        EXPECT_EQ(outcome.tolerances.raw_colon, version == Version::v1_0 ? 0U : 1U);
    }
}

TEST(Parser, P_FRAME_05_CountsRawColonsBesideEscapesToo) {
    const auto outcome = parse(frame_text({"SEND", "a:b:c", "d:\\n"}));
    EXPECT_EQ(outcome.tolerances.raw_colon, 1U);
    EXPECT_EQ(parse(frame_text({"SEND", "a:b\\cc"})).tolerances.raw_colon, 0U);
}

TEST(Parser, P_FRAME_05_StrictRefusesRawColonsIn11And12) {
    expect_refused(parse(frame_text({"SEND", "a:b:c"}), strict(Version::v1_1)));
    expect_refused(parse(frame_text({"SEND", "a:b:c"}), strict(Version::v1_2)));
    expect_refused(parse(frame_text({"SEND", "a:b:c", "d:\\n"}), strict(Version::v1_2)));
    EXPECT_EQ(parse(frame_text({"SEND", "a:b:c"}), strict(Version::v1_0)).frames.size(), 1U);
    EXPECT_EQ(parse(frame_text({"SEND", "a:b\\cc"}), strict(Version::v1_2)).frames.size(), 1U);
}

TEST(Parser, P_FRAME_05_RefusesLinesWithoutColonOrName) {
    for (const char* line : {"nocolon", ":value", ":", "x", " "}) {
        for (const Version version : versions) {
            expect_refused(parse(frame_text({"SEND", line}), in_version(version)));
        }
    }
}

TEST(Parser, P_FRAME_05_AnEmptyValueIsLegal) {
    for (const Version version : versions) {
        EXPECT_EQ(value_of("", in_version(version)), "");
    }
}

TEST(Parser, P_FRAME_06_ValuesAreNotTrimmedIn11And12) {
    for (const Version version : {Version::v1_1, Version::v1_2}) {
        EXPECT_EQ(value_of("  b ", in_version(version)), "  b ");
        EXPECT_EQ(value_of("   ", in_version(version)), "   ");
    }
}

TEST(Parser, P_FRAME_06_LeadingSpacesGoIn10) {
    const Conditions conditions = in_version(Version::v1_0);
    EXPECT_EQ(value_of("  b ", conditions), "b ");
    EXPECT_EQ(value_of("   ", conditions), "");
    EXPECT_EQ(value_of("\tb", conditions), "\tb");
    EXPECT_EQ(parse(frame_text({"SEND", " a: b"}), conditions).frames.at(0).headers[0].first, " a");
}

TEST(Parser, P_FRAME_06_LeadingSpacesGoInAConnectWithoutAcceptVersion) {
    const Conditions conditions = in_version(std::nullopt);
    const auto old = only_frame(parse(frame_text({"CONNECT", "login:  a "}), conditions));
    EXPECT_EQ(old.find("login"), "a ");
    const auto recent =
        only_frame(parse(frame_text({"CONNECT", "login:  a ", "accept-version:1.2"}), conditions));
    EXPECT_EQ(recent.find("login"), "  a ");
}

TEST(Parser, P_FRAME_07_UndoesTheEscapesOfTheVersion) {
    EXPECT_EQ(value_of("\\n\\c\\\\", in_version(Version::v1_0)), "\\n\\c\\\\");
    EXPECT_EQ(value_of("\\n\\c\\\\", in_version(Version::v1_1)), "\n:\\");
    EXPECT_EQ(value_of("\\n\\c\\\\\\r", in_version(Version::v1_2)), "\n:\\\r");
}

TEST(Parser, P_FRAME_07_UndoesEscapesInNames) {
    const auto frame = only_frame(parse(frame_text({"SEND", "a\\cb\\n:\\\\n"})));
    EXPECT_EQ(frame.headers, (OwnedHeaders{{"a:b\n", "\\n"}}));
}

TEST(Parser, P_FRAME_07_ConnectIsNeverUnescaped) {
    for (const char* command : {"CONNECT", "STOMP"}) {
        for (const char* passcode : {"a\\b", "a:b", "a\\cb", "a\\"}) {
            const std::string line = "passcode:" + std::string(passcode);
            const auto text = frame_text({command, "accept-version:1.2", line});
            EXPECT_EQ(only_frame(parse(text, in_version(std::nullopt))).find("passcode"), passcode);
        }
    }
}

TEST(Parser, P_FRAME_08_UndefinedEscapesRefuse) {
    for (const char* value : {"\\x", "\\t", "\\", "a\\", "\\N", "\\:"}) {
        expect_refused(parse(frame_text({"SEND", "a:" + std::string(value)})));
        expect_refused(
            parse(frame_text({"SEND", "a:" + std::string(value)}), in_version(Version::v1_1))
        );
    }
    expect_refused(parse(frame_text({"SEND", "a\\x:b"})));
    expect_refused(parse(frame_text({"SEND", "a:\\r"}), in_version(Version::v1_1)));
    EXPECT_EQ(parse(frame_text({"SEND", "a:\\r"})).frames.size(), 1U);
}

TEST(Parser, S_LOG_01_WhatMayBeASecretIsNotRepeated) {
    for (const std::vector<std::string>& lines :
         {std::vector<std::string>{"CONNECT", "passcode:a", "SECRET"},
          {"CONNECT", "login:a", ":SECRET"},
          {"SEND", "destination:/queue/a", "SECRET of a body"},
          {"SEND", "passcode:SECRET\\q"}}) {
        const Outcome outcome = parse(frame_text(lines));
        expect_refused(outcome);
        EXPECT_EQ((outcome.what + outcome.remedy).find("SECRET"), std::string::npos)
            << outcome.what;
    }
    EXPECT_EQ(
        parse(frame_text({"CONNECT", "login:a", "passcode"})).what,
        "A header line has no colon: line 3 of the frame."
    );
}

TEST(Parser, P_FRAME_08_LenientKeepsBothOctetsAndCounts) {
    EXPECT_EQ(value_of("\\x\\n\\", lenient()), "\\x\n\\");
    EXPECT_EQ(value_of("\\r", lenient(Version::v1_1)), "\\r");
    EXPECT_GT(parse(frame_text({"SEND", "a:\\x"}), lenient()).tolerances.escape_kept, 0U);
    EXPECT_EQ(parse(frame_text({"SEND", "a:\\n"}), lenient()).tolerances.escape_kept, 0U);
}

TEST(Parser, P_FRAME_08_StrictOverridesLenient) {
    Conditions conditions = lenient();
    conditions.limits.strict = true;
    expect_refused(parse(frame_text({"SEND", "a:\\x"}), conditions));
}

TEST(Parser, P_FRAME_09_TheFirstEntryOfANameCounts) {
    const std::vector<std::string> lines{
        "SEND", "destination:/queue/a", "a:1", "destination:/queue/b", "a:2", "b:3", "a:4"};
    const auto frame = only_frame(parse(frame_text(lines)));
    EXPECT_EQ(frame.headers, (OwnedHeaders{{"destination", "/queue/a"}, {"a", "1"}, {"b", "3"}}));
}

TEST(Parser, P_FRAME_09_TheFirstContentLengthCounts) {
    const auto text = frame_text({"SEND", "content-length:3", "content-length:99"}, "a\0b"s);
    EXPECT_EQ(only_frame(parse(text)).body, "a\0b"s);
    expect_refused(parse(frame_text({"SEND", "content-length:x", "content-length:1"}, "a")));
}

TEST(Parser, P_FRAME_09_EscapedSpellingsAreTheSameName) {
    const auto frame = only_frame(parse(frame_text({"SEND", "a\\\\b:1", "c:d", "a\\\\b:2"})));
    EXPECT_EQ(frame.headers, (OwnedHeaders{{"a\\b", "1"}, {"c", "d"}}));
    const auto mixed = only_frame(parse(frame_text({"SEND", "a\\x:1", "a\\\\x:2"}), lenient()));
    EXPECT_EQ(mixed.headers, (OwnedHeaders{{"a\\x", "1"}}));
}

TEST(Parser, P_FRAME_10_NulInTheHeadersRefuses) {
    expect_refused(parse("SEND\na:b\0c\n\n\0"s));
    expect_refused(parse("SEND\na:b\0"s));
    expect_refused(parse("SEND\0"s));
    expect_refused(parse("SEND\na\0b:c\n\n\0"s));
}

TEST(Parser, P_FRAME_10_SaysThatTheBlankLineIsMissing) {
    EXPECT_THAT(parse("SEND\na:b\n\0"s).what, HasSubstr("blank line"));
    EXPECT_THAT(parse("SEND\na:b\n\0"s, {}, pieces_of(1)).what, HasSubstr("blank line"));
}

TEST(Parser, P_FRAME_11_ContentLengthIsOneToTenDigits) {
    for (const char* value :
         {"", " ", "+1", "-1", "1 ", "1,1", "0x1", "1.0", "a", "00000000001", "99999999999"}) {
        for (const Version version : {Version::v1_1, Version::v1_2}) {
            const auto text = frame_text({"SEND", "content-length:" + std::string(value)}, "a");
            expect_refused(parse(text, in_version(version)));
        }
    }
    EXPECT_EQ(only_frame(parse(frame_text({"SEND", "content-length:0000000001"}, "a"))).body, "a");
}

TEST(Parser, P_FRAME_11_LeadingBlanksGoIn10Only) {
    const auto text = frame_text({"SEND", "content-length: 1"}, "a");
    EXPECT_EQ(only_frame(parse(text, in_version(Version::v1_0))).body, "a");
    expect_refused(parse(text, in_version(Version::v1_1)));
}

TEST(Parser, P_FRAME_11_ZeroIsLegal) {
    EXPECT_EQ(only_frame(parse(frame_text({"SEND", "content-length:0"}))).body, "");
}

TEST(Parser, P_FRAME_12_ContentLengthCountsNuls) {
    const std::string body = "\0a\0\0"s;
    EXPECT_EQ(only_frame(parse(frame_text({"SEND", "content-length:4"}, body))).body, body);
}

TEST(Parser, P_FRAME_12_ANulMustFollow) {
    const auto outcome = parse(frame_text({"SEND", "content-length:1"}, "ab"));
    expect_refused(outcome);
    EXPECT_THAT(outcome.what + outcome.remedy, HasSubstr("octets"));
    EXPECT_THAT(outcome.remedy, HasSubstr("maxWebSocketFrameSize"));
    expect_refused(parse("SEND\ncontent-length:0\n\na"));
}

TEST(Parser, P_FRAME_12_WithoutContentLengthTheFirstNulEndsTheBody) {
    const auto outcome = parse(frame_text({"SEND", "a:b"}, "one") + minimal);
    EXPECT_EQ(outcome.frames.at(0).body, "one");
    EXPECT_EQ(outcome.frames.size(), 2U);
}

TEST(Parser, P_FRAME_12_ContentLengthIsObeyedOnEveryCommand) {
    const auto outcome = parse(frame_text({"SUBSCRIBE", "content-length:3"}, "a\0b"s) + minimal);
    EXPECT_EQ(outcome.error, std::nullopt);
    EXPECT_EQ(outcome.frames.size(), 2U);
}

TEST(Parser, P_FRAME_13_ABodyOnOtherCommandsIsDropped) {
    const auto outcome = parse(frame_text({"SUBSCRIBE", "id:1"}, "body"));
    EXPECT_EQ(only_frame(outcome).body, "");
    EXPECT_EQ(outcome.tolerances.body_dropped, 1U);
    expect_refused(parse(frame_text({"SUBSCRIBE", "id:1"}, "body"), strict()));
    EXPECT_EQ(parse(frame_text({"SEND"}, "body"), strict()).frames.size(), 1U);
}

TEST(Parser, P_FRAME_14_HeadersAreUtf8) {
    expect_refused(parse(frame_text({"SEND", "a:\xFF"})), ErrorCode::bad_utf8);
    expect_refused(parse(frame_text({"SEND", "a\xC3:b"})), ErrorCode::bad_utf8);
    expect_refused(parse(frame_text({"SEND", "a:\xED\xA0\x80"})), ErrorCode::bad_utf8);
    EXPECT_EQ(
        value_of("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80", {}), "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"
    );
}

TEST(Parser, P_FRAME_14_EscapesDoNotJoinHalvesOfACharacter) {
    expect_refused(parse(frame_text({"SEND", "a:\xC3\\n\xBC"})), ErrorCode::bad_utf8);
    expect_refused(parse(frame_text({"SEND", "a\xC3:\xBC"})), ErrorCode::bad_utf8);
}

TEST(Parser, P_FRAME_14_BodiesAreOctets) {
    EXPECT_EQ(only_frame(parse(frame_text({"SEND"}, "\xFF\xC3\x80"))).body, "\xFF\xC3\x80");
}

TEST(Parser, P_FRAME_15_MemoryGrowsWithOctetsReceivedNotWithADeclaredLength) {
    const std::string head = "SEND\ncontent-length:1000000\n\n";
    EXPECT_LT(parse(head + "abc", {}, pieces_of(1)).held_bytes_max, 4 * head.size());
}

TEST(Parser, P_FRAME_15_NothingIsHeldBetweenFrames) {
    Limits limits;
    ParserScratch scratch;
    Parser parser(limits, scratch);
    parser.connected(Version::v1_2);
    Outcome outcome;
    std::string first = "SEND\ndestination:/queue/some-name\n";
    parser.feed(first);
    ASSERT_TRUE(drain(parser, outcome));
    EXPECT_TRUE(parser.is_mid_frame());
    EXPECT_GT(parser.held_bytes(), 0U);
    std::string second = "\nbody\0"s;
    parser.feed(second);
    ASSERT_TRUE(drain(parser, outcome));
    EXPECT_EQ(outcome.frames.at(0).body, "body");
    EXPECT_EQ(parser.held_bytes(), 0U);
    EXPECT_FALSE(parser.is_mid_frame());
}

TEST(Parser, RepeatedHeadsAreMarkedAndEqual) {
    const auto outcome = parse(
        frame_text({"SEND", "destination:/queue/a"}, "1") +
        frame_text({"SEND", "destination:/queue/a"}, "2") +
        frame_text({"SEND", "destination:/queue/b"}, "3") +
        frame_text({"SEND", "destination:/queue/a"}, "4")
    );
    ASSERT_EQ(outcome.frames.size(), 4U);
    EXPECT_EQ(outcome.repeated, (std::vector<bool>{false, true, false, false}));
    EXPECT_EQ(outcome.frames[1].headers, outcome.frames[0].headers);
    EXPECT_EQ(outcome.frames[1].body, "2");
    EXPECT_EQ(outcome.frames[2].find("destination"), "/queue/b");
}

TEST(Parser, RepeatedHeadsAreThoseOfTheSendJustBefore) {
    const std::string send_a = frame_text({"SEND", "destination:/queue/a"}, "1");
    const std::string escaped = frame_text({"SEND", "destination:/queue/b", "x:\\n"}, "2");
    const std::string huge =
        frame_text({"SEND", "destination:/queue/c", "x:" + std::string(2000, 'x')}, "3");
    for (const std::string& between : {escaped, huge}) {
        const auto outcome = parse(send_a + between + send_a + "\n" + send_a);
        EXPECT_EQ(outcome.repeated, (std::vector<bool>{false, false, false, true}));
    }
}

TEST(Parser, RepeatedHeadsKeepContentLength) {
    const std::string text = frame_text({"SEND", "content-length:3"}, "a\0b"s);
    const auto outcome = parse(text + text + frame_text({"SEND", "content-length:3"}, "abc"));
    ASSERT_EQ(outcome.frames.size(), 3U);
    EXPECT_EQ(outcome.frames[1].body, "a\0b"s);
    EXPECT_TRUE(outcome.repeated[2]);
    expect_refused(parse(text + frame_text({"SEND", "content-length:3"}, "abcd")));
}

TEST(Parser, RepeatedHeadsCountTheirTolerancesEachTime) {
    const std::string text = frame_text({"SEND", "a:b:c"}, "x");
    EXPECT_EQ(parse(text + text + text).tolerances.raw_colon, 3U);
}

TEST(Parser, P_ERR_03_TellsTheReceiptOfTheFrameThatFailed) {
    EXPECT_EQ(parse(frame_text({"SEND", "receipt:r1", "content-length:x"})).failed_receipt, "r1");
    EXPECT_EQ(parse(frame_text({"SEND", "receipt:r1", "broken"})).failed_receipt, "r1");
    const auto cut = frame_text({"SEND", "receipt:r1", "content-length:1"}, "ab");
    EXPECT_EQ(parse(cut).failed_receipt, "r1");
    EXPECT_EQ(parse(cut, {}, pieces_of(1)).failed_receipt, "r1");
    EXPECT_EQ(parse(cut, in_version(std::nullopt), pieces_of(1)).failed_receipt, "r1");
    EXPECT_EQ(parse(minimal + "SENX").failed_receipt, "");
    EXPECT_EQ(parse(frame_text({"SEND", "receipt:r1"}) + "\rX").failed_receipt, "");
}

TEST(Parser, FailureIsFinal) {
    Limits limits;
    ParserScratch scratch;
    Parser parser(limits, scratch);
    std::string input = "X";
    parser.feed(input);
    EXPECT_EQ(parser.next(), Parser::Event::failed);
    std::string good = minimal;
    parser.feed(good);
    EXPECT_EQ(parser.next(), Parser::Event::failed);
}

class MissingNul : public testing::Test {
protected:
    Parser::Event feed(std::string_view text) {
        blocks_.emplace_back(text.begin(), text.end());
        parser_.feed(blocks_.back());
        return parser_.next();
    }

    Limits limits_;
    ParserScratch scratch_;
    Parser parser_{limits_, scratch_};
    std::vector<std::vector<char>> blocks_;
};

TEST_F(MissingNul, P_WS_10_SeesAConnectWhoseNulHasNotCome) {
    EXPECT_EQ(feed("CONNECT\naccept-version:1.2\n"), Parser::Event::need_more);
    EXPECT_FALSE(parser_.is_connect_without_nul());
    EXPECT_EQ(feed("\n"), Parser::Event::need_more);
    EXPECT_TRUE(parser_.is_connect_without_nul());
}

TEST_F(MissingNul, P_WS_10_TheNulCanBeSupplied) {
    EXPECT_EQ(feed("CONNECT\naccept-version:1.2\nlogin:a\n\n"), Parser::Event::need_more);
    ASSERT_TRUE(parser_.is_connect_without_nul());
    parser_.supply_missing_nul();
    ASSERT_EQ(parser_.next(), Parser::Event::frame);
    EXPECT_EQ(parser_.frame().command, Command::connect);
    EXPECT_EQ(parser_.frame().find("login"), "a");
    parser_.connected(Version::v1_2);
    EXPECT_EQ(parser_.next(), Parser::Event::need_more);
    EXPECT_FALSE(parser_.is_mid_frame());
    EXPECT_EQ(feed(minimal), Parser::Event::frame);
    EXPECT_EQ(parser_.frame().command, Command::send);
}

TEST_F(MissingNul, P_WS_10_ConcernsConnectOnly) {
    parser_.connected(Version::v1_2);
    EXPECT_EQ(feed("SEND\n\n"), Parser::Event::need_more);
    EXPECT_FALSE(parser_.is_connect_without_nul());
}

}  // namespace protocol::test
