// Spells one log record as a line of text or JSON (S-LOG-01).
// Pure: no clock, no output. A field's escaped value has at most 256 octets, the message 1,024.
#pragma once

#include "broker/log/log.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace logging {

inline constexpr std::size_t field_bytes_max = 256;
inline constexpr std::size_t message_bytes_max = 1024;

struct Record {
    std::chrono::sys_time<std::chrono::microseconds> time;
    Level level = Level::info;
    std::string_view event;
    std::string_view message;
    Fields fields;
};

/// One JSON object without line end: ts, level, msg, event, then the fields in the order given.
[[nodiscard]] std::string to_json(const Record& record);

/// The fields alone as one JSON object; those without text are left out.
[[nodiscard]] std::string to_object(Fields fields);

/// `TS LEVEL EVENT: MESSAGE name=value ...`; values with blanks, `=` or escapes are in quotes.
[[nodiscard]] std::string to_text(const Record& record);

/// Appends `value` with C0, DEL, C1, quote and backslash as JSON escapes and what is not UTF-8 as
/// U+FFFD; cut after a whole character, with `...`, so that at most `max` octets are added.
void append_escaped(std::string& out, std::string_view value, std::size_t max);

/// `trace` to `off`.
[[nodiscard]] std::string_view level_name(Level level);

}  // namespace logging
