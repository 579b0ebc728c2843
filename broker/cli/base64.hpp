// Base64 with padding (RFC 4648, section 4). Encoding only.
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace cli {

[[nodiscard]] std::string to_base64(std::string_view octets);

}  // namespace cli
