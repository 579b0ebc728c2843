// What the broker acts on in a message beyond its destination (section 15 of docs/protocol.md).
// A small plain value, read from the encoded head lines.
#pragma once

#include <cstdint>
#include <string_view>

namespace engine {

struct Facts {
    std::int64_t expires = 0;   ///< Milliseconds since 1970; 0: never (P-QOS-01).
    bool is_persistent = true;  ///< The SEND did not say `persistent:false` (P-SEND-09).
    bool has_priority = false;
    std::uint8_t priority = 0;
    bool has_group = false;       ///< `JMSXGroupID` or `message_group` (P-QOS-05).
    bool has_last_value = false;  ///< `_AMQ_LVQ_NAME` (P-QOS-07).
    /// Of the destination that it was sent to, for counting: Policy::number; 0: none.
    std::uint16_t policy = 0;
};

/// The line `expires:` with 13 digits, which a message's head begins with if it expires: its value
/// differs from message to message of one head.
inline constexpr std::string_view expires_line = "expires:0000000000000\n";

/// The facts in encoded (1.2) head lines.
[[nodiscard]] Facts facts_of(std::string_view lines);

}  // namespace engine
