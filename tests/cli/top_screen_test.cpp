// What top shows for given answers, and what keys do.
// Pure.
#include "broker/cli/top_screen.hpp"

#include "broker/cli/admin_token_file.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Kind = KeyPress::Kind;

TopData data_with(std::size_t rows) {
    TopData data;
    data.overview = boost::json::parse(R"({"version":"1.0","node":"n1","state":"serving",
        "uptime_seconds":90,"durability":"sync","connections":12345,"subscriptions":3,
        "queue_messages":7,"queue_unacked":1,"rates":{"published":1500.5,"delivered":2},
        "memory":{"used_bytes":1048576,"limit_bytes":2097152},"alarms":[]})")
                        .as_object();
    boost::json::array items;
    for (std::size_t n = 0; n < rows; ++n) {
        items.push_back(boost::json::object{
            {"name", "/queue/" + std::to_string(n)}, {"type", "queue"}, {"depth", n}});
    }
    data.list["items"] = std::move(items);
    return data;
}

std::vector<std::string> texts(const std::vector<ScreenLine>& lines) {
    std::vector<std::string> all;
    for (const ScreenLine& line : lines) {
        all.push_back(line.text);
    }
    return all;
}

TEST(TopScreen, O_8_FitsEverySize) {
    const TopData data = data_with(100);
    for (const std::size_t width : {1U, 20U, 80U, 300U}) {
        for (const std::size_t height : {1U, 5U, 7U, 24U, 60U}) {
            const auto lines = screen(TopState(), data, width, height);
            EXPECT_EQ(lines.size(), height);
            for (const ScreenLine& line : lines) {
                EXPECT_LE(line.text.size(), width);
            }
        }
    }
}

TEST(TopScreen, O_8_ShowsRatesNumbersAndRowsAt80x24) {
    const auto lines = texts(screen(TopState(), data_with(100), 80, 24));
    EXPECT_THAT(lines[0], HasSubstr("stampede 1.0 on n1  serving  up 1m 30s"));
    EXPECT_THAT(lines[1], HasSubstr("in 1500/s  out 2/s"));
    EXPECT_THAT(lines[2], HasSubstr("12.3k connections"));
    EXPECT_THAT(lines[3], HasSubstr("no alarms"));
    EXPECT_THAT(lines[5], HasSubstr("NAME"));
    EXPECT_THAT(lines[6], HasSubstr("/queue/0"));
    EXPECT_THAT(lines[22], HasSubstr("/queue/16"));
    EXPECT_THAT(lines[23], HasSubstr("q quit"));
}

