#include "protocol/system_event.hpp"

#include <algorithm>
#include <array>

namespace protocol {

namespace {

constexpr std::string_view topics = "/topic/";

constexpr std::array<std::string_view, system_event_count> keys{
    "$SYS.connect",
    "$SYS.disconnect",
    "$SYS.auth-failed",
    "$SYS.refused",
    "$SYS.slow-consumer",
    "$SYS.limit",
    "$SYS.alarm",
    "$SYS.stats"};

std::string_view key_of(SystemEvent event) {
    return keys.at(static_cast<std::size_t>(event));
}

}  // namespace

std::string_view name_of(SystemEvent event) {
    return key_of(event).substr(system_event_prefix.size());
}

Destination destination_of(SystemEvent event) {
    return {DestinationKind::topic, topics, key_of(event)};
}

std::optional<SystemEvent> system_event(const Destination& destination) {
    if (destination.space != topics || !destination.key.starts_with(system_event_prefix)) {
        return std::nullopt;
    }
    const auto found = std::find(keys.begin(), keys.end(), destination.key);
    if (found == keys.end()) { return std::nullopt; }
    return static_cast<SystemEvent>(found - keys.begin());
}

}  // namespace protocol
