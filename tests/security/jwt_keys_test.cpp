// Keys of tokens: each for one algorithm, none that is weak or of another kind (S-AUTH-10).
#include "broker/security/jwt_keys.hpp"

#include "broker/security/ed25519_point.hpp"
#include "protocol/base64.hpp"
#include "tests/security/token_maker.hpp"

#include <gtest/gtest.h>

#include <string>

namespace security {
namespace {

std::string octets(std::string_view text) {
    return protocol::decode_base64url(text).value();
}

constexpr std::string_view rfc7515_claims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";

TEST(JwtKeys, S_AUTH_10_TheExamplesOfRfc7515) {
    const std::string claims(rfc7515_claims);
    EXPECT_TRUE(TokenMaker(JwtAlgorithm::hs256)
                    .key()
                    .verifies(
                        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + claims,
                        octets("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
                    ));
    EXPECT_TRUE(
        TokenMaker(JwtAlgorithm::rs256)
            .key()
            .verifies(
                "eyJhbGciOiJSUzI1NiJ9." + claims,
                octets("cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-"
                       "0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrn"
                       "byTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi1"
                       "2jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs"
                       "98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw")
            )
    );
    EXPECT_TRUE(TokenMaker(JwtAlgorithm::es256)
                    .key()
                    .verifies(
                        "eyJhbGciOiJFUzI1NiJ9." + claims,
                        octets("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmW"
                               "QxfKTUJqPP3-Kg6NU1Q")
                    ));
    EXPECT_TRUE(
        TokenMaker(JwtAlgorithm::es512)
            .key()
            .verifies(
                "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
                octets("AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDK"
                       "B34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnw"
                       "NrmxYbSW9ERBXukOXolLzeO_Jn")
            )
    );
}

TEST(JwtKeys, S_AUTH_10_TheExampleOfRfc8037) {
    EXPECT_TRUE(TokenMaker(JwtAlgorithm::eddsa)
                    .key()
                    .verifies(
                        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                        octets("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVs"
                               "Pt9g7sVvpAr_MuM0KAg")
                    ));
}

TEST(JwtKeys, S_AUTH_10_EachAlgorithmVerifiesItsOwnSignatures) {
    for (const JwtAlgorithm algorithm : all_algorithms()) {
        const TokenMaker maker(algorithm);
        const JwtKey key = maker.key();
        std::string signature = maker.signature("text");
        EXPECT_TRUE(key.verifies("text", signature)) << traits(algorithm).name;
        EXPECT_FALSE(key.verifies("texu", signature)) << traits(algorithm).name;
        EXPECT_FALSE(key.verifies("text", "")) << traits(algorithm).name;
        EXPECT_FALSE(key.verifies("text", signature + '\0')) << traits(algorithm).name;
        signature.pop_back();
        EXPECT_FALSE(key.verifies("text", signature)) << traits(algorithm).name;
    }
}

// Those of one family differ in the digest, RS and PS in the padding only.
TEST(JwtKeys, S_AUTH_10_NoAlgorithmVerifiesSignaturesOfAnother) {
    std::vector<std::string> signatures;
    for (const JwtAlgorithm algorithm : all_algorithms()) {
        signatures.push_back(TokenMaker(algorithm).signature("text"));
    }
    for (const JwtAlgorithm verifies : all_algorithms()) {
        const JwtKey key = TokenMaker(verifies).key();
        for (const JwtAlgorithm signs : all_algorithms()) {
            const std::string& signature = signatures[static_cast<std::size_t>(signs)];
            EXPECT_EQ(key.verifies("text", signature), signs == verifies)
                << traits(signs).name << " as " << traits(verifies).name;
        }
    }
}

TEST(JwtKeys, S_AUTH_10_TheSaltOfPssIsAsLongAsItsDigest) {
    const TokenMaker maker(JwtAlgorithm::ps256);
    EXPECT_TRUE(maker.key().verifies("text", maker.pss_signature("text", 32)));
    for (const int salt : {0, 20, 31, 33, 64, 222}) {
        EXPECT_FALSE(maker.key().verifies("text", maker.pss_signature("text", salt))) << salt;
    }
}

TEST(JwtKeys, S_AUTH_10_AKeyFitsOnlyItsAlgorithms) {
    for (const JwtAlgorithm made : all_algorithms()) {
        if (traits(made).family == JwtFamily::hmac) { continue; }
        const std::string pem = TokenMaker(made).pem();
        for (const JwtAlgorithm asked : all_algorithms()) {
            const bool fits = traits(made).type == traits(asked).type &&
                              traits(made).curve == traits(asked).curve;
            EXPECT_EQ(JwtKey::from_pem(asked, pem).has_value(), fits)
                << traits(made).name << " for " << traits(asked).name;
        }
    }
}

Pkey made_rsa(unsigned bits) {
    return Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits}));
}

