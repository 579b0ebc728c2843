// What may be the name of a user or role, and how many roles one may have, wherever it comes from
// (S-AUTH-06).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace security {

inline constexpr std::size_t name_bytes_max = 128;
inline constexpr std::size_t roles_max = 64;  ///< Of one user.

/// Why `text` cannot be a name, as the end of a sentence ("is empty", "has a `/`, ..."); empty if
/// it can: 1 to 128 octets of UTF-8 without controls, `:`, separators of levels (`/`, `.`) and
/// wildcards (`*`, `#`, `+`, `>`), no space at either end. Such a name is one level of a
/// destination and nothing else.
[[nodiscard]] std::string name_fault(std::string_view text);

/// Whether `text`, which is UTF-8, has a control character: U+0000 to U+001F, U+007F to U+009F.
[[nodiscard]] bool has_control(std::string_view text);

}  // namespace security
