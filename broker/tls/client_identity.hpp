// Who a client certificate says that its owner is (S-AUTH-13).
// Pure; for certificates whose chain was verified, though it does not rely on that.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace tls {

inline constexpr std::size_t identity_octets_max = 1'024;

struct ClientIdentity {
    /// `uri:` and its URI; else `email:` and its e-mail address; else `dn:` and its whole subject
    /// as RFC 2253 writes it. Empty: there is a fault.
    std::string text = {};
    std::string fault = {};
    std::int64_t expires_at = 0;  ///< Milliseconds since 1970.
};

/// There is one answer for each certificate: with a URI, neither address nor subject count. Refused
/// are: several URIs, or several addresses without a URI; a NUL in any name; a URI or address that
/// is not visible ASCII; more than 1,024 octets; nothing at all.
[[nodiscard]] ClientIdentity identity_of(const X509& certificate);

/// The end of its validity in milliseconds since 1970; 1 if it says none that could be read.
[[nodiscard]] std::int64_t expiry_of(const X509& certificate);

}  // namespace tls
