// The topics on which the broker tells of itself: `/topic/$SYS.connect` and so on (S-ACL-08).
// Pure. A fixed list: a SUBSCRIBE may name these and nothing else below `$SYS`, a SEND none.
#pragma once

#include "protocol/destination.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace protocol {

enum class SystemEvent : std::uint8_t {
    connect,
    disconnect,
    auth_failed,
    refused,
    slow_consumer,
    limit,
    alarm,
    stats
};

inline constexpr std::size_t system_event_count = 8;

/// What the keys of all of them begin with.
inline constexpr std::string_view system_event_prefix = "$SYS.";

/// `connect`, `auth-failed` and so on.
[[nodiscard]] std::string_view name_of(SystemEvent event);

/// The topic of `event`.
[[nodiscard]] Destination destination_of(SystemEvent event);

/// The event whose topic `destination` is.
[[nodiscard]] std::optional<SystemEvent> system_event(const Destination& destination);

}  // namespace protocol
