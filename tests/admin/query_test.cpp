// Queries and pages: what is taken, and what is refused with a sentence.
#include "broker/admin/query.hpp"

#include "broker/admin/response.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace admin {
namespace {

using testing::HasSubstr;

// What the caller is told.
std::string refusal(const std::function<void()>& work) {
    try {
        work();
    } catch (const Refused& refused) {
        EXPECT_EQ(refused.response().status, 400u);
        return refused.what();
    }
    return "taken";
}

TEST(Query, O_10_ValuesAreDecodedOnce) {
    const Query query("a=%2Fqueue%2Fx%2520&b=1+2&c=&d&%65=%00");
    EXPECT_EQ(query.text("a"), "/queue/x%20");
    EXPECT_EQ(query.text("b"), "1 2");
    EXPECT_EQ(query.text("c"), "");
    EXPECT_EQ(query.text("d"), "");
    EXPECT_EQ(query.text("e"), std::string(1, '\0'));
    EXPECT_EQ(query.text("missing"), "");
}

TEST(Query, O_10_MalformedEncodingIsRefused) {
    for (const char* const text : {"a=%", "a=%1", "a=%g1", "a=%1g", "%=1", "a=1&b=%x"}) {
        EXPECT_THAT(refusal([text] { Query query(text); }), HasSubstr("percent-encoded")) << text;
    }
}

TEST(Query, O_10_WhatComesTwiceIsRefused) {
    EXPECT_THAT(refusal([] { Query("a=1&b=2&%61=3"); }), HasSubstr("twice"));
}

TEST(Query, O_10_UnknownNamesAreRefusedWithThoseThatAreKnown) {
    const Query query("limits=1");
    EXPECT_THAT(refusal([&] { query.allow({"limit", "sort"}); }), HasSubstr("limit, sort"));
    EXPECT_THAT(refusal([&] { query.allow({}); }), HasSubstr("no parameters"));
    EXPECT_EQ(refusal([&] { query.allow({"limits"}); }), "taken");
}

TEST(Query, O_10_NumbersAreWholeAndInTheirRange) {
    EXPECT_EQ(Query("n=7").number("n", 1, 9, 5), 7u);
    EXPECT_EQ(Query("").number("n", 1, 9, 5), 5u);
    for (const char* const text :
         {"n=0",
          "n=10",
          "n=-1",
          "n=+1",
          "n=1.0",
          "n=x",
          "n=",
          "n",
          "n=0x1",
          "n=1%20",
          "n=99999999999999999999999"}) {
        const Query query(text);
        EXPECT_THAT(refusal([&] { (void)query.number("n", 1, 9, 5); }), HasSubstr("1 to 9"))
            << text;
    }
}

TEST(Query, O_10_FlagsAndChoicesHaveTheirWords) {
    EXPECT_TRUE(Query("f=true").flag("f"));
    EXPECT_FALSE(Query("f=false").flag("f"));
    EXPECT_FALSE(Query("").flag("f"));
    EXPECT_THAT(refusal([] { (void)Query("f=1").flag("f"); }), HasSubstr("false, true"));
    EXPECT_EQ(Query("").choice("s", {"one", "two"}), "one");
    EXPECT_EQ(Query("s=two").choice("s", {"one", "two"}), "two");
    EXPECT_THAT(
        refusal([] {
            (void)Query("s=TWO").choice("s", {"one", "two"});
        }),
        HasSubstr("one, two")
    );
}

TEST(Page, O_10_TheNextPageBeginsWhereThisOneEnds) {
    const Page first(Query("limit=10"));
    EXPECT_EQ(first.offset, 0u);
    ASSERT_TRUE(first.next(25));
    const Page second(Query("limit=10&cursor=" + *first.next(25)));
    EXPECT_EQ(second.offset, 10u);
    const Page third(Query("limit=10&cursor=" + *second.next(25)));
    EXPECT_EQ(third.end(), 30u);
    EXPECT_FALSE(third.next(25));
    EXPECT_FALSE(Page(Query("limit=25")).next(25));
}

TEST(Page, O_10_OnlyItsOwnCursorsAreTaken) {
    for (const char* const cursor : {"10", "o", "o-1", "o1x", "O1", "o1000001", "o%201", "p1"}) {
        const Query query(std::string("cursor=") + cursor);
        EXPECT_THAT(refusal([&] { Page page(query); }), HasSubstr("cursor")) << cursor;
    }
    for (const char* const limit : {"0", "1001", "x"}) {
        const Query query(std::string("limit=") + limit);
        EXPECT_THAT(refusal([&] { Page page(query); }), HasSubstr("limit")) << limit;
    }
}

}  // namespace
}  // namespace admin
