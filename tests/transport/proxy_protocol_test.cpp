// The PROXY header: both versions, every cut, what is refused and how soon.
#include "broker/transport/proxy_protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace transport {
namespace {

using testing::HasSubstr;
using Outcome = ProxyHeader::Outcome;

constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);

struct Read {
    Outcome outcome = Outcome::need_more;
    std::size_t octets = 0;
    std::string client;
    std::string problem;

    friend bool operator==(const Read&, const Read&) = default;
};

Read read(std::string_view input, std::size_t cut) {
    ProxyHeader header;
    Read result;
    while (result.outcome == Outcome::need_more && result.octets < input.size()) {
        const std::string_view part = input.substr(result.octets, cut);
        result.outcome = header.feed(part);
        result.octets += header.consumed();
        if (result.outcome == Outcome::need_more) { EXPECT_EQ(header.consumed(), part.size()); }
    }
    result.client = header.client() ? header.client()->text() : "";
    result.problem = header.problem();
    return result;
}

/// The same however it is cut.
Read read(std::string_view input) {
    const Read whole = read(input, input.size());
    for (std::size_t cut = 1; cut < input.size() && cut < 40; ++cut) {
        EXPECT_EQ(read(input, cut), whole) << "cut " << cut;
    }
    EXPECT_EQ(whole.outcome == Outcome::failed, !whole.problem.empty());
    return whole;
}

std::string binary(int command, int family, std::string_view rest, std::size_t declared) {
    std::string header(signature);
    header += static_cast<char>(command);
    header += static_cast<char>(family);
    header += static_cast<char>(declared / 256);
    header += static_cast<char>(declared % 256);
    return header.append(rest);
}

std::string binary(int command, int family, std::string_view rest) {
    return binary(command, family, rest, rest.size());
}

constexpr int local = 0x20;
constexpr int proxy = 0x21;
constexpr int tcp4 = 0x11;
constexpr int tcp6 = 0x21;
constexpr std::string_view v4_rest("\xCB\x00\x71\x07\x0A\x00\x00\x01\x30\x39\x00\x50", 12);
constexpr std::string_view v6_rest(
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x08\x30\x39"
    "\x00\x50",
    36
);

void expect_client(std::string header, std::string_view client) {
    const std::size_t size = header.size();
    const Read result = read(header.append("CONNECT\n"));
    EXPECT_EQ(result.outcome, Outcome::done) << result.problem;
    EXPECT_EQ(result.octets, size) << "what comes behind is not touched";
    EXPECT_EQ(result.client, client);
}

TEST(ProxyHeader, S_BIND_06_LineOfVersion1) {
    expect_client("PROXY TCP4 203.0.113.7 10.0.0.1 12345 80\r\n", "203.0.113.7");
    expect_client("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255");
    expect_client("PROXY TCP4 1.2.3.4 5.6.7.8 0 0\r\n", "1.2.3.4");
    expect_client("PROXY TCP6 2001:db8::7 2001:db8::8 12345 80\r\n", "2001:db8::7");
    expect_client("PROXY TCP6 ::ffff:127.0.0.1 ::1 1 2\r\n", "127.0.0.1");
}

TEST(ProxyHeader, S_BIND_06_AnUnknownClientKeepsThePeersAddress) {
    expect_client("PROXY UNKNOWN\r\n", "");
    expect_client("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", "");
    expect_client("PROXY UNKNOWN" + std::string(92, ' ') + "\r\n", "");
}

TEST(ProxyHeader, S_BIND_06_BinaryOfVersion2) {
    expect_client(binary(proxy, tcp4, v4_rest), "203.0.113.7");
    expect_client(binary(proxy, tcp6, v6_rest), "2001:db8::7");
    const std::string mapped = std::string(10, '\0') + "\xff\xff\x7f" + std::string(3, '\1');
    expect_client(binary(proxy, tcp6, mapped + std::string(20, '\0')), "127.1.1.1");
}

