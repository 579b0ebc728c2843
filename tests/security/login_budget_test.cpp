// Failed logins by address (S-AUTH-16).
#include "broker/security/login_budget.hpp"

#include <gtest/gtest.h>

namespace security {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class LoginBudgetTest : public testing::Test {
protected:
    milliseconds fail(const char* key = "192.0.2.1") { return budget.failed(key, now); }

    [[nodiscard]] bool is_over(const char* key = "192.0.2.1") const {
        return budget.is_over(key, now);
    }

    void fail_times(int times, const char* key = "192.0.2.1") {
        for (int i = 0; i < times; ++i) {
            EXPECT_EQ(fail(key), milliseconds(0)) << i;
        }
    }

    LoginBudget budget{{}};
    LoginBudget::Time now{seconds(1'000'000)};
};

TEST_F(LoginBudgetTest, S_AUTH_16_TenFailuresAMinuteCostNothing) {
    EXPECT_FALSE(is_over());
    fail_times(9);
    EXPECT_FALSE(is_over());
    fail_times(1);
    EXPECT_TRUE(is_over());
}

TEST_F(LoginBudgetTest, S_AUTH_16_ThenRefusalsWaitOneSecondDoublingToEight) {
    fail_times(10);
    for (const int delay : {1, 2, 4, 8, 8, 8}) {
        EXPECT_EQ(fail(), seconds(delay));
    }
    for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(fail(), seconds(8));
    }
}

TEST_F(LoginBudgetTest, S_AUTH_16_TheMinuteEndsAndWithItTheDelay) {
    fail_times(5);
    now += seconds(30);
    fail_times(5);
    EXPECT_EQ(fail(), seconds(1));
    now += seconds(30) - milliseconds(1);
    EXPECT_TRUE(is_over());
    now += milliseconds(1);
    EXPECT_FALSE(is_over());
    fail_times(10);
    EXPECT_TRUE(is_over());
    EXPECT_EQ(fail(), seconds(1));
}

TEST_F(LoginBudgetTest, S_AUTH_16_EachAddressHasItsOwn) {
    fail_times(10, "192.0.2.1");
    EXPECT_EQ(fail("192.0.2.1"), seconds(1));
    EXPECT_FALSE(is_over("192.0.2.2"));
    fail_times(10, "192.0.2.2");
    fail_times(10, "2001:db8::/64");
}

TEST_F(LoginBudgetTest, S_AUTH_16_AskingDoesNotCount) {
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(is_over());
    }
    EXPECT_EQ(budget.size(), 0U);
}

TEST_F(LoginBudgetTest, S_AUTH_16_BudgetWindowAndDelaysAreSettings) {
    budget = LoginBudget({2, minutes(5), milliseconds(300), milliseconds(1000), 10});
    fail_times(2);
    EXPECT_TRUE(is_over());
    for (const int delay : {300, 600, 1000, 1000}) {
        EXPECT_EQ(fail(), milliseconds(delay));
    }
    now += minutes(4);
    EXPECT_TRUE(is_over());
}

TEST_F(LoginBudgetTest, S_SEC_04_OnlySoManyAddressesAreRemembered) {
    budget = LoginBudget({1, minutes(1), seconds(1), seconds(8), 1000});
    fail_times(1, "first");
    fail_times(1, "second");
    for (int i = 0; i < 998; ++i) {
        fail_times(1, std::to_string(i).c_str());
    }
    EXPECT_EQ(fail("first"), seconds(1)) << "remembered, and now the last to have failed";
    for (int i = 0; i < 100'000; ++i) {
        fail_times(1, std::to_string(1000 + i).c_str());
        if (i == 0) {
            EXPECT_FALSE(is_over("second")) << "forgotten first";
            EXPECT_TRUE(is_over("first"));
        }
        ASSERT_LE(budget.size(), 1000U);
    }
    EXPECT_FALSE(is_over("first"));
}

TEST(LoginBudgetLimits, S_AUTH_16_DefaultsAreThoseOfTheSpecification) {
    const LoginBudget::Limits limits;
    EXPECT_EQ(limits.failures, 10U);
    EXPECT_EQ(limits.window, minutes(1));
    EXPECT_EQ(limits.addresses, 65'536U);
}

}  // namespace
}  // namespace security
