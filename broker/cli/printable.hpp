// Text of peers for a terminal: what could steer the terminal or hide other text is spelled out.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

/// What becomes of line feeds and tabs.
enum class Blanks : std::uint8_t { kept, escaped };

/// Appends `text` with control characters (C0, DEL, C1), marks that turn the writing direction, and
/// octets that are not UTF-8 as `\xNN`.
void append_printable(std::string& out, std::string_view text, Blanks blanks);

[[nodiscard]] std::string printable(std::string_view text, Blanks blanks = Blanks::escaped);

}  // namespace cli
