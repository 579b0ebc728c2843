// Addresses and lists of networks: both forms of IPv4, what is inside, what is refused.
#include "broker/transport/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <string>

namespace transport {
namespace {

using testing::HasSubstr;

Networks networks(std::initializer_list<std::string_view> entries) {
    Networks list;
    for (const std::string_view entry : entries) {
        EXPECT_EQ(list.add(entry), std::nullopt) << entry;
    }
    return list;
}

std::string problem(std::string_view entry) {
    Networks list;
    const auto found = list.add(entry);
    EXPECT_TRUE(list.empty() == found.has_value()) << entry;
    return found.value_or("");
}

TEST(IpAddress, S_BIND_02_MappedAddressesAreIPv4) {
    EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1"), IpAddress::parse("10.0.0.1"));
    EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1")->text(), "10.0.0.1");
    EXPECT_EQ(IpAddress::parse("::ffff:a00:1")->text(), "10.0.0.1");
    EXPECT_NE(IpAddress::parse("::10.0.0.1"), IpAddress::parse("10.0.0.1"));
}

TEST(IpAddress, S_BIND_02_LoopbackIsByAddress) {
    for (const char* const text :
         {"127.0.0.1", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.8.8.8"}) {
        EXPECT_TRUE(IpAddress::parse(text)->is_loopback()) << text;
    }
    for (const char* const text :
         {"126.255.255.255", "128.0.0.0", "::", "::2", "::127.0.0.1", "1::1", "::ffff:10.0.0.1"}) {
        EXPECT_FALSE(IpAddress::parse(text)->is_loopback()) << text;
    }
}

TEST(IpAddress, ShortestForm) {
    EXPECT_EQ(IpAddress::parse("2001:DB8:0:0:0:0:0:1")->text(), "2001:db8::1");
    EXPECT_EQ(IpAddress().text(), "::");
}

TEST(IpAddress, RefusesWhatIsNone) {
    for (const char* const text :
         {"",
          "1.2.3",
          "1.2.3.4.5",
          "1.2.3.256",
          "01.2.3.4",
          "0x7f.0.0.1",
          " 1.2.3.4",
          "1.2.3.4 ",
          "1.2.3.4:80",
          "[::1]",
          "fe80::1%eth0",
          ":::",
          "1:2:3:4:5:6:7:8:9",
          "localhost"}) {
        EXPECT_EQ(IpAddress::parse(text), std::nullopt) << text;
    }
    EXPECT_EQ(IpAddress::parse(std::string_view("1.2.3.4\0", 8)), std::nullopt);
    EXPECT_EQ(IpAddress::parse(std::string_view("\0", 1)), std::nullopt);
    EXPECT_EQ(IpAddress::parse(std::string(1'000'000, '1')), std::nullopt);
}

TEST(Networks, S_BIND_06_ContainWhatBeginsAlike) {
    const Networks list = networks({"10.0.0.0/8", "192.168.4.0/22", "203.0.113.7", "fd00::/8"});
    for (const char* const text :
         {"10.0.0.0",
          "10.255.255.255",
          "::ffff:10.1.2.3",
          "192.168.7.255",
          "203.0.113.7",
          "fd12::1"}) {
        EXPECT_TRUE(list.contains(std::string_view(text))) << text;
    }
    for (const char* const text :
         {"9.255.255.255",
          "11.0.0.0",
          "192.168.3.255",
          "192.168.8.0",
          "203.0.113.6",
          "203.0.113.8",
          "fc00::1",
          "fe00::",
          "::1",
          "",
          "unknown"}) {
        EXPECT_FALSE(list.contains(std::string_view(text))) << text;
    }
}

TEST(Networks, S_BIND_06_EveryLengthOfAPrefix) {
    const auto all = IpAddress::parse("255.255.255.255");
    for (unsigned bits = 0; bits <= 32; ++bits) {
        const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
        const auto text = [](std::uint32_t value) {
            std::array<std::uint8_t, 4> octets{};
            for (unsigned i = 0; i < 4; ++i) {
                octets[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
            }
            return IpAddress::v4(octets).text();
        };
        const Networks list = networks({text(mask) + "/" + std::to_string(bits)});
        EXPECT_TRUE(list.contains(*all)) << bits;
        EXPECT_TRUE(list.contains(text(mask))) << bits;
        if (bits != 0) { EXPECT_FALSE(list.contains(text(mask ^ (1U << (32 - bits))))) << bits; }
    }
}

TEST(Networks, S_BIND_06_AllOfIPv6IsNotIPv4) {
    EXPECT_FALSE(networks({"::/0"}).contains("10.0.0.1"));
    EXPECT_TRUE(networks({"::/0"}).contains("2001:db8::1"));
    EXPECT_TRUE(networks({"0.0.0.0/0"}).contains("::ffff:10.0.0.1"));
    EXPECT_FALSE(networks({"0.0.0.0/0"}).contains("::1"));
    EXPECT_TRUE(networks({"::ffff:10.0.0.0/104"}).contains("10.9.9.9"));
}

TEST(Networks, S_BIND_06_NoneContainsNothing) {
    EXPECT_FALSE(Networks().contains("127.0.0.1"));
}

TEST(Networks, S_BIND_05_SayWhatIsWrong) {
    for (const char* const text :
         {"", "10.0.0", "10.0.0/8", "*", "localhost", "10.0.0.0-10.0.0.9"}) {
        EXPECT_THAT(problem(text), HasSubstr("expected an address or a network")) << text;
    }
    for (const char* const text :
         {"10.0.0.0/",
          "10.0.0.0/33",
          "10.0.0.0/08",
          "10.0.0.0/-1",
          "10.0.0.0/8x",
          "10.0.0.0/4294967304"}) {
        EXPECT_THAT(problem(text), HasSubstr("0 to 32")) << text;
    }
    EXPECT_THAT(problem("fd00::/129"), HasSubstr("0 to 128"));
    EXPECT_THAT(problem("10.0.0.1/8"), HasSubstr("write \"10.0.0.0/8\" for the network"));
    EXPECT_THAT(problem("fd00::1/8"), HasSubstr("write \"fd00::/8\" for the network"));
}

TEST(Networks, AreBounded) {
    Networks list;
    for (std::size_t i = 0; i < Networks::networks_max; ++i) {
        ASSERT_EQ(list.add("10.0.0.1"), std::nullopt);
    }
    EXPECT_THAT(list.add("10.0.0.1").value_or(""), HasSubstr("more than 256"));
}

TEST(IpAddresses, S_AUTH_16_S_RATE_01_AreCountedByTheirNetwork) {
    const auto network = [](std::string_view text) { return IpAddress::parse(text)->network(); };
    EXPECT_EQ(network("192.0.2.1"), network("::ffff:192.0.2.1"));
    EXPECT_NE(network("192.0.2.1"), network("192.0.2.2"));
    EXPECT_EQ(network("2001:db8::1"), network("2001:db8::ffff:1"));
    EXPECT_NE(network("2001:db8::1"), network("2001:db8:0:1::1"));
    EXPECT_NE(network("0.0.0.1"), network("::1:0:0:0:1"));
}

}  // namespace
}  // namespace transport
