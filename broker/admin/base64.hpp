// Base64 with padding (RFC 4648, section 4), as JSON carries octets that are no text.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace admin {

[[nodiscard]] std::string to_base64(std::string_view octets);
/// Nothing for what to_base64() would not have written.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace admin
