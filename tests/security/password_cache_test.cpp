// Logins that were right a moment ago (S-AUTH-09).
#include "broker/security/password_cache.hpp"

#include <gtest/gtest.h>

namespace security {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PasswordCacheTest : public testing::Test {
protected:
    void remember(const std::string& login, const std::string& passcode) {
        cache.remember({login, passcode}, principal, cache.generation(), now);
    }

    [[nodiscard]] bool has(const std::string& login, const std::string& passcode) {
        return cache.find({login, passcode}, now) != nullptr;
    }

    PasswordCache cache{{3, PasswordCache::lifetime_max}};
    engine::PrincipalRef principal = std::make_shared<const engine::Principal>();
    PasswordCache::Time now{seconds(1'000)};
};

TEST_F(PasswordCacheTest, S_AUTH_09_FindsWhatItRemembersAndNothingElse) {
    EXPECT_FALSE(has("anna", "x"));
    remember("anna", "x");
    EXPECT_EQ(cache.find({"anna", "x"}, now), principal);
    EXPECT_FALSE(has("anna", "y"));
    EXPECT_FALSE(has("anna", ""));
    EXPECT_FALSE(has("ann", "ax"));
    EXPECT_FALSE(has("Anna", "x"));
    EXPECT_FALSE(has("", ""));
}

TEST_F(PasswordCacheTest, S_AUTH_09_TheBorderOfLoginAndPasscodeDoesNotMove) {
    remember("anna", std::string("x\0y", 3));
    EXPECT_TRUE(has("anna", std::string("x\0y", 3)));
    EXPECT_FALSE(has(std::string("anna\0x", 6), "y"));
    remember(std::string("bob\0x", 5), "y");
    EXPECT_FALSE(has("bob", std::string("x\0y", 3)));
    EXPECT_EQ(cache.size(), 1U);
}

TEST_F(PasswordCacheTest, S_AUTH_09_ForgetsAfter60SecondsWhateverItsUse) {
    remember("anna", "x");
    now += seconds(59);
    EXPECT_TRUE(has("anna", "x"));
    now += milliseconds(999);
    EXPECT_TRUE(has("anna", "x"));
    now += milliseconds(1);
    EXPECT_FALSE(has("anna", "x"));
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(PasswordCacheTest, S_AUTH_09_LifetimesCanBeShorterButNotLonger) {
    cache.remember({"anna", "x"}, principal, cache.generation(), now, seconds(5));
    cache.remember({"bob", "x"}, principal, cache.generation(), now, seconds(3600));
    now += seconds(5);
    EXPECT_FALSE(has("anna", "x"));
    EXPECT_TRUE(has("bob", "x"));
    now += seconds(55);
    EXPECT_FALSE(has("bob", "x"));
    PasswordCache longer({10, seconds(3600)});
    longer.remember({"anna", "x"}, principal, longer.generation(), now, seconds(3600));
    EXPECT_EQ(longer.find({"anna", "x"}, now + seconds(60)), nullptr);
    PasswordCache shorter({10, seconds(1)});
    shorter.remember({"anna", "x"}, principal, shorter.generation(), now);
    EXPECT_EQ(shorter.find({"anna", "x"}, now + seconds(1)), nullptr);
}

TEST_F(PasswordCacheTest, S_AUTH_09_ReloadAndChangesOfUsersEmptyIt) {
    remember("anna", "x");
    cache.clear();
    EXPECT_FALSE(has("anna", "x"));
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(PasswordCacheTest, S_AUTH_09_AnAnswerThatIsOlderThanTheReloadIsNotKept) {
    const std::uint64_t generation = cache.generation();
    cache.clear();
    cache.remember({"anna", "x"}, principal, generation, now);
    EXPECT_FALSE(has("anna", "x"));
    remember("anna", "x");
    EXPECT_TRUE(has("anna", "x"));
}

TEST_F(PasswordCacheTest, S_AUTH_09_NegativeAnswersAreNotKept) {
    cache.remember({"anna", "x"}, nullptr, cache.generation(), now);
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(PasswordCacheTest, S_SEC_04_TheOneUsedLongestAgoGoesFirst) {
    remember("a", "x");
    remember("b", "x");
    remember("c", "x");
    EXPECT_TRUE(has("a", "x"));
    remember("d", "x");
    EXPECT_FALSE(has("b", "x"));
    EXPECT_TRUE(has("a", "x"));
    EXPECT_TRUE(has("c", "x"));
    EXPECT_TRUE(has("d", "x"));
    for (int i = 0; i < 10'000; ++i) {
        remember("user", std::to_string(i));
        ASSERT_LE(cache.size(), 3U);
    }
}

TEST_F(PasswordCacheTest, S_AUTH_09_WhatIsRememberedAgainTakesOnePlaceAndBeginsAnew) {
    remember("a", "x");
    now += seconds(59);
    const auto other = std::make_shared<const engine::Principal>();
    cache.remember({"a", "x"}, other, cache.generation(), now);
    EXPECT_EQ(cache.size(), 1U);
    now += seconds(59);
    EXPECT_EQ(cache.find({"a", "x"}, now), other);
}

}  // namespace
}  // namespace security
