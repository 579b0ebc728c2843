// The signature algorithms of tokens, and what each asks of its key (RFC 7518, RFC 8037).
// Constant data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace security {

enum class JwtAlgorithm : std::uint8_t {
    rs256,
    rs384,
    rs512,
    ps256,
    ps384,
    ps512,
    es256,
    es384,
    es512,
    eddsa,
    hs256,
    hs384,
    hs512,
};

inline constexpr std::size_t jwt_algorithm_count = 13;

enum class JwtFamily : std::uint8_t { rsa_pkcs1, rsa_pss, ecdsa, ed25519, hmac };

struct JwtAlgorithmTraits {
    std::string_view name;  ///< As in `alg`.
    JwtFamily family;
    const char* digest;     ///< OpenSSL's name.
    std::string_view type;  ///< `kty` of its key.
    std::string_view curve = {};
    const char* group = "";             ///< OpenSSL's name of the curve.
    std::size_t coordinate_octets = 0;  ///< Of ECDSA: of x, y, r and s.
    std::size_t secret_octets_min = 0;  ///< Of HMAC.
};

[[nodiscard]] const JwtAlgorithmTraits& traits(JwtAlgorithm algorithm);

/// The algorithm of this name, byte for byte; nothing for others, `none` among them.
[[nodiscard]] std::optional<JwtAlgorithm> jwt_algorithm_named(std::string_view name);

/// The algorithm that a curve has for itself; nothing for unknown curves.
[[nodiscard]] std::optional<JwtAlgorithm> jwt_algorithm_of_curve(
    std::string_view type, std::string_view curve
);

}  // namespace security
