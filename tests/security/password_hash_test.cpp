// Stored hashes of passcodes (S-AUTH-06, S-AUTH-07).
#include "broker/security/password_hash.hpp"

#include "broker/security/argon2id.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace security {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Vectors that others have published or made: those of bcrypt and of argon2id's reference.
constexpr const char* bcrypt_of_u = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
constexpr const char* yescrypt_of_x =
    "$y$j75$5Qk/5Qk/5Qk/5Qk/5Qk/5.$pyWzpqC/pOORMC9jwLZGZLiiP.qAXHWblJxY0OCyQF6";
constexpr const char* argon2id_of_password =
    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";

std::vector<HashKind> kinds() {
    std::vector<HashKind> all = {HashKind::yescrypt, HashKind::bcrypt};
    if (has_argon2id()) { all.push_back(HashKind::argon2id); }
    return all;
}

std::string bcrypt_with_cost(std::string_view cost) {
    return "$2b$" + std::string(cost) + std::string(bcrypt_of_u).substr(6);
}

std::string yescrypt_with(std::string_view settings) {
    return "$y$" + std::string(settings) + std::string(yescrypt_of_x).substr(6);
}

std::string argon2id_with(std::string_view parameters) {
    return "$argon2id$v=19$" + std::string(parameters) + "$c29tZXNhbHQ$" +
           "bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";
}

TEST(PasswordHash, S_AUTH_06_HashesThatOthersMadeAreChecked) {
    EXPECT_TRUE(verify_passcode("U*U", bcrypt_of_u));
    EXPECT_TRUE(verify_passcode("U*U", "$2y$" + std::string(bcrypt_of_u).substr(4)));
    EXPECT_TRUE(verify_passcode("x", yescrypt_of_x));
    EXPECT_FALSE(verify_passcode("U*V", bcrypt_of_u));
    EXPECT_FALSE(verify_passcode("y", yescrypt_of_x));
}

TEST(PasswordHash, S_AUTH_06_Argon2idThatOthersMadeIsChecked) {
    if (!has_argon2id()) { GTEST_SKIP() << "built without libargon2"; }
    EXPECT_TRUE(verify_passcode("password", argon2id_of_password));
    EXPECT_FALSE(verify_passcode("passwort", argon2id_of_password));
}

TEST(PasswordHash, S_AUTH_06_WhatIsMadeIsVerified) {
    for (const HashKind kind : kinds()) {
        const std::string hash = make_hash("correct horse ✓", kind);
        EXPECT_EQ(hash_fault(hash), "");
        EXPECT_EQ(hash_kind(hash), kind);
        EXPECT_TRUE(verify_passcode("correct horse ✓", hash));
        EXPECT_FALSE(verify_passcode("correct horse", hash));
        EXPECT_FALSE(verify_passcode("", hash));
    }
}

TEST(PasswordHash, S_SEC_03_NoTwoSaltsAreTheSame) {
    for (const HashKind kind : kinds()) {
        EXPECT_NE(make_hash("same", kind), make_hash("same", kind));
    }
}

TEST(PasswordHash, S_AUTH_06_EachChangedCharacterOfADigestRefuses) {
    const std::string good = bcrypt_of_u;
    for (std::size_t at = good.size() - 31; at < good.size() - 1; ++at) {
        std::string bad = good;
        bad[at] = bad[at] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(verify_passcode("U*U", bad)) << at;
    }
}

TEST(PasswordHash, S_AUTH_06_OtherKindsAreRefusedByName) {
    EXPECT_THAT(hash_fault("$1$abcdefgh$1234567890123456789012"), HasSubstr("MD5"));
    EXPECT_THAT(hash_fault("$apr1$abcdefgh$1234567890123456789012"), HasSubstr("MD5"));
    EXPECT_THAT(hash_fault("$5$abcdefgh$" + std::string(43, 'a')), HasSubstr("SHA-256"));
    EXPECT_THAT(hash_fault("$6$abcdefgh$" + std::string(86, 'a')), HasSubstr("SHA-512"));
    EXPECT_THAT(hash_fault("{SHA}NWoZK3kTsExUV00Ywo1G5jlUKKs="), HasSubstr("not taken"));
    EXPECT_THAT(hash_fault("$argon2i$v=19$m=256,t=2,p=2$c29t$c29t"), HasSubstr("argon2i;"));
    EXPECT_THAT(hash_fault("$2a$" + std::string(bcrypt_of_u).substr(4)), HasSubstr("$2a$"));
    EXPECT_THAT(hash_fault("$7$CU"), HasSubstr("not taken"));
    EXPECT_THAT(hash_fault("*"), HasSubstr("locked"));
    EXPECT_THAT(hash_fault("rl.3StKT.4T8M"), HasSubstr("plain passcode or an unsalted"));
    EXPECT_THAT(
        hash_fault("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"),
        HasSubstr("plain passcode or an unsalted")
    );
    EXPECT_EQ(hash_fault(""), "is empty");
}