TEST(JwtKeys, S_AUTH_10_RefusesSmallRsaKeys) {
    for (const unsigned bits : {512U, 1024U, 2040U}) {
        const std::string pem = TokenMaker(JwtAlgorithm::rs256, made_rsa(bits)).pem();
        const auto key = JwtKey::from_pem(JwtAlgorithm::rs256, pem);
        ASSERT_FALSE(key) << bits;
        EXPECT_EQ(key.error().what, "is an RSA key of less than 2048 bits");
    }
}

TEST(JwtKeys, S_AUTH_10_RefusesBadRsaNumbers) {
    const PublishedKey good = published_key(JwtAlgorithm::rs256);
    const auto is_taken = [](const std::string& n, const std::string& e) {
        return JwtKey::from_rsa(JwtAlgorithm::rs256, n, e).has_value();
    };
    EXPECT_TRUE(is_taken(good.n, good.e));
    EXPECT_TRUE(is_taken(std::string(1, '\0') + good.n, good.e));
    EXPECT_FALSE(is_taken(good.n, "\x01"));
    EXPECT_FALSE(is_taken(good.n, "\x02"));
    EXPECT_FALSE(is_taken(good.n, std::string(1, '\0')));
    EXPECT_FALSE(is_taken(good.n, std::string(9, '\x01')));
    EXPECT_FALSE(is_taken(std::string(255, '\xFF'), good.e));
    EXPECT_FALSE(is_taken(std::string(256, '\0'), good.e));
    EXPECT_FALSE(is_taken("\xF0" + std::string(255, '\0'), good.e));
    EXPECT_FALSE(is_taken(std::string(1025, '\xFF'), good.e));
    EXPECT_FALSE(is_taken(std::string(100'000, '\xFF'), good.e));
}

// Verifying takes time that grows with the exponent.
TEST(JwtKeys, S_AUTH_10_RefusesGreatRsaExponentsInPem) {
    const PublishedKey good = published_key(JwtAlgorithm::rs256);
    const auto as_pem = [&](const std::string& e) {
        const ParamBuilder builder(OSSL_PARAM_BLD_new());
        const auto number = [](const std::string& octets) {
            return Bignum(BN_bin2bn(
                reinterpret_cast<const unsigned char*>(octets.data()),
                static_cast<int>(octets.size()),
                nullptr
            ));
        };
        const Bignum modulus = number(good.n);
        const Bignum exponent = number(e);
        OSSL_PARAM_BLD_push_BN(builder.get(), "n", modulus.get());
        OSSL_PARAM_BLD_push_BN(builder.get(), "e", exponent.get());
        const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
        const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
        EVP_PKEY* made = nullptr;
        EVP_PKEY_fromdata_init(context.get());
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get());
        return TokenMaker(JwtAlgorithm::rs256, Pkey(made)).pem();
    };
    EXPECT_TRUE(JwtKey::from_pem(JwtAlgorithm::rs256, as_pem(std::string(8, '\x0F'))));
    EXPECT_FALSE(JwtKey::from_pem(JwtAlgorithm::rs256, as_pem(std::string(9, '\x0F'))));
}

TEST(JwtKeys, S_AUTH_10_RefusesPointsThatAreNotOnTheCurve) {
    for (const JwtAlgorithm algorithm :
         {JwtAlgorithm::es256, JwtAlgorithm::es384, JwtAlgorithm::es512}) {
        const PublishedKey good = published_key(algorithm);
        const auto is_taken = [&](const std::string& x, const std::string& y) {
            return JwtKey::from_point(algorithm, x, y).has_value();
        };
        const std::size_t size = traits(algorithm).coordinate_octets;
        std::string other = good.y;
        other.back() = static_cast<char>(other.back() ^ 1);
        EXPECT_TRUE(is_taken(good.x, good.y));
        EXPECT_FALSE(is_taken(good.x, other));
        EXPECT_FALSE(is_taken(good.y, good.x));
        EXPECT_FALSE(is_taken(std::string(size, '\0'), std::string(size, '\0')));
        EXPECT_FALSE(is_taken(std::string(size, '\xFF'), good.y));
        EXPECT_FALSE(is_taken(good.x.substr(1), good.y));
        EXPECT_EQ(
            JwtKey::from_point(algorithm, good.x.substr(1), good.y + 'x').error().what,
            "has coordinates of the wrong length for its curve"
        );
        EXPECT_FALSE(is_taken(std::string(1, '\0') + good.x, good.y));
        EXPECT_FALSE(is_taken(good.x, ""));
    }
}

/// 32 octets from the smallest to the greatest.
std::string little_endian(std::string_view begin, char fill, char last) {
    std::string octets(begin);
    octets.resize(31, fill);
    return octets + last;
}

TEST(JwtKeys, S_AUTH_10_RefusesPointsOfEd25519ThatAnybodyCanSignFor) {
    const std::string good = published_key(JwtAlgorithm::eddsa).x;
    EXPECT_TRUE(JwtKey::from_ed25519(good));
    // The orders 4, 1 and 2; then both of order 8; then encodings beyond the prime.
    for (const std::string& bad :
         {little_endian("", '\0', '\0'),
          little_endian("\x01", '\0', '\0'),
          little_endian("\xEC", '\xFF', '\x7F'),
          octets("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU"),
          octets("xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o"),
          little_endian("\xED", '\xFF', '\x7F'),
          little_endian("\xEE", '\xFF', '\x7F'),
          little_endian("\xFF", '\xFF', '\x7F')}) {
        std::string with_sign = bad;
        with_sign.back() = static_cast<char>(with_sign.back() ^ '\x80');
        EXPECT_FALSE(JwtKey::from_ed25519(bad)) << protocol::encode_base64url(bad);
        EXPECT_FALSE(JwtKey::from_ed25519(with_sign)) << protocol::encode_base64url(bad);
    }
    // Not on the curve.
    EXPECT_FALSE(JwtKey::from_ed25519(little_endian("\x02", '\0', '\0')));
    EXPECT_FALSE(JwtKey::from_ed25519(good.substr(1)));
    EXPECT_FALSE(JwtKey::from_ed25519(good + "x"));
    EXPECT_FALSE(JwtKey::from_ed25519(""));
}

TEST(JwtKeys, S_AUTH_10_MadeKeysOfEd25519AreGood) {
    for (int i = 0; i < 50; ++i) {
        const Pkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
        unsigned char octets[32];
        std::size_t size = sizeof octets;
        ASSERT_EQ(EVP_PKEY_get_raw_public_key(key.get(), octets, &size), 1);
        EXPECT_TRUE(is_ed25519_public_key({reinterpret_cast<const char*>(octets), size}));
    }
}

TEST(JwtKeys, S_AUTH_10_RefusesShortSecretsAndPemTexts) {
    const auto is_taken = [](JwtAlgorithm algorithm, const std::string& secret) {
        return JwtKey::from_secret(algorithm, engine::Secret(secret)).has_value();
    };
    EXPECT_FALSE(is_taken(JwtAlgorithm::hs256, ""));
    EXPECT_FALSE(is_taken(JwtAlgorithm::hs256, std::string(31, 'x')));
    EXPECT_TRUE(is_taken(JwtAlgorithm::hs256, std::string(32, 'x')));
    EXPECT_FALSE(is_taken(JwtAlgorithm::hs384, std::string(47, 'x')));
    EXPECT_TRUE(is_taken(JwtAlgorithm::hs384, std::string(48, 'x')));
    EXPECT_FALSE(is_taken(JwtAlgorithm::hs512, std::string(63, 'x')));
    EXPECT_TRUE(is_taken(JwtAlgorithm::hs512, std::string(64, 'x')));
    EXPECT_FALSE(is_taken(JwtAlgorithm::hs256, TokenMaker(JwtAlgorithm::rs256).pem()));
    EXPECT_FALSE(is_taken(JwtAlgorithm::rs256, std::string(64, 'x')));
}

TEST(JwtKeys, S_AUTH_10_TakesOnePublicKeyInPem) {
    const std::string good = TokenMaker(JwtAlgorithm::es256).pem();
    const auto why = [](std::string_view pem) {
        const auto key = JwtKey::from_pem(JwtAlgorithm::es256, pem);
        return key ? std::string("taken") : key.error().what;
    };
    EXPECT_EQ(why(good), "taken");
    EXPECT_EQ(why("# the key\n" + good + "\n"), "taken");
    EXPECT_EQ(why(""), "is not a PEM text");
    EXPECT_NE(why(good + good).find("more than one"), std::string::npos);
    EXPECT_NE(why("-----BEGIN PRIVATE KEY-----\n").find("private key"), std::string::npos);
    EXPECT_NE(why("-----BEGIN EC PRIVATE KEY-----\n").find("private key"), std::string::npos);
    EXPECT_NE(why("-----BEGIN CERTIFICATE-----\n").find("certificate"), std::string::npos);
    EXPECT_NE(why("-----BEGIN RSA PUBLIC KEY-----\n").find("old form"), std::string::npos);
    EXPECT_EQ(why(good.substr(0, 60)), "is not a valid key");
    EXPECT_NE(why(std::string(70'000, ' ') + good).find("64 KiB"), std::string::npos);
    const std::string encrypted =
        "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
        "00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END PUBLIC KEY-----\n";
    EXPECT_EQ(why(encrypted), "is not a valid key");
}

TEST(JwtKeys, NATS_2026_23_CVE_2020_26521_TruncatedAndBentKeysAreRefused) {
    for (const JwtAlgorithm algorithm : {JwtAlgorithm::es256, JwtAlgorithm::eddsa}) {
        const std::string good = TokenMaker(algorithm).pem();
        const std::size_t end = good.find("-----END") + std::string("-----END PUBLIC KEY").size();
        for (std::size_t size = 0; size < end; ++size) {
            EXPECT_FALSE(JwtKey::from_pem(algorithm, good.substr(0, size))) << size;
        }
        // Some are keys, but others'; in two places no bit counts (the filling of base64, and that
        // of the bit string).
        int ours = 0;
        const std::string signature = TokenMaker(algorithm).signature("text");
        for (std::size_t i = good.find('\n'); i < good.find("\n-----END"); ++i) {
            std::string bent = good;
            bent[i] = bent[i] == 'A' ? 'B' : 'A';
            const auto key = JwtKey::from_pem(algorithm, bent);
            ours += key && key->verifies("text", signature) ? 1 : 0;
        }
        EXPECT_LE(ours, 2);
    }
}

TEST(JwtKeys, S_AUTH_10_NothingStaysInOpenSslsQueueOfErrors) {
    ERR_clear_error();
    EXPECT_FALSE(JwtKey::from_pem(JwtAlgorithm::es256, "-----BEGIN PUBLIC KEY-----\nx"));
    EXPECT_FALSE(
        JwtKey::from_point(JwtAlgorithm::es256, std::string(32, '\1'), std::string(32, '\1'))
    );
    EXPECT_FALSE(TokenMaker(JwtAlgorithm::rs256).key().verifies("x", std::string(256, 'x')));
    EXPECT_EQ(ERR_peek_error(), 0U);
}

std::vector<JwtKey> keys_named(const std::vector<std::string>& ids) {
    std::vector<JwtKey> keys;
    for (const std::string& id : ids) {
        keys.push_back(TokenMaker(JwtAlgorithm::es256).key(id));
    }
    return keys;
}

TEST(KeySet, S_AUTH_10_AnIdIsOnlyANameToFindAKeyBy) {
    auto keys = keys_named({"a", "b"});
    keys.push_back(TokenMaker(JwtAlgorithm::eddsa).key("c"));
    const auto set = KeySet::from(std::move(keys));
    ASSERT_TRUE(set);
    EXPECT_EQ(set->find(JwtAlgorithm::es256, "b")->id(), "b");
    EXPECT_EQ(set->find(JwtAlgorithm::eddsa, "b"), nullptr);
    EXPECT_EQ(set->find(JwtAlgorithm::es256, "d"), nullptr);
    EXPECT_EQ(set->find(JwtAlgorithm::es256, ""), nullptr);
    EXPECT_EQ(set->find(JwtAlgorithm::es256, "A"), nullptr);
    // Two could be meant, or one.
    EXPECT_EQ(set->find(JwtAlgorithm::es256, std::nullopt), nullptr);
    EXPECT_EQ(set->find(JwtAlgorithm::eddsa, std::nullopt)->id(), "c");
}

TEST(KeySet, S_AUTH_10_AKeyWithoutIdStandsForAnyIfItIsTheOnlyOne) {
    const auto one = KeySet::from(keys_named({"", "a"}));
    ASSERT_TRUE(one);
    EXPECT_EQ(one->find(JwtAlgorithm::es256, "x")->id(), "");
    EXPECT_EQ(one->find(JwtAlgorithm::es256, "a")->id(), "a");
    const auto two = KeySet::from(keys_named({"", ""}));
    ASSERT_TRUE(two);
    EXPECT_EQ(two->find(JwtAlgorithm::es256, "x"), nullptr);
    EXPECT_EQ(two->find(JwtAlgorithm::es256, std::nullopt), nullptr);
}

TEST(KeySet, S_AUTH_10_RefusesTwoKeysOfOneId) {
    EXPECT_FALSE(KeySet::from(keys_named({"a", "b", "a"})));
    EXPECT_TRUE(KeySet::from(std::vector<JwtKey>{}));
    EXPECT_FALSE(KeySet::from(keys_named(std::vector<std::string>(65))));
}

}  // namespace
}  // namespace security
