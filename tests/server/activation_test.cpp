// Whose socket is whose, without a service manager: the sockets are given as values.
#include "broker/server/activation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace server {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<InheritedSocket> some() {
    return {
        {"tcp", 3, "127.0.0.1", 61613},
        {"ws", 4, "0.0.0.0", 15674},
        {"tcp", 5, "::1", 61613},
        {"orders", 6, "10.0.0.1", 61614}};
}

template <class F>
std::string refusal_of(F&& work) {
    try {
        work();
    } catch (const std::runtime_error& error) { return error.what(); }
    return "none";
}

TEST(Activation, O_7_AListenerTakesAllSocketsOfItsName) {
    Inherited inherited(some());
    const auto taken = inherited.take("tcp", "127.0.0.1");
    ASSERT_EQ(taken.size(), 2U);
    EXPECT_EQ(taken[0].descriptor, 3);
    EXPECT_EQ(taken[1].descriptor, 5);
    EXPECT_TRUE(inherited.take("tcp", "127.0.0.1").empty());
    EXPECT_TRUE(inherited.take("another", "127.0.0.1").empty());
}

TEST(Activation, O_7_WhatNobodyTakesIsRefusedWithTheNamesThatAre) {
    Inherited inherited(some());
    static_cast<void>(inherited.take("tcp", "127.0.0.1"));
    static_cast<void>(inherited.take("ws", "0.0.0.0"));
    EXPECT_THAT(
        refusal_of([&] { inherited.check_taken(); }),
        AllOf(HasSubstr("\"orders\""), HasSubstr("10.0.0.1:61614"), HasSubstr("tcp, ws"))
    );
    static_cast<void>(inherited.take("orders", "10.0.0.1"));
    EXPECT_EQ(refusal_of([&] { inherited.check_taken(); }), "none");
}

TEST(Activation, O_7_WhoTakesOneRefusesTwo) {
    Inherited inherited(some());
    EXPECT_EQ(inherited.take_one("orders", "10.0.0.1"), 6);
    EXPECT_EQ(inherited.take_one("admin", "127.0.0.1"), std::nullopt);
    EXPECT_THAT(
        refusal_of([&] { static_cast<void>(inherited.take_one("tcp", "127.0.0.1")); }),
        HasSubstr("2 sockets")
    );
}

TEST(Activation, S_BIND_03_ASocketIsNotMorePublicThanItsListener) {
    Inherited inherited(some());
    EXPECT_THAT(
        refusal_of([&] { static_cast<void>(inherited.take("ws", "127.0.0.1")); }),
        HasSubstr("0.0.0.0:15674")
    );
    EXPECT_EQ(refusal_of([&] { static_cast<void>(inherited.take("ws", "0.0.0.0")); }), "none");
}

TEST(Activation, O_7_NothingIsInheritedWithoutTheManagersWord) {
    EXPECT_TRUE(inherited_sockets([](const char*) { return nullptr; }).empty());
}

}  // namespace
}  // namespace server
