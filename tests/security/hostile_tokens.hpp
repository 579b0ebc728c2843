// A table of tokens that must be refused (section 6 of the rules of security), each with its name
// and the reason that has to refuse it: one that falls for another reason proves nothing.
#pragma once

#include "broker/security/jwt.hpp"

#include <string>
#include <vector>

namespace security {

struct HostileToken {
    std::string name;
    std::string token;
    TokenFault fault;
};

using HostileTokens = std::vector<HostileToken>;

/// Verifies with the published keys of RS256 (`rsa`), ES256 (`ec`), EdDSA (`ed`) and HS256 (`mac`),
/// at test_now_ms.
[[nodiscard]] const JwtVerifier& hostile_verifier();

[[nodiscard]] HostileTokens hostile_algorithms();
[[nodiscard]] HostileTokens hostile_key_ids();
[[nodiscard]] HostileTokens hostile_shapes();
[[nodiscard]] HostileTokens hostile_headers();
[[nodiscard]] HostileTokens hostile_times();
[[nodiscard]] HostileTokens hostile_claims();
[[nodiscard]] HostileTokens hostile_rsa_signatures();
[[nodiscard]] HostileTokens hostile_ecdsa_signatures();
[[nodiscard]] HostileTokens hostile_other_signatures();

}  // namespace security
