// Whatever the broker accepts a second, slow verifier accepts (S-AUTH-10).
#include "tests/security/jwt_reference.hpp"

#include "protocol/base64.hpp"
#include "tests/security/hostile_tokens.hpp"
#include "tests/security/token_maker.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace security {
namespace {

const JwtVerifier& verifier() {
    static const JwtVerifier made(test_settings(), key_set(all_algorithms()));
    return made;
}

TEST(JwtReference, S_AUTH_10_AcceptsGoodTokensOfEveryAlgorithm) {
    for (const JwtAlgorithm algorithm : all_algorithms()) {
        for (int i = 0; i < 3; ++i) {
            const std::string token =
                TokenMaker(algorithm).token(good_claims(",\"i\":" + std::to_string(i)));
            EXPECT_TRUE(verifier().verify(token, test_now_ms)) << traits(algorithm).name;
            EXPECT_TRUE(reference_accepts(token, test_now_ms)) << traits(algorithm).name;
        }
    }
}

// So that it is no reference that accepts everything.
TEST(JwtReference, S_AUTH_10_RefusesHostileSignatures) {
    for (const auto& table :
         {hostile_rsa_signatures(), hostile_ecdsa_signatures(), hostile_other_signatures()}) {
        for (const HostileToken& hostile : table) {
            EXPECT_FALSE(reference_accepts(hostile.token, test_now_ms)) << hostile.name;
        }
    }
}

std::string number(std::mt19937& random) {
    static const std::vector<std::string> numbers{
        "0",
        "-1",
        "1.5",
        "1e3",
        "9223372036854775807",
        "9223372036854775808",
        "1700000029",
        "1700000030",
        "1700000031",
        "1699999970",
        "1699999971",
        "1700000600",
        "253402300800",
        "null",
        "\"1\"",
        "true"};
    return numbers[random() % numbers.size()];
}

std::string text(std::mt19937& random) {
    static const std::vector<std::string> texts{
        "\"https://id.example\"",
        "\"stampede\"",
        "\"anna\"",
        "[\"stampede\"]",
        "[\"a\",\"stampede\"]",
        "\"*\"",
        "\"\"",
        "[]",
        "null",
        "1",
        "\"st\\u0061mpede\"",
        "\"a\\u0000\"",
        "{}"};
    return texts[random() % texts.size()];
}

/// Claims of which each is right four times out of five.
std::string random_claims(std::mt19937& random) {
    const auto often = [&](const std::string& good, const std::string& other) {
        return random() % 5 == 0 ? other : good;
    };
    std::string claims = "{\"iss\":" + often("\"https://id.example\"", text(random)) +
                         ",\"aud\":" + often("\"stampede\"", text(random)) +
                         ",\"sub\":" + often("\"anna\"", text(random)) +
                         ",\"exp\":" + often("1700000600", number(random));
    if (random() % 3 == 0) { claims += ",\"nbf\":" + number(random); }
    if (random() % 3 == 0) { claims += ",\"iat\":" + number(random); }
    if (random() % 8 == 0) { claims += ",\"exp\":" + number(random); }
    return claims + "}";
}

std::string random_header(std::mt19937& random, const TokenMaker& maker) {
    static const std::vector<std::string> more{
        ",\"kid\":\"x\"", ",\"crit\":[]", ",\"typ\":1", ",\"alg\":\"none\"", ",\"b64\":true"};
    std::string header = maker.header();
    if (random() % 6 == 0) { header.insert(header.size() - 1, more[random() % more.size()]); }
    return header;
}

/// One change of a letter, or none.
std::string bent(std::mt19937& random, std::string token) {
    if (random() % 3 == 0) { token[random() % token.size()] = "AZaz09-_.= "[random() % 11]; }
    return token;
}

TEST(JwtReference, S_AUTH_10_WhatTheBrokerAcceptsTheReferenceAccepts) {
    std::mt19937 random(20);
    int accepted = 0;
    const TokenMaker makers[] = {
        TokenMaker(JwtAlgorithm::hs256),
        TokenMaker(JwtAlgorithm::es256),
        TokenMaker(JwtAlgorithm::hs512)};
    for (int round = 0; round < 3'000; ++round) {
        const TokenMaker& maker = makers[random() % 8 == 0 ? 1 : random() % 2 * 2];
        const std::string token =
            bent(random, maker.token(random_header(random, maker), random_claims(random)));
        if (!verifier().verify(token, test_now_ms)) { continue; }
        ++accepted;
        ASSERT_TRUE(reference_accepts(token, test_now_ms)) << token;
    }
    EXPECT_GT(accepted, 200);
}

}  // namespace
}  // namespace security
