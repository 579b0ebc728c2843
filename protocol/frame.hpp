// A STOMP frame as views into somebody else's octets.
// Headers are unescaped, first occurrence only (P-FRAME-09), in the order received.
#pragma once

#include "protocol/command.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace protocol {

struct Header {
    std::string_view name;
    std::string_view value;

    friend bool operator==(const Header&, const Header&) = default;
};

struct Frame {
    Command command = Command::send;
    std::span<const Header> headers;
    std::string_view body;
    /// The octets from command to blank line equal those of the SEND that the same parser returned
    /// before this one: whatever was derived from that head holds for this frame too.
    bool repeats_head = false;
    /// The body is known to be valid UTF-8: all of the frame came in validated text. False: not
    /// known.
    bool is_utf8 = false;

    /// The value of header `name`, or nothing. Linear: frames have few headers.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const {
        for (const Header& header : headers) {
            if (header.name == name) { return header.value; }
        }
        return std::nullopt;
    }
};

}  // namespace protocol
