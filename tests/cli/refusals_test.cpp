// What the tools say and exit with when a broker refuses them.
// Pure.
#include "broker/cli/refusals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace cli {
namespace {

using testing::HasSubstr;
using testing::Not;

Failure error_with(std::string_view message, std::string_view body) {
    const std::array<protocol::Header, 1> headers{{{"message", message}}};
    return refused_by_error({protocol::Command::error, headers, body});
}

TEST(Refusals, AnErrorFrameIsToldWithBothItsLines) {
    const Failure failure =
        error_with("bad-destination", "\"x\" is no destination.\nBegin with /.\n");
    EXPECT_EQ(failure.code(), ExitCode::failure);
    EXPECT_STREQ(
        failure.what(),
        "the broker answered ERROR: bad-destination\n  \"x\" is no destination.\n  Begin with /."
    );
}

TEST(Refusals, CredentialsAndRightsExitWithTheirOwnCode) {
    EXPECT_EQ(error_with("auth-failed", "").code(), ExitCode::refused);
    EXPECT_EQ(error_with("access-denied", "").code(), ExitCode::refused);
    EXPECT_EQ(refused_by_close(1008, "auth-failed wrong").code(), ExitCode::refused);
    EXPECT_EQ(refused_by_http(401, "", "ws://h").code(), ExitCode::refused);
    EXPECT_EQ(refused_by_http(403, "", "ws://h").code(), ExitCode::refused);
    EXPECT_EQ(refused_by_http(404, "", "ws://h").code(), ExitCode::failure);
}

TEST(Refusals, ACloseIsToldWithCodeReasonAndAdvice) {
    const Failure failure = refused_by_close(1012, "shutdown");
    EXPECT_THAT(failure.what(), HasSubstr("1012 shutdown"));
    EXPECT_THAT(failure.what(), HasSubstr("try again"));
}

TEST(Refusals, WhatAPeerSaysCannotDriveTheTerminal) {
    EXPECT_THAT(error_with("x\x1b[2J", "\x07y").what(), Not(HasSubstr("\x1b")));
    EXPECT_THAT(error_with("x", "\x07y").what(), HasSubstr("\\x07y"));
}

TEST(Refusals, AnHttpAnswerNamesTheUrlAndTheStatus) {
    const Failure failure = refused_by_http(404, "not found", "ws://h:1/x");
    EXPECT_THAT(failure.what(), HasSubstr("ws://h:1/x answered HTTP 404"));
    EXPECT_THAT(failure.what(), HasSubstr("/ws and /stomp"));
    EXPECT_THAT(failure.what(), HasSubstr("not found"));
}

}  // namespace
}  // namespace cli
