// Messages as a store keeps them: the octets of Message::whole(), and the way back.
#pragma once

#include "broker/engine/message.hpp"

#include <cstdint>
#include <string_view>

namespace engine {

/// The message whose whole() the `stored` octets are, or null if they are none. `policy`:
/// Facts::policy, which no store keeps.
[[nodiscard]] MessageRef restore_message(std::string_view stored, std::uint16_t policy = 0);

}  // namespace engine
