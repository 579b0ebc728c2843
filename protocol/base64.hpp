// Base64 with padding, as JSON and HTTP carry octets (RFC 4648, section 4), and base64url without,
// as tokens and keys do (RFC 7515, section 2). One way to write each text, and no other is read.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace protocol {

[[nodiscard]] std::string encode_base64(std::string_view octets);

/// Nothing for what encode_base64() would not have written.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

[[nodiscard]] std::string encode_base64url(std::string_view octets);

/// Nothing for what encode_base64url() would not have written: other octets, padding, blanks, a
/// length that no text has, bits set that belong to no octet.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

/// Whether all octets are those of base64url.
[[nodiscard]] bool is_base64url(std::string_view text);

}  // namespace protocol
