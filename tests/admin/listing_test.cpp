// What a page shows of many, and how little is kept for it.
#include "broker/admin/listing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace admin {
namespace {

constexpr std::size_t count = 10'000;

Entry entry(double number, std::uint64_t session) {
    return {number, {}, session, nullptr, 0};
}

// All of them, from three shards, in an order of their own; many share a number.
std::vector<Selection> parts(std::size_t most, Order order) {
    std::vector<Selection> parts(3, Selection(most, order));
    std::vector<std::uint64_t> sessions;
    for (std::uint64_t i = 0; i < count; ++i) {
        sessions.push_back(i);
    }
    std::shuffle(sessions.begin(), sessions.end(), std::mt19937(7));  // NOLINT(*-msc51-cpp)
    for (const std::uint64_t session : sessions) {
        parts[session % 3].add(entry(static_cast<double>(session / 10), session));
    }
    return parts;
}

TEST(Listing, O_10_PagesHaveEachItemOnceInOrder) {
    for (const bool is_descending : {false, true}) {
        const Order order(is_descending);
        std::vector<Entry> all;
        std::string cursor;
        do {
            const Page page(Query("limit=700" + cursor));
            Selection selection = merged(parts(page.end(), order), page.end(), order);
            EXPECT_EQ(selection.total(), count);
            for (Entry& found : selection.take(page)) {
                all.push_back(std::move(found));
            }
            const auto next = page.next(selection.total());
            cursor = next ? "&cursor=" + *next : "";
        } while (!cursor.empty());
        ASSERT_EQ(all.size(), count);
        EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), order));
        std::vector<std::uint64_t> sessions;
        for (const Entry& found : all) {
            sessions.push_back(found.session);
        }
        std::sort(sessions.begin(), sessions.end());
        EXPECT_EQ(std::unique(sessions.begin(), sessions.end()), sessions.end());
    }
}

TEST(Listing, O_10_TextsAreOrderedToo) {
    const Order order(false);
    Selection selection(2, order);
    for (const char* const text : {"b", "", "c", "a"}) {
        selection.add({0, text, 1, text, 0});
    }
    EXPECT_EQ(selection.total(), 4u);
    const std::vector<Entry> found = selection.take(Page(Query("limit=2")));
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].text + found[1].text, "a");
}

TEST(Listing, O_10_BehindTheEndThereIsNothing) {
    const Order order(true);
    const Page page(Query("limit=5&cursor=o20"));
    Selection selection(page.end(), order);
    selection.add(entry(1, 1));
    EXPECT_TRUE(selection.take(page).empty());
    EXPECT_TRUE(Selection(5, order).take(Page(Query("limit=5"))).empty());
}

TEST(Listing, O_10_PartsAreFoundWithoutRegardToCase) {
    EXPECT_TRUE(TextMatch("AbC").is_in("xxaBcxx"));
    EXPECT_TRUE(TextMatch("abc").is_in("abc"));
    EXPECT_TRUE(TextMatch("").is_in(""));
    EXPECT_FALSE(TextMatch("abc").is_in("ab"));
    EXPECT_FALSE(TextMatch("abc").is_in(""));
    EXPECT_FALSE(TextMatch("\xC3\xA4").is_in("\xC3\x84"));
}

}  // namespace
}  // namespace admin
