// Sets of keys as JSON (RFC 7517): at most 256 KiB and 64 keys.
// Pure: where the text comes from is the caller's matter.
#pragma once

#include "broker/security/jwt_keys.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace security {

inline constexpr std::size_t jwks_octets_max = 262'144;

struct JwksOptions {
    /// Keys for others are left out. Empty: all are taken.
    std::vector<JwtAlgorithm> algorithms = {};
    /// What an RSA key without `alg` is bound to.
    JwtAlgorithm rsa = JwtAlgorithm::rs256;
    /// Only for a file of the operator's own: whoever can read a set with secrets can make tokens.
    bool allows_secrets = false;
};

struct Jwks {
    KeySet keys;
    /// One clause for each key that was left out ("key 2 (kid `x`) has curve P-256K, ..."), for the
    /// log: kinds, curves and algorithms that are not known, keys for encryption, secrets.
    std::vector<std::string> left_out = {};
};

/// All keys of a JSON Web Key Set, or of the one JSON Web Key that `text` is. A key that is broken
/// refuses the whole: too small, not on its curve, of another kind than its `alg`, of a wrong
/// length, private, with a `kid` that another has.
[[nodiscard]] KeyResult<Jwks> parse_jwks(std::string_view text, const JwksOptions& options);

}  // namespace security
