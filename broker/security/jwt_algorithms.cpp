#include "broker/security/jwt_algorithms.hpp"

#include <array>

namespace security {

namespace {

/// In the order of JwtAlgorithm.
constexpr std::array<JwtAlgorithmTraits, jwt_algorithm_count> table{{
    {"RS256", JwtFamily::rsa_pkcs1, "SHA256", "RSA"},
    {"RS384", JwtFamily::rsa_pkcs1, "SHA384", "RSA"},
    {"RS512", JwtFamily::rsa_pkcs1, "SHA512", "RSA"},
    {"PS256", JwtFamily::rsa_pss, "SHA256", "RSA"},
    {"PS384", JwtFamily::rsa_pss, "SHA384", "RSA"},
    {"PS512", JwtFamily::rsa_pss, "SHA512", "RSA"},
    {"ES256", JwtFamily::ecdsa, "SHA256", "EC", "P-256", "prime256v1", 32},
    {"ES384", JwtFamily::ecdsa, "SHA384", "EC", "P-384", "secp384r1", 48},
    {"ES512", JwtFamily::ecdsa, "SHA512", "EC", "P-521", "secp521r1", 66},
    {"EdDSA", JwtFamily::ed25519, nullptr, "OKP", "Ed25519", "ED25519"},
    {"HS256", JwtFamily::hmac, "SHA256", "oct", {}, "", 0, 32},
    {"HS384", JwtFamily::hmac, "SHA384", "oct", {}, "", 0, 48},
    {"HS512", JwtFamily::hmac, "SHA512", "oct", {}, "", 0, 64},
}};

static_assert(!table.back().name.empty());

template <class Fits>
std::optional<JwtAlgorithm> first_that(Fits fits) {
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (fits(table[i])) { return static_cast<JwtAlgorithm>(i); }
    }
    return std::nullopt;
}

}  // namespace

const JwtAlgorithmTraits& traits(JwtAlgorithm algorithm) {
    return table[static_cast<std::size_t>(algorithm)];
}

std::optional<JwtAlgorithm> jwt_algorithm_named(std::string_view name) {
    return first_that([&](const JwtAlgorithmTraits& entry) { return entry.name == name; });
}

std::optional<JwtAlgorithm> jwt_algorithm_of_curve(std::string_view type, std::string_view curve) {
    return first_that([&](const JwtAlgorithmTraits& entry) {
        return !curve.empty() && entry.type == type && entry.curve == curve;
    });
}

}  // namespace security
