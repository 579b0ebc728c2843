// Secrets are not shown and leave nothing behind (S-SEC-01).
#include "broker/engine/secret.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>
#include <type_traits>

namespace engine {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<const char*, Secret>);

TEST(Secret, S_SEC_01_IsNeverPrinted) {
    const Secret secret("hunter2");
    std::ostringstream out;
    out << secret;
    EXPECT_EQ(out.str(), "***");
    EXPECT_EQ(fmt::format("{}", secret), "***");
    EXPECT_EQ(secret.reveal(), "hunter2");
}

TEST(Secret, S_SEC_01_MovesAndLeavesNothing) {
    Secret first("hunter2");
    Secret second = std::move(first);
    EXPECT_TRUE(first.empty());  // NOLINT: what was moved is empty by contract.
    EXPECT_EQ(first.reveal(), "");
    EXPECT_EQ(second.duplicate().reveal(), "hunter2");
    second = Secret();
    EXPECT_TRUE(second.empty());
}

}  // namespace
}  // namespace engine
