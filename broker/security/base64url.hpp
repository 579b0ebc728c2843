// Base64url as tokens and keys use it (RFC 7515, section 2): without padding, one way to write each
// text. Pure; memory as large as the input.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace security {

/// The octets of `text`; nothing if it has an octet outside the alphabet (padding and whitespace
/// included), an impossible length, or bits set that no octet takes up.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

[[nodiscard]] std::string encode_base64url(std::string_view octets);

/// All of `text` is of the alphabet.
[[nodiscard]] bool is_base64url(std::string_view text);

}  // namespace security
