// Slips of the hand and longer forms of a command find it; other words find nothing.
// Pure.
#include "broker/cli/nearest.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cli {
namespace {

const std::vector<std::string>& commands() {
    static const std::vector<std::string> names{
        "serve", "pub", "sub", "req", "ping", "top", "admin", "check-config", "healthcheck"};
    return names;
}

TEST(Nearest, O_8_FindsLongerAndShorterForms) {
    EXPECT_EQ(nearest("subscribe", commands()), "sub");
    EXPECT_EQ(nearest("publish", commands()), "pub");
    EXPECT_EQ(nearest("request", commands()), "req");
    EXPECT_EQ(nearest("health", commands()), "healthcheck");
    EXPECT_EQ(nearest("queues", {"queue", "connections"}), "queue");
    EXPECT_EQ(nearest("connection", {"queue", "connections"}), "connections");
}

TEST(Nearest, O_8_FindsSlips) {
    EXPECT_EQ(nearest("sevre", commands()), "serve");
    EXPECT_EQ(nearest("pinng", commands()), "ping");
    EXPECT_EQ(nearest("chekc-config", commands()), "check-config");
    EXPECT_EQ(nearest("pug", commands()), "pub");
}

TEST(Nearest, O_8_FindsNothingForOtherWords) {
    EXPECT_EQ(nearest("frobnicate", commands()), "");
    EXPECT_EQ(nearest("delete", {"browse", "purge", "move"}), "");
    EXPECT_EQ(nearest("", commands()), "");
    EXPECT_EQ(nearest("x", commands()), "");
    EXPECT_EQ(nearest("sub", {}), "");
}

}  // namespace
}  // namespace cli