TEST(PasswordHash, S_AUTH_06_DamagedHashesAreRefused) {
    for (const std::string good : {bcrypt_of_u, yescrypt_of_x}) {
        EXPECT_EQ(hash_fault(good), "");
        EXPECT_NE(hash_fault(good + "a"), "") << good;
        EXPECT_NE(hash_fault(good.substr(0, good.size() - 1) + "!"), "") << good;
        for (std::size_t size = 0; size < good.size(); ++size) {
            EXPECT_NE(hash_fault(good.substr(0, size)), "") << good.substr(0, size);
            EXPECT_FALSE(verify_passcode("x", good.substr(0, size)));
        }
    }
    EXPECT_NE(hash_fault("$y$j9T$$" + std::string(43, 'a')), "") << "no salt";
    EXPECT_NE(hash_fault("$y$j9T$" + std::string(87, 'a') + "$" + std::string(43, 'a')), "");
}

TEST(PasswordHash, S_AUTH_06_DamagedArgon2idIsRefused) {
    if (!has_argon2id()) { GTEST_SKIP() << "built without libargon2"; }
    const std::string good = argon2id_of_password;
    const std::size_t shortest_digest = 22;
    EXPECT_EQ(hash_fault(good), "");
    EXPECT_NE(hash_fault(good + "!"), "");
    EXPECT_NE(hash_fault(good + std::string(600, 'A')), "");
    for (std::size_t size = 0; size < good.rfind('$') + shortest_digest; ++size) {
        EXPECT_NE(hash_fault(good.substr(0, size)), "") << good.substr(0, size);
    }
    // A digest of another size is another hash, not the beginning of this one.
    EXPECT_FALSE(verify_passcode("password", good.substr(0, good.size() - 3)));
}

TEST(PasswordHash, S_AUTH_06_CostsThatWouldStallTheBrokerAreRefused) {
    EXPECT_EQ(hash_fault(bcrypt_with_cost("14")), "");
    EXPECT_THAT(hash_fault(bcrypt_with_cost("15")), HasSubstr("above 14"));
    EXPECT_THAT(hash_fault(bcrypt_with_cost("99")), HasSubstr("above 14"));
    EXPECT_THAT(hash_fault(bcrypt_with_cost("03")), HasSubstr("below 4"));
    EXPECT_NE(hash_fault(bcrypt_with_cost("1 ")), "");
    EXPECT_NE(hash_fault(bcrypt_with_cost("-1")), "");
    EXPECT_EQ(hash_fault(yescrypt_with("jDT")), "") << "256 MiB";
    EXPECT_THAT(hash_fault(yescrypt_with("jET")), HasSubstr("256 MiB"));
    EXPECT_THAT(hash_fault(yescrypt_with("jg/")), HasSubstr("256 MiB")) << "2^43 blocks";
    EXPECT_NE(hash_fault(yescrypt_with("jzz")), "") << "numbers of several digits";
    EXPECT_NE(hash_fault(yescrypt_with("j/T")), "") << "too cheap";
    EXPECT_NE(hash_fault(yescrypt_with("j9T1")), "") << "optional parameters";
    EXPECT_NE(hash_fault(yescrypt_with("/9T")), "") << "other flavour";
}

TEST(PasswordHash, S_AUTH_06_CostsOfArgon2idAreBounded) {
    if (!has_argon2id()) { GTEST_SKIP() << "built without libargon2"; }
    EXPECT_EQ(hash_fault(argon2id_with("m=262144,t=4,p=1")), "");
    EXPECT_EQ(hash_fault(argon2id_with("m=65536,t=10,p=64")), "");
    EXPECT_THAT(hash_fault(argon2id_with("m=262145,t=1,p=1")), HasSubstr("256 MiB"));
    EXPECT_THAT(hash_fault(argon2id_with("m=4294967295,t=1,p=1")), HasSubstr("256 MiB"));
    EXPECT_THAT(hash_fault(argon2id_with("m=65536,t=11,p=1")), HasSubstr("10 passes"));
    EXPECT_THAT(hash_fault(argon2id_with("m=262144,t=5,p=1")), HasSubstr("too much work"));
    EXPECT_THAT(hash_fault(argon2id_with("m=65536,t=1,p=65")), HasSubstr("64 lanes"));
    EXPECT_THAT(hash_fault(argon2id_with("m=15,t=1,p=2")), HasSubstr("less memory"));
    for (const char* const bad :
         {"m=4294967296,t=1,p=1",
          "m=0,t=1,p=1",
          "m=64,t=0,p=1",
          "m=064,t=1,p=1",
          "m=-64,t=1,p=1",
          "m=+64,t=1,p=1",
          "m=64,t=1",
          "t=1,m=64,p=1",
          "m=64,t=1,p=1,keyid=AA",
          "m=64,t=1,p=1 "}) {
        EXPECT_THAT(hash_fault(argon2id_with(bad)), StartsWith("is damaged")) << bad;
    }
}

