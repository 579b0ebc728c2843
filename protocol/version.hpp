// STOMP versions, their negotiation, and the WebSocket sub-protocol names that announce them.
// Pure functions (P-VER-01 to -05, P-WS-02 to -04).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace protocol {

enum class Version : std::uint8_t { v1_0, v1_1, v1_2 };

/// "1.0", "1.1" or "1.2".
[[nodiscard]] std::string_view to_string(Version version);

/// The highest common version (P-VER-01). `sub_protocol` is the version whose WebSocket name was
/// echoed, if any: it wins when it is listed (P-VER-04). Absent `accept_version` is 1.0 (P-VER-02);
/// nothing in common, an empty list included, is nullopt (P-VER-03).
[[nodiscard]] std::optional<Version> negotiate(
    std::optional<std::string_view> accept_version, std::optional<Version> sub_protocol
);

/// "v10.stomp", "v11.stomp" or "v12.stomp".
[[nodiscard]] std::string_view sub_protocol_name(Version version);

/// The highest STOMP sub-protocol among the comma-separated `offered` (P-WS-02), or nothing.
/// Header lines that repeat are joined with commas by the caller.
[[nodiscard]] std::optional<Version> choose_sub_protocol(std::string_view offered);

}  // namespace protocol
