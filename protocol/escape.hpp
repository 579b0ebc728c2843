// Header escaping per version (P-FRAME-07, -08, -17, -18).
// Pure; unescaping works in place because the result is never longer.
#pragma once

#include "protocol/version.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace protocol {

/// Undoes the escapes of `version` in `text[0, size)` in place and returns the new size; nullopt
/// for an undefined escape. With `lenient` both octets of an undefined escape are kept.
[[nodiscard]] std::optional<std::size_t> unescape_in_place(
    char* text, std::size_t size, Version version, bool lenient
);

/// True if `text` has a backslash that begins no escape of `version` (never in 1.0).
[[nodiscard]] bool has_undefined_escape(std::string_view text, Version version);

/// True if `text` contains an octet that some version escapes or cannot carry: CR, LF, `:` or `\`.
[[nodiscard]] bool needs_escape(std::string_view text);

/// Appends `text` to `out` escaped for `version`. 1.0 has no escapes: `text` is appended as it is.
void append_escaped(std::string& out, std::string_view text, Version version);

/// True if a header entry of this name and value can be written in `version` (P-FRAME-18).
[[nodiscard]] bool can_carry(std::string_view name, std::string_view value, Version version);

}  // namespace protocol
