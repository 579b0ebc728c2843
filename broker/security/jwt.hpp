// Verifying JSON Web Tokens (S-AUTH-10, RFC 8725): whoever presents a good one is who it says.
// Pure but for the keys, which may be exchanged; keeps nothing of any token. Any thread.
#pragma once

#include "broker/engine/principal.hpp"
#include "broker/security/jwt_keys.hpp"
#include "protocol/error.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace security {

inline constexpr std::size_t token_octets_max = 8192;
inline constexpr std::int64_t token_skew_s_max = 60;
inline constexpr std::size_t token_claims_max = 32;
inline constexpr std::size_t token_claim_octets_max = 256;

struct TokenSettings {
    std::string issuer = {};    ///< `iss`, exactly.
    std::string audience = {};  ///< `aud`, or one of its elements, exactly.
    std::string user_claim = "sub";
    /// An array of strings, or a string of words between spaces; may be absent. Dots lead into
    /// objects: `realm_access.roles`.
    std::string roles_claim = "roles";
    /// How far other clocks may be from ours: 0 to 60. A token ends that much after its `exp`.
    std::int64_t skew_s = 30;
};

/// Why a token was refused, for the log.
enum class TokenFault : std::uint8_t {
    too_long,
    segments,
    encoding,
    header,
    critical_header,  ///< Or another that would tell us how to verify.
    algorithm,
    unknown_key,
    signature,
    payload,
    issuer,
    audience,
    user,
    roles,
    times,  ///< `exp` is missing, or one of the times is not an integer.
    not_yet_valid,
    expired,
};

/// Static and short, without any of the token.
[[nodiscard]] std::string_view text_of(TokenFault fault);

/// What the client is told: `token-expired` if nothing but its time is wrong, else the same words
/// of `auth-failed`.
[[nodiscard]] protocol::Error refusal_of(TokenFault fault);

struct TokenRefused {
    TokenFault fault;
    /// With `unknown_key`: the `kid` that a newer set may have; at most 256 octets of the peer's.
    std::string key_id = {};
};

class JwtVerifier {
public:
    /// Throws std::invalid_argument, one sentence, if issuer, audience or the name of a claim is
    /// empty, or the skew is not 0 to 60 s.
    JwtVerifier(TokenSettings settings, KeySetRef keys);

    /// Who the token vouches for at `now_ms` (milliseconds since 1970).
    [[nodiscard]] boost::system::result<engine::Principal, TokenRefused> verify(
        std::string_view token, std::int64_t now_ms
    ) const;

    /// Tokens are verified with these from now on.
    void exchange_keys(KeySetRef keys);

    [[nodiscard]] KeySetRef keys() const;

private:
    TokenSettings settings_;
    mutable std::mutex mutex_;
    KeySetRef keys_;
};

/// A passcode that is meant as a token (S-AUTH-03): three or more parts between dots, of which the
/// first is a JSON object in base64url, so far as one sees from its ends.
[[nodiscard]] bool is_compact_jwt_like(std::string_view text);

}  // namespace security
