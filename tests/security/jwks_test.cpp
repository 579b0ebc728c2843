// Sets of keys as JSON: what is not ours is left out, what is broken refuses all (S-AUTH-10, -11).
#include "broker/security/jwks.hpp"

#include "protocol/base64.hpp"
#include "tests/security/token_maker.hpp"

#include <gtest/gtest.h>

#include <string>

namespace security {
namespace {

std::string set_of(const std::vector<std::string>& keys) {
    std::string text;
    for (const std::string& key : keys) {
        text += (text.empty() ? "{" : ",{") + key + "}";
    }
    return "{\"keys\":[" + text + "]}";
}

std::string members(JwtAlgorithm algorithm, std::string_view more = {}) {
    return published_members(algorithm) + std::string(more);
}

constexpr JwksOptions of_a_file{
    .algorithms = {}, .rsa = JwtAlgorithm::rs256, .allows_secrets = true};

/// Why the set is refused, or which keys are left out, or "taken".
std::string verdict(const std::string& text, const JwksOptions& options = {}) {
    const auto set = parse_jwks(text, options);
    if (!set) { return "refused: " + set.error().what; }
    return set->left_out.empty() ? "taken" : "left out: " + set->left_out.front();
}

TEST(Jwks, S_AUTH_11_TakesKeysOfEveryAlgorithm) {
    std::vector<std::string> keys;
    for (const JwtAlgorithm algorithm : all_algorithms()) {
        const std::string name(traits(algorithm).name);
        keys.push_back(
            members(algorithm, R"(,"use":"sig","alg":")" + name + R"(","kid":")" + name + "\"")
        );
    }
    const auto set = parse_jwks(set_of(keys), of_a_file);
    ASSERT_TRUE(set) << set.error().what;
    EXPECT_TRUE(set->left_out.empty());
    for (const JwtAlgorithm algorithm : all_algorithms()) {
        const std::string name(traits(algorithm).name);
        const JwtKey* const key = set->keys.find(algorithm, name);
        ASSERT_NE(key, nullptr) << name;
        EXPECT_TRUE(key->verifies("x", TokenMaker(algorithm).signature("x"))) << name;
    }
}

TEST(Jwks, S_AUTH_11_AKeyWithoutAlgorithmHasThatOfItsKind) {
    const auto set = parse_jwks(
        set_of(
            {members(JwtAlgorithm::ps384),
             members(JwtAlgorithm::es384),
             members(JwtAlgorithm::eddsa)}
        ),
        {.algorithms = {}, .rsa = JwtAlgorithm::ps384}
    );
    ASSERT_TRUE(set);
    EXPECT_NE(set->keys.find(JwtAlgorithm::ps384, std::nullopt), nullptr);
    EXPECT_EQ(set->keys.find(JwtAlgorithm::rs256, std::nullopt), nullptr);
    EXPECT_NE(set->keys.find(JwtAlgorithm::es384, std::nullopt), nullptr);
    EXPECT_NE(set->keys.find(JwtAlgorithm::eddsa, std::nullopt), nullptr);
}

TEST(Jwks, S_AUTH_11_TakesAKeyAlone) {
    EXPECT_EQ(verdict("{" + members(JwtAlgorithm::es256) + "}"), "taken");
    EXPECT_EQ(verdict("{\"keys\":[]}"), "taken");
}

TEST(Jwks, S_AUTH_11_LeavesOutWhatIsNotForTokens) {
    for (const char* more :
         {R"(,"use":"enc")",
          R"(,"key_ops":["encrypt"])",
          R"(,"key_ops":[])",
          R"(,"alg":"ES256K")",
          R"(,"alg":"none")",
          R"(,"alg":"es256")"}) {
        const std::string text = set_of({members(JwtAlgorithm::es256, more)});
        EXPECT_TRUE(verdict(text).starts_with("left out: key 1")) << more << verdict(text);
    }
    for (const char* key :
         {R"("kty":"AKP","pub":"AA")",
          R"("kty":"EC","crv":"secp256k1","x":"AA","y":"AA","kid":"k")",
          R"("kty":"OKP","crv":"Ed448","x":"AA")",
          R"("kty":"OKP","crv":"X25519","x":"AA")",
          R"("kty":"RSA","alg":"RSA-OAEP","n":"AA","e":"AQAB")"}) {
        EXPECT_TRUE(verdict(set_of({key})).starts_with("left out: key 1")) << key;
    }
    EXPECT_EQ(verdict(set_of({members(JwtAlgorithm::es256, R"(,"key_ops":["verify"])")})), "taken");
}

TEST(Jwks, S_AUTH_11_LeavesOutAlgorithmsThatAreNotConfigured) {
    const JwksOptions only_es{.algorithms = {JwtAlgorithm::es256}};
    EXPECT_EQ(verdict(set_of({members(JwtAlgorithm::es256)}), only_es), "taken");
    EXPECT_EQ(
        verdict(set_of({members(JwtAlgorithm::rs256)}), only_es),
        "left out: key 1 is for RS256, which is not configured"
    );
}

TEST(Jwks, S_AUTH_10_SecretsComeOnlyFromAFile) {
    const std::string text = set_of({members(JwtAlgorithm::hs256, R"(,"alg":"HS256")")});
    EXPECT_TRUE(verdict(text).starts_with("left out: key 1 is a secret"));
    EXPECT_EQ(verdict(text, of_a_file), "taken");
    EXPECT_TRUE(
        verdict(set_of({members(JwtAlgorithm::hs256)}), of_a_file).starts_with("refused: key 1")
    );
    const std::string shorter = R"("kty":"oct","alg":"HS256","k":")" +
                                protocol::encode_base64url(std::string(31, 'x')) + "\"";
    EXPECT_EQ(
        verdict(set_of({shorter}), of_a_file),
        "refused: key 1 is a secret of less than 32 octets, which HS256 needs"
    );
}