TEST(TopScreen, O_8_AlarmsAndFaultsStandOut) {
    TopData data = data_with(0);
    data.overview["alarms"] = boost::json::parse(R"([{"text":"disk is low\u001b[2J"}])");
    auto lines = screen(TopState(), data, 80, 24);
    EXPECT_EQ(lines[3].style, LineStyle::alarm);
    EXPECT_THAT(lines[3].text, HasSubstr("ALARM disk is low\\x1b[2J"));
    data.problem = "no answer";
    EXPECT_THAT(screen(TopState(), data, 80, 24)[3].text, HasSubstr("no answer"));
}

TEST(TopScreen, O_8_AnAnswerOfAnotherShapeIsShownAsFarAsItGoes) {
    TopData data;
    data.overview = boost::json::parse(R"({"rates":3,"alarms":{},"version":[]})").as_object();
    data.list = boost::json::parse(R"({"items":[1,null,{"name":7,"depth":"x"}]})").as_object();
    EXPECT_EQ(screen(TopState(), data, 80, 24).size(), 24U);
}

TEST(TopState, O_8_KeysSwitchViewSortAndOrder) {
    TopState state;
    EXPECT_STREQ(state.view().path, "/destinations");
    EXPECT_TRUE(state.press({Kind::character, '2'}, 10));
    EXPECT_STREQ(state.view().path, "/connections");
    const std::string before = state.query()[1].second;
    EXPECT_TRUE(state.press({Kind::character, 's'}, 10));
    EXPECT_NE(state.query()[1].second, before);
    EXPECT_TRUE(state.press({Kind::character, 'S'}, 10));
    EXPECT_EQ(state.query()[1].second, before);
    EXPECT_TRUE(state.press({Kind::character, 'r'}, 10));
    EXPECT_EQ(state.query()[2].second, "asc");
    EXPECT_TRUE(state.press({Kind::tab}, 10));
    EXPECT_STREQ(state.view().path, "/subscriptions");
}

TEST(TopState, O_8_EverySortOfEveryViewIsReached) {
    TopState state;
    for (int view = 0; view < 3; ++view) {
        std::vector<std::string> seen;
        for (std::size_t n = 0; n < state.view().sorts.size(); ++n) {
            EXPECT_TRUE(state.press({Kind::character, 's'}, 10));
            seen.push_back(state.query()[1].second);
        }
        EXPECT_THAT(
            seen,
            testing::UnorderedElementsAreArray(state.view().sorts.begin(), state.view().sorts.end())
        );
        EXPECT_TRUE(state.press({Kind::tab}, 10));
    }
}

TEST(TopState, O_8_PagingStaysWithinTheList) {
    TopState state;
    EXPECT_TRUE(state.press({Kind::page_up}, 10));
    EXPECT_EQ(state.offset(), 0U);
    EXPECT_TRUE(state.press({Kind::page_down}, 10));
    EXPECT_TRUE(state.press({Kind::down}, 10));
    EXPECT_EQ(state.offset(), 11U);
    state.bound_offset(15, 10);
    EXPECT_EQ(state.offset(), 5U);
    EXPECT_TRUE(state.press({Kind::home}, 10));
    EXPECT_EQ(state.offset(), 0U);
}

TEST(TopState, O_8_AFilterIsTypedAndTakenBack) {
    TopState state;
    for (const char c : {'/', 'q', '1'}) {
        EXPECT_TRUE(state.press({Kind::character, c}, 10));
    }
    EXPECT_EQ(state.query()[0].second, "q1");
    EXPECT_TRUE(state.press({Kind::backspace}, 10));
    EXPECT_TRUE(state.press({Kind::enter}, 10));
    EXPECT_EQ(state.query()[0].second, "q");
    EXPECT_TRUE(state.press({Kind::escape}, 10));
    EXPECT_EQ(state.query()[0].second, "");
    EXPECT_FALSE(state.press({Kind::character, 'q'}, 10));
}

TEST(ParseKeys, O_8_KnowsKeysAndLeavesOutTheRest) {
    EXPECT_THAT(
        parse_keys("a\x1b[A\x1b[6~\x1b[1;5Cb\x1b\x03"),
        ElementsAre(
            KeyPress{Kind::character, 'a'},
            KeyPress{Kind::up},
            KeyPress{Kind::page_down},
            KeyPress{Kind::character, 'b'},
            KeyPress{Kind::escape},
            KeyPress{Kind::interrupt}
        )
    );
    EXPECT_TRUE(parse_keys("\x1b[").empty());
}

TEST(AdminTokenFile, S_WEB_07_TheTokenThatMayMostIsTaken) {
    EXPECT_EQ(token_in("0123456789abcdef\n"), "0123456789abcdef");
    EXPECT_EQ(
        token_in("# ours\n\nread readers-token-01\r\nread,admin admins-token-0001\n"),
        "admins-token-0001"
    );
    EXPECT_EQ(token_in("read readers-token-01\nread other"), "readers-token-01");
    EXPECT_EQ(token_in("# none\n \n"), "");
    EXPECT_EQ(token_in("read to\x1b[2Jken"), "");
}

TEST(Table, O_8_NumbersAreShortAndRight) {
    EXPECT_EQ(short_count(9999), "9999");
    EXPECT_EQ(short_count(0.25), "0.2");
    EXPECT_EQ(short_count(1'234'567), "1.2M");
    EXPECT_EQ(short_bytes(1536), "1.5 KiB");
    EXPECT_EQ(short_age(90'061'000), "1d 1h");
    EXPECT_EQ(short_age(900), "900ms");
}

TEST(Table, O_8_CutsTextByCharactersAndMakesItHarmless) {
    EXPECT_EQ(fitted("caf\xc3\xa9s", 5), "caf\xc3\xa9s");
    EXPECT_EQ(fitted("caf\xc3\xa9s", 4), "caf~");
    EXPECT_EQ(fitted("7", 3, true), "  7");
    const std::vector<Column> columns{{"NAME", "name"}, {"DEPTH", "depth", ColumnKind::count}};
    const auto rows = boost::json::parse(R"([{"name":"a\u001b","depth":12}])").as_array();
    EXPECT_THAT(table_lines(columns, rows), ElementsAre("NAME   DEPTH", "a\\x1b     12"));
}

}  // namespace
}  // namespace cli
