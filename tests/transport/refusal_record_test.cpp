// What operators are told that clients were refused: whose it is, and what bounds it.
#include "broker/transport/refusal_record.hpp"

#include <gmock/gmock.h>

#include <string>

namespace transport {
namespace {

using engine::Instant;
using protocol::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;

PastRefusal refusal(int at, std::string connection = "c", std::string message = "No.") {
    return {
        Instant(at),
        ErrorCode::access_denied,
        std::move(message),
        "/queue/a",
        std::move(connection)};
}

std::vector<int> times(const std::vector<PastRefusal>& refusals) {
    std::vector<int> all;
    for (const PastRefusal& past : refusals) {
        all.push_back(static_cast<int>(past.at.count()));
    }
    return all;
}

TEST(RefusalRecord, O_10_TheNewestOfEachClientAreKept) {
    RefusalRecord record({.clients = 10, .each = 3});
    for (int at = 1; at <= 5; ++at) {
        record.add({"ann", "phone", "10.0.0.1"}, refusal(at));
        record.add({"bob", "phone", "10.0.0.1"}, refusal(10 * at));
    }
    EXPECT_THAT(times(record.of({"ann", "phone", "10.0.0.1"})), ElementsAre(5, 4, 3));
    EXPECT_THAT(times(record.of({"bob", "phone", "10.0.0.1"})), ElementsAre(50, 40, 30));
}

TEST(RefusalRecord, O_10_AClientIsKnownByItsIdOrByItsAddress) {
    RefusalRecord record;
    record.add({"ann", "phone", "10.0.0.1"}, refusal(1));
    record.add({"ann", "", "10.0.0.1"}, refusal(2));
    EXPECT_THAT(times(record.of({"ann", "phone", "10.0.0.2"})), ElementsAre(1));
    EXPECT_THAT(times(record.of({"ann", "", "10.0.0.1"})), ElementsAre(2));
    EXPECT_THAT(record.of({"ann", "", "10.0.0.2"}), IsEmpty());
    EXPECT_THAT(record.of({"ann", "tablet", "10.0.0.1"}), IsEmpty());
    EXPECT_THAT(record.of({"eve", "phone", "10.0.0.1"}), IsEmpty());
}

TEST(RefusalRecord, O_10_WhoWasRefusedLongestAgoIsForgottenFirst) {
    RefusalRecord record({.clients = 2});
    record.add({"a", "", ""}, refusal(1, "of a"));
    record.add({"b", "", ""}, refusal(2, "of b"));
    record.add({"a", "", ""}, refusal(3, "of a again"));
    record.add({"c", "", ""}, refusal(4, "of c"));
    EXPECT_THAT(times(record.of({"a", "", ""})), ElementsAre(3, 1));
    EXPECT_THAT(record.of({"b", "", ""}), IsEmpty());
    EXPECT_FALSE(record.of_connection("of b"));
    EXPECT_EQ(record.of_connection("of a")->at, Instant(1));
    EXPECT_FALSE(record.of_connection("of nobody"));
}

TEST(RefusalRecord, S_LOG_01_TextsAreCutBetweenCharacters) {
    RefusalRecord record({.text = 5});
    record.add({"a", "", ""}, refusal(1, "c", "abc\u00e4\u00e4"));
    record.add({"a", "", ""}, refusal(2, "c", "abcd\u00e4"));
    const auto found = record.of({"a", "", ""});
    EXPECT_EQ(found[1].message, "abc\u00e4");
    EXPECT_EQ(found[0].message, "abcd");
    EXPECT_EQ(found[0].destination, "/queu");
}

TEST(RefusalRecord, O_10_OfAllShardsTheNewestCount) {
    std::vector<PastRefusal> all = {refusal(1), refusal(5), refusal(3)};
    keep_newest(all, 2);
    EXPECT_THAT(times(all), ElementsAre(5, 3));
}

}  // namespace
}  // namespace transport
