// The fifteen STOMP commands and their spelling.
// Pure values; matching is case-sensitive and whole-line (P-FRAME-03).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace protocol {

enum class Command : std::uint8_t {
    connect,
    stomp,
    send,
    subscribe,
    unsubscribe,
    ack,
    nack,
    begin,
    commit,
    abort,
    disconnect,
    connected,
    message,
    receipt,
    error,
};

inline constexpr std::size_t command_count = static_cast<std::size_t>(Command::error) + 1;

[[nodiscard]] std::string_view to_string(Command command);

/// The command spelled exactly `line`, or nothing.
[[nodiscard]] std::optional<Command> command_from(std::string_view line);

/// True if `octets` is a proper or complete beginning of one of the fifteen commands.
[[nodiscard]] bool begins_command(std::string_view octets);

/// True for CONNECTED, MESSAGE, RECEIPT and ERROR, which a client must not send.
[[nodiscard]] bool is_server_command(Command command);

}  // namespace protocol
