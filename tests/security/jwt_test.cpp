// What a good token gives, and what its refusal tells (S-AUTH-10, S-AUTH-12).
#include "broker/security/jwt.hpp"

#include "tests/security/token_maker.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace security {
namespace {

using Claims = std::vector<std::pair<std::string, std::string>>;

const TokenMaker& maker() {
    static const TokenMaker made(JwtAlgorithm::es256);
    return made;
}

JwtVerifier verifier(TokenSettings settings = test_settings()) {
    return {std::move(settings), key_set({JwtAlgorithm::es256})};
}

/// What the verifier makes of these claims, well signed.
auto verified(const std::string& claims, const TokenSettings& settings = test_settings()) {
    return verifier(settings).verify(maker().token(claims), test_now_ms);
}

TEST(Jwt, S_AUTH_10_AcceptsGoodTokensOfEveryAlgorithm) {
    const JwtVerifier all(test_settings(), key_set(all_algorithms()));
    for (const JwtAlgorithm algorithm : all_algorithms()) {
        const TokenMaker signer(algorithm);
        const auto principal = all.verify(signer.token(good_claims()), test_now_ms);
        ASSERT_TRUE(principal) << traits(algorithm).name << ": "
                               << text_of(principal.error().fault);
        EXPECT_EQ(principal->user, "anna");
        EXPECT_EQ(principal->voucher, engine::Voucher::token);
        EXPECT_FALSE(principal->is_anonymous);
        EXPECT_EQ(principal->expires_at, 1'700'000'630'000);
    }
}

TEST(Jwt, S_AUTH_10_TakesTheConfiguredClaims) {
    TokenSettings settings = test_settings();
    settings.user_claim = "preferred_username";
    settings.roles_claim = "https://example.com/groups";
    const auto principal = verified(
        good_claims(R"(,"preferred_username":"bob","https:\/\/example.com\/groups":["a","b"])"),
        settings
    );
    ASSERT_TRUE(principal);
    EXPECT_EQ(principal->user, "bob");
    EXPECT_EQ(principal->roles, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(verified(good_claims(), settings).error().fault, TokenFault::user);
}

TEST(Jwt, S_AUTH_10_RolesMayLieInAnObject) {
    TokenSettings settings = test_settings();
    settings.roles_claim = "realm_access.roles";
    const auto roles = [&settings](const std::string& claims) {
        const auto principal = verified(good_claims(claims), settings);
        EXPECT_TRUE(principal) << claims;
        return principal ? principal->roles : std::vector<std::string>{};
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(roles(R"(,"realm_access":{"roles":["a","b"]})"), (Names{"a", "b"}));
    EXPECT_EQ(roles(R"(,"realm_access.roles":["c"],"realm_access":{"roles":["a"]})"), Names{"c"});
    EXPECT_EQ(roles(R"(,"realm_access":["roles"],"roles":["a"])"), Names{});
    EXPECT_EQ(roles(R"(,"realm_access":{"other":["a"]})"), Names{});
    const auto wrong = verified(good_claims(R"(,"realm_access":{"roles":7})"), settings);
    EXPECT_EQ(wrong.error().fault, TokenFault::roles);
}

TEST(Jwt, S_AUTH_10_RolesAreAListOrWords) {
    const auto roles = [](const std::string& value) {
        return verified(good_claims(",\"roles\":" + value))->roles;
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(roles(R"(["ops","dev","ops"])"), (Names{"ops", "dev"}));
    EXPECT_EQ(roles(R"("ops  dev ")"), (Names{"ops", "dev"}));
    EXPECT_EQ(roles("[]"), Names{});
    EXPECT_EQ(roles("\"\""), Names{});
    // Such names are in no rule.
    EXPECT_EQ(roles(R"(["a/b","*","ok",""])"), Names{"ok"});
    EXPECT_EQ(verified(good_claims())->roles, Names{});
}

std::string many_roles(int count) {
    std::string list;
    for (int i = 0; i < count; ++i) {
        list += (i == 0 ? "\"r" : ",\"r") + std::to_string(i) + "\"";
    }
    return good_claims(",\"roles\":[" + list + "]");
}

TEST(Jwt, S_SEC_04_MoreRolesThanAreKeptRefuse) {
    EXPECT_EQ(verified(many_roles(64))->roles.size(), 64U);
    EXPECT_EQ(verified(many_roles(65)).error().fault, TokenFault::roles);
    for (const char* bad : {"1", "null", "{}", "[1]", R"(["a",null])", "true"}) {
        const auto result = verified(good_claims(",\"roles\":" + std::string(bad)));
        ASSERT_FALSE(result) << bad;
        EXPECT_EQ(result.error().fault, TokenFault::roles) << bad;
    }
}

TEST(Jwt, S_SEC_04_KeepsStringClaimsWithinBounds) {
    const std::string longest(256, 'x');
    const auto principal = verified(good_claims(
        R"(,"tenant":"t1","n":1,"o":{"a":"b"},"l":["x"],"long":")" + longest + R"(","longer":")" +
        longest + R"(x")"
    ));
    ASSERT_TRUE(principal);
    EXPECT_EQ(
        principal->claims,
        (Claims{
            {"aud", "stampede"},
            {"iss", "https://id.example"},
            {"long", longest},
            {"sub", "anna"},
            {"tenant", "t1"}})
    );
    std::string many;
    for (int i = 0; i < 100; ++i) {
        many += ",\"c" + std::to_string(i) + "\":\"v\"";
    }
    EXPECT_EQ(verified(good_claims(many))->claims.size(), 32U);
}

TEST(Jwt, S_AUTH_10_AnAudienceMayBeOneOfSeveral) {
    const std::string claims =
        R"({"iss":"https://id.example","aud":["other","stampede"],"sub":"anna","exp":1700000600})";
    EXPECT_TRUE(verified(claims));
}

TEST(Jwt, S_AUTH_10_TheTimesHaveTheSkewAndNoMore) {
    const std::string token = maker().token(
        R"({"iss":"https://id.example","aud":"stampede","sub":"anna","exp":2000,"nbf":1000,"iat":1000})"
    );
    const JwtVerifier exact =
        verifier({.issuer = "https://id.example", .audience = "stampede", .skew_s = 0});
    EXPECT_EQ(exact.verify(token, 999'999).error().fault, TokenFault::not_yet_valid);
    EXPECT_TRUE(exact.verify(token, 1'000'000));
    EXPECT_TRUE(exact.verify(token, 1'999'999));
    EXPECT_EQ(exact.verify(token, 1'999'999)->expires_at, 2'000'000);
    EXPECT_EQ(exact.verify(token, 2'000'000).error().fault, TokenFault::expired);
    const JwtVerifier lax =
        verifier({.issuer = "https://id.example", .audience = "stampede", .skew_s = 60});
    EXPECT_EQ(lax.verify(token, 939'999).error().fault, TokenFault::not_yet_valid);
    EXPECT_TRUE(lax.verify(token, 940'000));
    EXPECT_TRUE(lax.verify(token, 2'059'999));
    EXPECT_EQ(lax.verify(token, 2'060'000).error().fault, TokenFault::expired);
}

TEST(Jwt, S_AUTH_12_OnlyAnOtherwiseGoodTokenIsCalledExpired) {
    const std::int64_t later = test_now_ms + 10'000'000;
    const auto fault = [&](const std::string& token) {
        return verifier().verify(token, later).error().fault;
    };
    const std::string good = maker().token(good_claims());
    EXPECT_EQ(fault(good), TokenFault::expired);
    EXPECT_EQ(fault(good.substr(0, good.size() - 4) + "AAAA"), TokenFault::signature);
    EXPECT_EQ(
        fault(maker().token(
            R"({"iss":"https://id.example","aud":"other","sub":"anna","exp":1700000600})"
        )),
        TokenFault::audience
    );
}

TEST(Jwt, S_AUTH_12_TheClientIsToldNoMoreThanItMust) {
    const protocol::Error expired = refusal_of(TokenFault::expired);
    EXPECT_EQ(expired.code, protocol::ErrorCode::token_expired);
    const protocol::Error other = refusal_of(TokenFault::signature);
    for (int i = 0; i < static_cast<int>(TokenFault::expired); ++i) {
        const auto fault = static_cast<TokenFault>(i);
        EXPECT_EQ(refusal_of(fault).code, protocol::ErrorCode::auth_failed);
        EXPECT_EQ(refusal_of(fault).what, other.what);
        EXPECT_EQ(refusal_of(fault).remedy, other.remedy);
        EXPECT_FALSE(text_of(fault).empty());
    }
}

TEST(Jwt, S_AUTH_11_KeysCanBeExchangedAndAnUnknownOneIsTold) {
    std::vector<JwtKey> keys;
    keys.push_back(maker().key("new"));
    JwtVerifier subject(test_settings(), std::make_shared<const KeySet>());
    const std::string token = maker().token(R"({"alg":"ES256","kid":"new"})", good_claims());
    const auto refused = subject.verify(token, test_now_ms);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, TokenFault::unknown_key);
    EXPECT_EQ(refused.error().key_id, "new");
    subject.exchange_keys(std::make_shared<const KeySet>(*KeySet::from(std::move(keys))));
    EXPECT_TRUE(subject.verify(token, test_now_ms));
    subject.exchange_keys(nullptr);
    EXPECT_EQ(subject.verify(token, test_now_ms).error().fault, TokenFault::unknown_key);
}

TEST(Jwt, S_AUTH_10_SettingsMustBeWhole) {
    const auto throws = [](TokenSettings settings) {
        EXPECT_THROW(JwtVerifier(std::move(settings), nullptr), std::invalid_argument);
    };
    throws({});
    throws({.issuer = "i"});
    throws({.audience = "a"});
    throws({.issuer = "i", .audience = "a", .user_claim = ""});
    throws({.issuer = "i", .audience = "a", .skew_s = 61});
    throws({.issuer = "i", .audience = "a", .skew_s = -1});
}

TEST(Jwt, S_AUTH_03_APasscodeThatLooksLikeAToken) {
    for (const JwtAlgorithm algorithm : all_algorithms()) {
        EXPECT_TRUE(is_compact_jwt_like(TokenMaker(algorithm).token(good_claims())));
    }
    EXPECT_TRUE(is_compact_jwt_like("eyJhbGciOiJub25lIn0.e30."));
    EXPECT_TRUE(is_compact_jwt_like("eyJhbGciOiJub25lIn0.e30.a.b.c"));
    for (const char* passcode :
         {"",
          ".",
          "..",
          "eyJ",
          "eyJhbGciOiJub25lIn0",
          "eyJhbGciOiJub25lIn0.e30",
          "ex.am.ple",
          "ezra.loves.cats",
          "a.b.c",
          "correct horse. battery. staple"}) {
        EXPECT_FALSE(is_compact_jwt_like(passcode)) << passcode;
    }
}

}  // namespace
}  // namespace security
