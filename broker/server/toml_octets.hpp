// Octets that the TOML library must not see: it takes some characters outside quotes for
// impossible. Pure; time linear in the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace server {

/// Where the first octet beyond ASCII stands that is neither in quotes nor in a comment, nor the
/// mark at the beginning that some editors put there; nothing else of TOML is checked.
[[nodiscard]] std::optional<std::size_t> stray_octet(std::string_view text);

/// `text` with an `x` for each octet beyond ASCII, without the mark at the beginning: errors are at
/// the same places.
[[nodiscard]] std::string in_ascii(std::string_view text);

}  // namespace server
