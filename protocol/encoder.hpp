// Frames to octets (P-FRAME-16 to -19). Pure; appends to a caller's string.
#pragma once

#include "protocol/frame.hpp"
#include "protocol/version.hpp"

#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace protocol {

/// Appends `name:value` LF, escaped for `version`; nothing if that version cannot carry it
/// (P-FRAME-18). Returns whether it was written.
bool append_header(
    std::string& out, std::string_view name, std::string_view value, Version version
);

/// Appends a whole frame: command, `headers` in their order, blank line, body, NUL. CONNECT, STOMP
/// and CONNECTED are not escaped; CR, LF and NUL in them are refused by leaving the entry out.
/// `content-length` is added for a body unless `headers` has it.
void append_frame(
    std::string& out,
    Command command,
    std::span<const Header> headers,
    std::string_view body,
    Version version
);

/// Appends `number` in decimal.
inline void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace protocol
