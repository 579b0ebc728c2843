// Verifying signatures in the forms of RFC 7518 and RFC 8037. Every other form is refused.
// May be called from any thread; the caller keeps OpenSSL's errors quiet.
#pragma once

#include "broker/engine/secret.hpp"
#include "broker/security/evp.hpp"
#include "broker/security/jwt_algorithms.hpp"

#include <string_view>

namespace security {

/// Exactly as long as the modulus; the salt of PSS exactly as long as the digest.
[[nodiscard]] bool verifies_rsa(
    EVP_PKEY& key, const JwtAlgorithmTraits& is, std::string_view text, std::string_view signature
);

/// `r || s`, each as long as a coordinate, each from 1 to `order` - 1.
[[nodiscard]] bool verifies_ecdsa(
    EVP_PKEY& key,
    const BIGNUM& order,
    const JwtAlgorithmTraits& is,
    std::string_view text,
    std::string_view signature
);

/// 64 octets.
[[nodiscard]] bool verifies_ed25519(
    EVP_PKEY& key, std::string_view text, std::string_view signature
);

/// The whole digest; compared in constant time.
[[nodiscard]] bool verifies_hmac(
    const engine::Secret& secret,
    const JwtAlgorithmTraits& is,
    std::string_view text,
    std::string_view signature
);

}  // namespace security
