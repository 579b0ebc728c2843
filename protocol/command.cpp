// The spelling of the fifteen commands, in the order of the enum.
// One table; lookups are linear because it is short and its first octets differ.
#include "protocol/command.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

namespace protocol {

namespace {

constexpr std::array<std::string_view, 15> names{
    "CONNECT",
    "STOMP",
    "SEND",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "ACK",
    "NACK",
    "BEGIN",
    "COMMIT",
    "ABORT",
    "DISCONNECT",
    "CONNECTED",
    "MESSAGE",
    "RECEIPT",
    "ERROR",
};

static_assert(names.size() == static_cast<std::size_t>(Command::error) + 1);

}  // namespace

std::string_view to_string(Command command) {
    const auto index = static_cast<std::size_t>(command);
    assert(index < names.size());
    return names[index];
}

std::optional<Command> command_from(std::string_view line) {
    // The command of nearly every frame that a client sends.
    if (line == "SEND") { return Command::send; }
    const auto* const found = std::find(names.begin(), names.end(), line);
    if (found == names.end()) { return std::nullopt; }
    return static_cast<Command>(found - names.begin());
}

bool begins_command(std::string_view octets) {
    return std::any_of(names.begin(), names.end(), [octets](std::string_view name) {
        return name.starts_with(octets);
    });
}

bool is_server_command(Command command) {
    return command >= Command::connected;
}

}  // namespace protocol