TEST(Jwks, S_AUTH_11_OneBrokenKeyRefusesAllAndIsNamed) {
    const std::string good = members(JwtAlgorithm::es256, R"(,"kid":"good")");
    for (const char* bad :
         {R"("kid":"x")",
          R"("kid":"x","kty":5)",
          R"("kid":"x","kty":"EC")",
          R"("kid":"x","kty":"EC","crv":7)",
          R"("kid":"x","kty":"EC","crv":"P-256")",
          R"("kid":"x","kty":"EC","crv":"P-256","x":"AA","y":"AA")",
          R"("kid":"x","kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")",
          R"("kid":"x","kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")",
          R"("kid":"x","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ")",
          R"("kid":"x","kty":"RSA","e":"AQAB")",
          R"("kid":"x","kty":"RSA","n":"AQAB","e":"AQAB")",
          R"("kid":"x","kty":"RSA","n":"A=","e":"AQAB")",
          R"("kid":"x","kty":"RSA","n":["AQAB"],"e":"AQAB")",
          R"("kid":"x","kty":"RSA","alg":"ES256","n":"AQAB","e":"AQAB")",
          R"("kid":"x","kty":"EC","crv":"P-256","alg":"ES384")",
          R"("kid":"x","kty":"EC","crv":"P-256","alg":"HS256")",
          R"("kid":"x","kty":"EC","crv":"P-256","use":1)",
          R"("kid":"x","kty":"EC","crv":"P-256","key_ops":"verify")"}) {
        const std::string why = verdict(set_of({good, bad}));
        EXPECT_TRUE(why.starts_with("refused: key 2 (kid `x`) ")) << bad << ": " << why;
    }
    EXPECT_TRUE(verdict(set_of({members(JwtAlgorithm::es256, R"(,"d":"AA")")}))
                    .starts_with("refused: key 1 is a private key"));
    EXPECT_EQ(verdict(set_of({good, good})), "refused: the set has two keys of one id");
    EXPECT_EQ(verdict(R"({"keys":[1]})"), "refused: key 1 is not a JSON object");
}

// Which of the two it is must not depend on the reader.
TEST(Jwks, S_AUTH_10_AKeyOfTwoKindsIsNone) {
    const std::string both =
        R"("n":"AQAB","e":"AQAB",)" + published_members(JwtAlgorithm::es256).substr(11);
    for (const std::string& key :
         {R"("kty":"RSA","alg":"ES256",)" + both,
          R"("kty":"oct","k":"AA","alg":"ES256",)" + both}) {
        EXPECT_TRUE(
            verdict(set_of({key}), of_a_file).starts_with("refused: key 1 is not of the kind")
        ) << key
          << verdict(set_of({key}), of_a_file);
    }
}

TEST(Jwks, S_AUTH_11_BoundsSizeAndCount) {
    EXPECT_EQ(
        verdict(set_of(std::vector<std::string>(64, R"("kty":"x")"))).substr(0, 8), "left out"
    );
    EXPECT_EQ(
        verdict(set_of(std::vector<std::string>(65, R"("kty":"x")"))),
        "refused: the set has more than 64 keys"
    );
    const std::string text = "{" + members(JwtAlgorithm::es256) + "}";
    EXPECT_EQ(verdict(text + std::string(jwks_octets_max - text.size(), ' ')), "taken");
    EXPECT_EQ(
        verdict(text + std::string(jwks_octets_max - text.size() + 1, ' ')),
        "refused: the set is larger than 256 KiB"
    );
}

TEST(Jwks, S_AUTH_11_RefusesWhatIsNoSet) {
    for (const char* text :
         {"",
          "[]",
          "null",
          "{}",
          R"({"keys":{}})",
          R"({"keys":null})",
          R"({"keys":[],"keys":[]})",
          R"({"keys":[]} x)",
          R"({"keys":[{"kty":"x","kty":"y"}]})",
          R"({"keys":[[[[[[[[]]]]]]]]})"}) {
        EXPECT_TRUE(verdict(text).starts_with("refused: ")) << text;
    }
}

TEST(Jwks, S_SEC_01_AFaultShowsNothingOfTheKeyAndEscapesItsId) {
    const std::string why = verdict(
        set_of({"\"kid\":\"a\\nb\",\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"Y2FuYXJ5\""}),
        of_a_file
    );
    EXPECT_TRUE(why.starts_with("refused: key 1 (kid `a\\nb`)")) << why;
    EXPECT_EQ(why.find("canary"), std::string::npos);
    EXPECT_EQ(why.find("Y2FuYXJ5"), std::string::npos);
}

}  // namespace
}  // namespace security
