// Keys and values of the disk: there and back, and any octets at all.
// Seeds are fixed.
#include "storage/record.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace {

using storage::Cursor;
using storage::Key;
using storage::StateKind;

constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();

Cursor some_cursor() {
    Cursor cursor;
    cursor.first = 100;
    cursor.last = 1'000'000;
    cursor.messages = 999'000;
    cursor.bytes = max;
    cursor.dispatch_bound = 500;
    cursor.trimmed = 64;
    cursor.holes = {{102, 102}, {104, 2000}, {999'999, 1'000'000}};
    return cursor;
}

std::string random_octets(std::mt19937_64& random, std::size_t size_max) {
    std::string octets(random() % (size_max + 1), '\0');
    for (char& octet : octets) {
        // Small numbers reach deeper into the decoders.
        octet = static_cast<char>(random() % 2 == 0 ? random() % 4 : random() % 256);
    }
    return octets;
}

TEST(Record, D_LSM_01_KeysSortAsTheirNumbersDo) {
    EXPECT_LT(storage::message_key(1, 255).view(), storage::message_key(1, 256).view());
    EXPECT_LT(storage::message_key(1, max).view(), storage::message_key(2, 0).view());
    EXPECT_LT(storage::message_key(127, 1).view(), storage::message_key(128, 1).view());
}

TEST(Record, KeysComeBack) {
    const auto message = storage::parse_message_key(storage::message_key(7, max).view());
    ASSERT_TRUE(message);
    EXPECT_EQ(message->queue, 7U);
    EXPECT_EQ(message->sequence, max);
    const Key key = storage::state_key({StateKind::mark, 3, 9});
    const auto state = storage::parse_state_key(key.view());
    ASSERT_TRUE(state);
    EXPECT_EQ(state->kind, StateKind::mark);
    EXPECT_EQ(state->number, 3U);
    EXPECT_EQ(state->sequence, 9U);
}

TEST(Record, CursorsAndDefinitionsComeBack) {
    std::string payload;
    storage::encode(payload, some_cursor());
    EXPECT_EQ(storage::decode_cursor(payload), some_cursor());
    storage::encode(payload, Cursor());
    EXPECT_EQ(storage::decode_cursor(payload), Cursor());
    const storage::QueueDefinition definition{"/queue/a", std::string("\0b", 2)};
    storage::encode(payload, definition);
    EXPECT_EQ(storage::decode_definition(payload), definition);
}

TEST(Record, RefusesCursorsThatCannotBe) {
    const auto is_refused = [](auto change) {
        Cursor cursor = some_cursor();
        change(cursor);
        std::string payload;
        storage::encode(payload, cursor);
        return !storage::decode_cursor(payload).has_value();
    };
    EXPECT_TRUE(is_refused([](Cursor& cursor) { cursor.first = 0; }));
    EXPECT_TRUE(is_refused([](Cursor& cursor) { cursor.first = cursor.last + 2; }));
    EXPECT_TRUE(is_refused([](Cursor& cursor) { cursor.trimmed = cursor.first + 1; }));
    EXPECT_TRUE(is_refused([](Cursor& cursor) { cursor.last = 999'999; }));
    EXPECT_TRUE(is_refused([](Cursor& cursor) { cursor.holes.front().first = 100; }));
    EXPECT_TRUE(is_refused([](Cursor& cursor) { cursor.holes[1].first = 103; }));
}

TEST(Record, D_ROCK_01_AnyFlippedBitOrWrongPlaceIsFound) {
    const Key key = storage::message_key(1, 2);
    for (const std::size_t size : {0U, 1U, 100U, 400U}) {
        std::string value;
        storage::seal(value, key.view(), std::string(size, 'x'));
        EXPECT_EQ(storage::unseal(key.view(), value), std::string(size, 'x'));
        EXPECT_FALSE(storage::unseal(storage::message_key(1, 3).view(), value));
        EXPECT_FALSE(storage::unseal(storage::message_key(2, 2).view(), value));
        for (std::size_t bit = 0; bit < 8 * value.size(); ++bit) {
            std::string flipped = value;
            flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
            EXPECT_FALSE(storage::unseal(key.view(), flipped));
        }
        EXPECT_FALSE(storage::unseal(key.view(), value + "x"));
        EXPECT_FALSE(storage::unseal(key.view(), value.substr(0, value.size() - 1)));
    }
}

TEST(Record, DecodersTakeAnyOctets) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 200'000; ++i) {
        const std::string octets = random_octets(random, 24);
        const auto cursor = storage::decode_cursor(octets);
        if (cursor) {
            std::string payload;
            storage::encode(payload, *cursor);
            EXPECT_EQ(storage::decode_cursor(payload), cursor);
        }
        static_cast<void>(storage::decode_definition(octets));
        static_cast<void>(storage::decode_number(octets));
        static_cast<void>(storage::parse_message_key(octets));
        static_cast<void>(storage::parse_state_key(octets));
        EXPECT_FALSE(storage::unseal("key", octets));
    }
}

}  // namespace
