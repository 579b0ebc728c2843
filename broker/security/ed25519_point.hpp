// Whether 32 octets are a public key of Ed25519 that can be trusted with anything (RFC 8032).
// Pure; for configuration time: it is slow.
#pragma once

#include <string_view>

namespace security {

/// `octets` encode, canonically, a point on the curve whose order is not small: with one of small
/// order anybody can make signatures. OpenSSL 3.0 does not look.
[[nodiscard]] bool is_ed25519_public_key(std::string_view octets);

}  // namespace security