TEST(ProxyHeader, S_BIND_06_WhatFollowsTheAddressesIsSkipped) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{200}, ProxyHeader::rest_max - 12}) {
        expect_client(
            binary(proxy, tcp4, std::string(v4_rest) + std::string(size, '\n')), "203.0.113.7"
        );
    }
    expect_client(binary(proxy, tcp6, std::string(v6_rest) + "\x04\x00\x01x"), "2001:db8::7");
}

TEST(ProxyHeader, S_BIND_06_ConnectionsOfTheProxyItselfKeepItsAddress) {
    expect_client(binary(local, 0, ""), "");
    expect_client(binary(local, tcp4, v4_rest), "");
    expect_client(binary(local, 0xFF, "anything"), "");
    expect_client(binary(local, 0, std::string(ProxyHeader::rest_max, 'x')), "");
}

TEST(ProxyHeader, S_BIND_06_FamiliesWithoutAddressNameNobody) {
    expect_client(binary(proxy, 0x00, ""), "");
    expect_client(binary(proxy, 0x00, "anything"), "");
    expect_client(binary(proxy, 0x31, std::string(216, '/')), "");
}

struct Bad {
    std::string header;
    const char* problem;
    std::size_t octets;  ///< After so many it is refused.
};

TEST(ProxyHeader, S_BIND_06_RefusesWhatIsNoHeaderAtTheFirstWrongOctet) {
    const Bad cases[] = {
        {"CONNECT\n", "does not begin", 1},
        {"GET / HTTP/1.1\r\n", "does not begin", 1},
        {"proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "does not begin", 1},
        {"\x16\x03\x01", "does not begin", 1},
        {"\n", "does not begin", 1},
        {"PUT ", "does not begin", 2},
        {"PROXY\tTCP4", "does not begin", 6},
        {"PROXY\r\n", "does not begin", 6},
        {"\r\nGET", "does not begin", 3},
        {"\r\n\r\n\r", "does not begin", 5},
        {std::string(signature) + "\x11", "neither version", 16},
    };
    for (const Bad& bad : cases) {
        const Read result = read(bad.header + std::string(3, '\0'));
        EXPECT_EQ(result.outcome, Outcome::failed) << bad.header;
        EXPECT_THAT(result.problem, HasSubstr(bad.problem)) << bad.header;
        EXPECT_EQ(result.octets, bad.octets) << bad.header;
    }
}

TEST(ProxyHeader, S_BIND_06_RefusesBadLines) {
    for (const char* const line :
         {"",
          "TCP4",
          "TCP4 1.2.3.4",
          "TCP4 1.2.3.4 5.6.7.8 1",
          "TCP5 1.2.3.4 5.6.7.8 1 2",
          "tcp4 1.2.3.4 5.6.7.8 1 2",
          "UDP4 1.2.3.4 5.6.7.8 1 2",
          "UNKNOWNX",
          "unknown",
          "TCP4 1.2.3 5.6.7.8 1 2",
          "TCP4 1.2.3.4 5.6.7 1 2",
          "TCP4 01.2.3.4 5.6.7.8 1 2",
          "TCP4 ::1 ::1 1 2",
          "TCP6 1.2.3.4 5.6.7.8 1 2",
          "TCP6 ::1%lo ::1 1 2",
          "TCP6 [::1] [::1] 1 2",
          "TCP4 1.2.3.4 5.6.7.8 65536 2",
          "TCP4 1.2.3.4 5.6.7.8 1 -2",
          "TCP4 1.2.3.4 5.6.7.8 1 +2",
          "TCP4 1.2.3.4 5.6.7.8 01 2",
          "TCP4 1.2.3.4 5.6.7.8 1 2 ",
          "TCP4 1.2.3.4 5.6.7.8 1 2 3",
          "TCP4  1.2.3.4 5.6.7.8 1 2",
          "TCP4 1.2.3.4 5.6.7.8 1 ",
          "TCP4\t1.2.3.4\t5.6.7.8\t1\t2",
          "TCP4 localhost 5.6.7.8 1 2"}) {
        const Read result = read("PROXY " + std::string(line) + "\r\n");
        EXPECT_EQ(result.outcome, Outcome::failed) << line;
        EXPECT_EQ(result.client, "") << line;
    }
    EXPECT_THAT(read("PROXY UNKNOWN\n").problem, HasSubstr("CR LF"));
    EXPECT_THAT(read("PROXY UNKNOWN\rx\r\n").problem, HasSubstr("CR LF"));
    EXPECT_THAT(read("PROXY UNKNOWN\r\r\n").problem, HasSubstr("CR LF"));
}

TEST(ProxyHeader, S_BIND_06_ALineHasAtMost107Octets) {
    const auto line = [](std::size_t size) {
        std::string text = "PROXY UNKNOWN ";
        return text.append(size - text.size() - 2, 'x') + "\r\n";
    };
    EXPECT_EQ(read(line(107)).outcome, Outcome::done);
    EXPECT_EQ(read(line(108)).outcome, Outcome::failed);
    const Read endless = read(std::string("PROXY ") + std::string(1'000'000, 'x'));
    EXPECT_THAT(endless.problem, HasSubstr("107"));
    EXPECT_EQ(endless.octets, 107U);
}

TEST(ProxyHeader, S_BIND_06_RefusesBadBinary) {
    const Bad cases[] = {
        {binary(0x10, 0, ""), "neither version", 16},
        {binary(0x31, tcp4, v4_rest), "neither version", 16},
        {binary(0x22, tcp4, v4_rest), "neither LOCAL nor PROXY", 16},
        {binary(0x2F, tcp4, v4_rest), "neither LOCAL nor PROXY", 16},
        {binary(proxy, 0x41, v4_rest), "no family", 16},
        {binary(proxy, 0x13, v4_rest), "no family", 16},
        {binary(proxy, 0x12, v4_rest), "else than TCP", 16},
        {binary(proxy, 0x10, v4_rest), "else than TCP", 16},
        {binary(proxy, tcp4, v4_rest.substr(1)), "too short", 16},
        {binary(proxy, tcp6, v6_rest.substr(1)), "too short", 16},
        {binary(proxy, tcp4, v4_rest, 65535), "4 KiB", 16},
        {binary(local, 0, "", ProxyHeader::rest_max + 1), "4 KiB", 16},
    };
    for (const Bad& bad : cases) {
        const Read result = read(bad.header);
        EXPECT_EQ(result.outcome, Outcome::failed);
        EXPECT_THAT(result.problem, HasSubstr(bad.problem));
        EXPECT_EQ(result.octets, bad.octets) << bad.problem;
        EXPECT_EQ(result.client, "");
    }
}

TEST(ProxyHeader, S_BIND_06_NamesNobodyUntilItIsWhole) {
    for (const std::string& header :
         {std::string("PROXY TCP4 203.0.113.7 10.0.0.1 12345 80\r\n"),
          binary(proxy, tcp4, v4_rest),
          binary(proxy, tcp6, std::string(v6_rest) + "tail")}) {
        for (std::size_t size = 0; size < header.size(); ++size) {
            const Read result = read(std::string_view(header).substr(0, size));
            EXPECT_EQ(result.outcome, Outcome::need_more) << size;
            EXPECT_EQ(result.client, "") << size;
        }
    }
}

TEST(ProxyHeader, S_BIND_06_TakesNothingAfterItsEnd) {
    ProxyHeader header;
    EXPECT_EQ(header.feed(std::string_view("PROXY UNKNOWN\r\n")), Outcome::done);
    EXPECT_EQ(header.feed(std::string_view("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n")), Outcome::done);
    EXPECT_EQ(header.consumed(), 0U);
    EXPECT_FALSE(header.client());
}

}  // namespace
}  // namespace transport
