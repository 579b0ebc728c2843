// Every hostile token is refused, and for its own reason; the good ones beside them are accepted.
#include "protocol/base64.hpp"
#include "tests/security/hostile_tokens.hpp"
#include "tests/security/token_maker.hpp"

#include <gtest/gtest.h>

#include <malloc.h>
#include <set>
#include <string>

namespace security {
namespace {

void expect_refused(const HostileTokens& tokens) {
    for (const HostileToken& hostile : tokens) {
        const auto result = hostile_verifier().verify(hostile.token, test_now_ms);
        if (result) {
            ADD_FAILURE() << "accepted: " << hostile.name;
        } else {
            EXPECT_EQ(text_of(result.error().fault), text_of(hostile.fault)) << hostile.name;
        }
    }
}

TEST(HostileTokens, CVE_2026_44699_AlgorithmsAndKeysAreNotConfused) {
    expect_refused(hostile_algorithms());
}

TEST(HostileTokens, S_AUTH_10_KeyIds) {
    expect_refused(hostile_key_ids());
}

TEST(HostileTokens, S_AUTH_10_Shapes) {
    expect_refused(hostile_shapes());
}

TEST(HostileTokens, S_AUTH_10_Headers) {
    expect_refused(hostile_headers());
}

TEST(HostileTokens, S_AUTH_10_Times) {
    expect_refused(hostile_times());
}

TEST(HostileTokens, S_AUTH_10_Claims) {
    expect_refused(hostile_claims());
}

TEST(HostileTokens, S_AUTH_10_SignaturesOfRsa) {
    expect_refused(hostile_rsa_signatures());
}

TEST(HostileTokens, S_AUTH_10_SignaturesOfEcdsa) {
    expect_refused(hostile_ecdsa_signatures());
}

TEST(HostileTokens, S_AUTH_10_OtherSignatures) {
    expect_refused(hostile_other_signatures());
}

TEST(HostileTokens, S_AUTH_10_AreAtLeastSixtyKinds) {
    std::set<std::string> names;
    for (const auto& table :
         {hostile_algorithms(),
          hostile_key_ids(),
          hostile_shapes(),
          hostile_headers(),
          hostile_times(),
          hostile_claims(),
          hostile_rsa_signatures(),
          hostile_ecdsa_signatures(),
          hostile_other_signatures()}) {
        for (const HostileToken& hostile : table) {
            EXPECT_TRUE(names.insert(hostile.name).second) << hostile.name;
        }
    }
    EXPECT_GE(names.size(), 60U);
    RecordProperty("kinds", static_cast<int>(names.size()));
}

// What stands beside the hostile ones: without it all could fall for one reason.
TEST(HostileTokens, S_AUTH_10_GoodNeighboursAreAccepted) {
    const TokenMaker ec(JwtAlgorithm::es256);
    const auto accepts = [&](const std::string& token) {
        return hostile_verifier().verify(token, test_now_ms).has_value();
    };
    for (const JwtAlgorithm algorithm :
         {JwtAlgorithm::rs256, JwtAlgorithm::es256, JwtAlgorithm::eddsa, JwtAlgorithm::hs256}) {
        EXPECT_TRUE(accepts(TokenMaker(algorithm).token(good_claims()))) << traits(algorithm).name;
    }
    EXPECT_TRUE(accepts(ec.token(R"({"alg":"ES256","kid":"ec"})", good_claims())));
    EXPECT_TRUE(accepts(ec.token(R"({"alg":"ES256"})", good_claims())));
    EXPECT_TRUE(accepts(ec.token("{ \"typ\": \"at+jwt\",\r\n \"alg\" : \"ES256\" }", good_claims()))
    );
    EXPECT_TRUE(accepts(ec.token(R"({"alg":"ES256","x":[[[[[[[]]]]]]]})", good_claims())));
    EXPECT_TRUE(accepts(ec.token(good_claims(R"(,"x":[[[[[[[]]]]]]])"))));
    EXPECT_TRUE(accepts(ec.token(good_claims(R"(,"nbf":1700000030,"iat":1700000030)"))));
    EXPECT_TRUE(accepts(ec.token(good_claims(R"(,"nbf":0,"x":1.5e3,"y":18446744073709551616)"))));
    EXPECT_TRUE(accepts(ec.token(
        R"({"iss":"https://id.example","aud":["stampede"],"sub":"Änne\u0020M","exp":1699999971})"
    )));
    EXPECT_TRUE(accepts(ec.token(
        R"({"iss":"https:\/\/id.example","aud":["a","stampede"],"sub":"x","exp":253402300799})"
    )));
}

TEST(HostileTokens, S_AUTH_10_ATokenOf8KiBIsAcceptedAndOneOctetMoreIsNot) {
    const TokenMaker maker(JwtAlgorithm::hs256);
    bool has_exact = false;
    for (std::size_t fill = 5700; fill < 6200; ++fill) {
        const std::string token =
            maker.token(good_claims(",\"x\":\"" + std::string(fill, 'x') + "\""));
        const bool is_accepted = hostile_verifier().verify(token, test_now_ms).has_value();
        ASSERT_EQ(is_accepted, token.size() <= token_octets_max) << token.size();
        has_exact = has_exact || token.size() == token_octets_max;
    }
    EXPECT_TRUE(has_exact);
}

/// Every bit for one algorithm of each family, for the others one of each octet, in turn.
std::size_t step_of(JwtAlgorithm algorithm) {
    const bool is_first = algorithm == JwtAlgorithm::rs256 || algorithm == JwtAlgorithm::es256 ||
                          algorithm == JwtAlgorithm::eddsa || algorithm == JwtAlgorithm::hs256;
    return is_first ? 1 : 9;
}

// A bit of a letter is one of the text, of the encoding, or of a dot.
TEST(HostileTokens, S_AUTH_10_OneBitFlippedAnywhereRefuses) {
    for (const JwtAlgorithm algorithm : all_algorithms()) {
        const JwtVerifier verifier(test_settings(), key_set({algorithm}));
        const std::string good = TokenMaker(algorithm).token(good_claims());
        ASSERT_TRUE(verifier.verify(good, test_now_ms));
        for (std::size_t bit = 0; bit < good.size() * 8; bit += step_of(algorithm)) {
            std::string token = good;
            token[bit / 8] = static_cast<char>(token[bit / 8] ^ (1 << bit % 8));
            ASSERT_FALSE(verifier.verify(token, test_now_ms))
                << traits(algorithm).name << ", bit " << bit;
        }
    }
}

// The same for what is signed, past the encoding: each bit of the signature's own octets.
TEST(HostileTokens, S_AUTH_10_OneBitOfTheSignatureFlippedRefuses) {
    for (const JwtAlgorithm algorithm : all_algorithms()) {
        const TokenMaker maker(algorithm);
        const JwtKey key = maker.key();
        const std::string good = maker.signature("text");
        for (std::size_t bit = 0; bit < good.size() * 8; bit += step_of(algorithm)) {
            std::string signature = good;
            signature[bit / 8] = static_cast<char>(signature[bit / 8] ^ (1 << bit % 8));
            ASSERT_FALSE(key.verifies("text", signature))
                << traits(algorithm).name << ", bit " << bit;
        }
    }
}

TEST(HostileTokens, S_AUTH_10_EveryPrefixAndSuffixOfATokenIsRefused) {
    const std::string good = TokenMaker(JwtAlgorithm::es256).token(good_claims());
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(hostile_verifier().verify(good.substr(0, size), test_now_ms)) << size;
        EXPECT_FALSE(hostile_verifier().verify(good.substr(size + 1), test_now_ms)) << size;
    }
}

// Nothing of a token outlives its verifying, neither of a good one nor of a bad one.
TEST(HostileTokens, CVE_2026_66071_DistinctClaimsAndIdsLeaveNothingBehind) {
    const TokenMaker maker(JwtAlgorithm::hs256);
    const auto verify = [&](int i) {
        const std::string n = std::to_string(i);
        const std::string header = R"({"alg":"HS256","kid":"k)" + n + "\"}";
        const std::string claims = good_claims(",\"c" + n + "\":\"v" + n + "\"");
        EXPECT_FALSE(hostile_verifier().verify(maker.token(header, claims), test_now_ms));
        EXPECT_TRUE(hostile_verifier().verify(maker.token(claims), test_now_ms));
    };
    verify(0);
    const std::size_t before = mallinfo2().uordblks;
    for (int i = 1; i < 3'000; ++i) {
        verify(i);
    }
    // Ten octets for each would be more.
    EXPECT_LT(mallinfo2().uordblks, before + 30'000);
}

}  // namespace
}  // namespace security
