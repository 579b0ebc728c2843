#include "broker/engine/access.hpp"

#include "broker/engine/message_headers.hpp"
#include "protocol/limits.hpp"

namespace engine {

bool may_read(const Access& access, const Message& message) {
    const auto name = MessageHeaders(message).find("destination");
    if (!name) { return false; }
    const auto destination = protocol::parse_destination(*name, protocol::Limits{});
    return destination && access.allows(Action::subscribe, *destination);
}

}  // namespace engine