TEST(PasswordHash, S_AUTH_06_Argon2idHasOneForm) {
    const auto parsed = parse_argon2id(argon2id_of_password);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->memory_kib, 256U);
    EXPECT_EQ(parsed->salt, "somesalt");
    EXPECT_EQ(to_string(*parsed), argon2id_of_password);
    const std::string begin = "$argon2id$v=19$m=256,t=2,p=2$";
    EXPECT_FALSE(parse_argon2id(begin + "c29tZXNhbHQ=$bQk8UB/VmZZF4Oo79iDXuA")) << "padding";
    EXPECT_FALSE(parse_argon2id(begin + "c29tZXNhbHR$bQk8UB/VmZZF4Oo79iDXuA")) << "bits left";
    EXPECT_FALSE(parse_argon2id(begin + "c29tZ$bQk8UB/VmZZF4Oo79iDXuA")) << "a lone character";
    EXPECT_FALSE(parse_argon2id("$argon2id$v=16$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuA"));
    EXPECT_FALSE(parse_argon2id(begin + "c29tZXNhbHQ$bQk8UB$VmZZF4Oo79iDXuA"));
}

TEST(PasswordHash, S_AUTH_06_WithoutLibargon2ItsHashesAreRefusedWithThatReason) {
    if (has_argon2id()) { GTEST_SKIP() << "built with libargon2"; }
    EXPECT_THAT(hash_fault(argon2id_of_password), HasSubstr("libargon2"));
    EXPECT_FALSE(verify_passcode("password", argon2id_of_password));
    EXPECT_FALSE(is_available(HashKind::argon2id));
}

TEST(PasswordHash, S_AUTH_07_BcryptRefusesMoreThan72OctetsInsteadOfCuttingThem) {
    const std::string longest(72, 'p');
    const std::string hash = make_hash(longest, HashKind::bcrypt);
    EXPECT_TRUE(verify_passcode(longest, hash));
    // bcrypt itself would say yes: it looks at 72 octets.
    EXPECT_FALSE(verify_passcode(longest + "q", hash));
    EXPECT_THROW((void)make_hash(longest + "q", HashKind::bcrypt), std::runtime_error);
    EXPECT_THAT(passcode_fault(longest + "q", HashKind::bcrypt), HasSubstr("72 octets"));
}

TEST(PasswordHash, S_AUTH_07_AnOctet0RefusesInsteadOfEndingThePasscode) {
    const std::string with_nul("x\0y", 3);
    EXPECT_FALSE(verify_passcode(with_nul, yescrypt_of_x));
    for (const HashKind kind : kinds()) {
        EXPECT_FALSE(verify_passcode(with_nul, make_hash("x", kind)));
        EXPECT_THROW((void)make_hash(with_nul, kind), std::runtime_error);
    }
}

TEST(PasswordHash, S_AUTH_07_PasscodesBeyondWhatCryptTakesAreRefused) {
    const std::string longest(passcode_bytes_max, 'p');
    for (const HashKind kind : kinds()) {
        EXPECT_NE(passcode_fault(longest + "p", kind), "");
        EXPECT_NE(passcode_fault("", kind), "");
    }
    const std::string hash = make_hash(longest, HashKind::yescrypt);
    EXPECT_TRUE(verify_passcode(longest, hash));
    EXPECT_FALSE(verify_passcode(longest + "p", hash));
    EXPECT_FALSE(verify_passcode(std::string(1U << 20U, 'p'), hash));
}

TEST(PasswordHash, S_AUTH_07_NoPasscodeStandsInForAnother) {
    const char* const stand_in = "a passcode that cannot be hashed";
    const std::string hash = make_hash(stand_in, HashKind::bcrypt);
    EXPECT_TRUE(verify_passcode(stand_in, hash));
    EXPECT_FALSE(verify_passcode(std::string(73, 'p'), hash));
}

TEST(PasswordHash, S_AUTH_07_ADecoyCostsTheSameAndFitsNoPasscode) {
    for (const HashKind kind : kinds()) {
        const std::string hash = make_hash("x", kind);
        const std::string decoy = decoy_hash(hash);
        EXPECT_EQ(hash_fault(decoy), "");
        EXPECT_EQ(hash_cost(decoy), hash_cost(hash));
        EXPECT_EQ(decoy.size(), hash.size());
        EXPECT_FALSE(verify_passcode("x", decoy));
        EXPECT_NE(decoy_hash(hash), decoy);
    }
}

TEST(PasswordHash, S_AUTH_07_TheCostOfAHashIsWithoutItsSalt) {
    EXPECT_EQ(hash_cost(bcrypt_of_u), "$2b$05");
    EXPECT_EQ(hash_cost(yescrypt_of_x), "$y$j75");
    EXPECT_EQ(hash_cost(argon2id_of_password), "$argon2id$v=19$m=256,t=2,p=2");
}

TEST(PasswordHash, KindsHaveNames) {
    EXPECT_EQ(hash_kind_named("yescrypt"), HashKind::yescrypt);
    EXPECT_EQ(hash_kind_named("bcrypt"), HashKind::bcrypt);
    EXPECT_EQ(hash_kind_named("argon2id"), HashKind::argon2id);
    EXPECT_FALSE(hash_kind_named("md5"));
}

}  // namespace
}  // namespace security
