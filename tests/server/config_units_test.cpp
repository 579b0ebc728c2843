// Units and addresses: what is understood, what is not, and the way back.
#include "broker/server/config_units.hpp"

#include <gtest/gtest.h>

namespace server {
namespace {

using std::chrono::milliseconds;

TEST(Units, DurationsNeedAUnit) {
    EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
    EXPECT_EQ(parse_duration("10s"), milliseconds(10'000));
    EXPECT_EQ(parse_duration("5m"), milliseconds(300'000));
    EXPECT_EQ(parse_duration("24h"), milliseconds(86'400'000));
    for (const char* const text :
         {"", "10", "s", "-1s", "+1s", "1.5s", "10 s", "10S", "10sec", " 10s"}) {
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
    }
}

TEST(Units, SizesAreBinary) {
    EXPECT_EQ(parse_size("512B"), 512U);
    EXPECT_EQ(parse_size("64KiB"), 65'536U);
    EXPECT_EQ(parse_size("1MiB"), 1'048'576U);
    EXPECT_EQ(parse_size("2GiB"), 2'147'483'648U);
    for (const char* const text : {"", "64", "64KB", "64kib", "64K", "-1B", "1.5MiB"}) {
        EXPECT_EQ(parse_size(text), std::nullopt) << text;
    }
}

TEST(Units, OverflowIsNoValue) {
    EXPECT_EQ(parse_size("18446744073709551615B"), 18'446'744'073'709'551'615U);
    EXPECT_EQ(parse_size("18446744073709551616B"), std::nullopt);
    EXPECT_EQ(parse_size("17179869184GiB"), std::nullopt);
    EXPECT_EQ(parse_duration("18446744073709551615ms"), std::nullopt);
    EXPECT_EQ(parse_duration("9223372036854775807s"), std::nullopt);
}

TEST(Units, PercentagesEndAtAHundred) {
    EXPECT_EQ(parse_percent("60%"), 60U);
    EXPECT_EQ(parse_percent("100%"), 100U);
    EXPECT_EQ(parse_percent("101%"), std::nullopt);
    EXPECT_EQ(parse_percent("60"), std::nullopt);
}

TEST(Units, AddressesAreIpAndPort) {
    EXPECT_EQ(parse_address("127.0.0.1:61613"), (Address{"127.0.0.1", 61613}));
    EXPECT_EQ(parse_address("[::1]:0"), (Address{"::1", 0}));
    EXPECT_EQ(parse_address("localhost:1"), (Address{"127.0.0.1", 1}));
    EXPECT_EQ(parse_address("*:65535"), (Address{"0.0.0.0", 65535}));
    for (const char* const text :
         {"",
          ":1",
          "127.0.0.1",
          "127.0.0.1:",
          "127.0.0.1:65536",
          "127.0.0.1:-1",
          "127.0.0.1:1x",
          "::1:1",
          "[::1]",
          "[127.0.0.1]:1",
          "[localhost]:1",
          "example.org:1",
          "1.2.3:1",
          "[::1:1"}) {
        EXPECT_EQ(parse_address(text), std::nullopt) << text;
    }
}

TEST(Units, FormattedValuesParseBack) {
    for (const std::uint64_t size : {1ULL, 1023ULL, 1024ULL, 1536ULL, 1ULL << 20, 3ULL << 30}) {
        EXPECT_EQ(parse_size(format_size(size)), size);
    }
    for (const int time : {0, 1, 999, 1000, 1500, 60'000, 3'600'000}) {
        EXPECT_EQ(parse_duration(format_duration(milliseconds(time))), milliseconds(time));
    }
    for (const Address& address : {Address{"127.0.0.1", 1}, Address{"::1", 61613}}) {
        EXPECT_EQ(parse_address(format_address(address)), address);
    }
}

TEST(Units, S_BIND_02_LoopbackIsByAddress) {
    for (const char* const host : {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"}) {
        EXPECT_TRUE(is_loopback(host)) << host;
    }
    for (const char* const host :
         {"0.0.0.0", "::", "128.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "", "x"}) {
        EXPECT_FALSE(is_loopback(host)) << host;
    }
}

}  // namespace
}  // namespace server
