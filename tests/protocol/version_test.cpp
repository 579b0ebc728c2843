// Negotiation (P-VER-01 to -04) and WebSocket sub-protocols (P-WS-02 to -04).
// Every combination of listed versions is tried.
#include "protocol/version.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace protocol {

namespace {

constexpr std::array versions{Version::v1_0, Version::v1_1, Version::v1_2};

std::optional<Version> plain(std::string_view list) {
    return negotiate(list, std::nullopt);
}

/// The versions whose bit is set in `bits`, joined as `name` spells them.
template <class Name>
std::string list_of(unsigned bits, Name name) {
    std::string list;
    for (const Version version : versions) {
        if ((bits >> static_cast<unsigned>(version) & 1U) == 0) { continue; }
        list += (list.empty() ? "" : ",") + std::string(name(version));
    }
    return list;
}

std::string_view version_name(Version version) {
    return to_string(version);
}

std::optional<Version> highest(unsigned bits) {
    for (int i = 2; i >= 0; --i) {
        if ((bits >> static_cast<unsigned>(i) & 1U) != 0) { return static_cast<Version>(i); }
    }
    return std::nullopt;
}

}  // namespace

TEST(Version, P_VER_01_TheHighestOfEveryCombination) {
    for (unsigned bits = 0; bits < 8; ++bits) {
        EXPECT_EQ(plain(list_of(bits, version_name)), highest(bits)) << bits;
    }
}

TEST(Version, P_VER_01_BlanksOrderAndUnknownItemsDoNotMatter) {
    EXPECT_EQ(plain("1.2,1.1,1.0"), Version::v1_2);
    EXPECT_EQ(plain(" 1.1 , 1.0 "), Version::v1_1);
    EXPECT_EQ(plain("\t1.1\t,1.0"), Version::v1_1);
    EXPECT_EQ(plain("1.1, 1.2"), Version::v1_2);
    EXPECT_EQ(plain("2.0,1.3,1.1,x"), Version::v1_1);
    EXPECT_EQ(plain(",,1.0,"), Version::v1_0);
}

TEST(Version, P_VER_02_NoHeaderIs10WhateverTheSubProtocol) {
    EXPECT_EQ(negotiate(std::nullopt, std::nullopt), Version::v1_0);
    for (const Version echoed : versions) {
        EXPECT_EQ(negotiate(std::nullopt, echoed), Version::v1_0);
    }
}

TEST(Version, P_VER_03_NothingInCommon) {
    for (const char* list :
         {"", " ", ",", "2.0", "1.3", "11", "1.", "v1.2", "1.2x", "1.1.0", "1 .1", "1.01"}) {
        EXPECT_EQ(plain(list), std::nullopt) << list;
        EXPECT_EQ(negotiate(list, Version::v1_2), std::nullopt) << list;
    }
}

TEST(Version, P_VER_04_TheEchoedSubProtocolWinsIfListed) {
    for (unsigned bits = 1; bits < 8; ++bits) {
        for (const Version echoed : versions) {
            const bool is_listed = (bits >> static_cast<unsigned>(echoed) & 1U) != 0;
            const auto expected = is_listed ? std::optional(echoed) : highest(bits);
            EXPECT_EQ(negotiate(list_of(bits, version_name), echoed), expected) << bits;
        }
    }
}

TEST(Version, P_WS_02_TheHighestSubProtocolInAnyOrder) {
    for (unsigned bits = 0; bits < 8; ++bits) {
        EXPECT_EQ(choose_sub_protocol(list_of(bits, sub_protocol_name)), highest(bits)) << bits;
    }
    EXPECT_EQ(choose_sub_protocol("v12.stomp, v11.stomp, v10.stomp"), Version::v1_2);
    EXPECT_EQ(choose_sub_protocol("v10.stomp,  v11.stomp"), Version::v1_1);
    EXPECT_EQ(choose_sub_protocol("chat, v10.stomp"), Version::v1_0);
}

TEST(Version, P_WS_03_NothingKnownIsChosenFromNothingKnown) {
    for (const char* offered :
         {"", "chat", "V12.STOMP", "v12", "stomp", "v12.stomp.x", "v13.stomp"}) {
        EXPECT_EQ(choose_sub_protocol(offered), std::nullopt) << offered;
    }
}

TEST(Version, P_WS_02_NamesAreThoseRegistered) {
    EXPECT_EQ(sub_protocol_name(Version::v1_0), "v10.stomp");
    EXPECT_EQ(sub_protocol_name(Version::v1_1), "v11.stomp");
    EXPECT_EQ(sub_protocol_name(Version::v1_2), "v12.stomp");
}

}  // namespace protocol
