// The names of the keys, in the order of LimitKey.
// Constant data.
#include "protocol/limit_key.hpp"

#include <array>
#include <cassert>

namespace protocol {

namespace {

constexpr std::array<std::string_view, limit_key_count> names{{
    "",
    "limits.connections",
    "limits.connections_per_ip",
    "limits.connections_per_user",
    "limits.unauthenticated",
    "limits.unauthenticated_per_ip",
    "limits.connections_per_second_per_ip",
    "limits.messages_per_second_per_ip",
    "limits.messages_per_second_per_user",
    "limits.bytes_per_second_per_ip",
    "limits.bytes_per_second_per_user",
    "limits.subscribes_per_second_per_ip",
    "limits.subscribes_per_second_per_user",
    "limits.tls_handshake_time",
    "limits.upgrade_head",
    "limits.upgrade_fields",
    "limits.upgrade_time",
    "limits.connect_time",
    "limits.before_connected",
    "limits.header_line",
    "limits.header_line_before_connected",
    "limits.header_count",
    "limits.header_bytes",
    "limits.frame",
    "limits.web_socket_message",
    "limits.web_socket_message_before_connected",
    "limits.frame_time",
    "limits.frame_time_max",
    "limits.barren_bytes",
    "limits.barren_frames",
    "limits.control_frames_per_second",
    "limits.destination_bytes",
    "limits.destination_levels",
    "limits.id_bytes",
    "limits.selector_bytes",
    "limits.selector_nodes",
    "limits.selector_depth",
    "limits.subscriptions",
    "limits.wildcard_subscriptions",
    "limits.temporary_destinations",
    "limits.durable_subscriptions",
    "limits.transactions",
    "limits.transaction_frames",
    "limits.transaction_bytes",
    "limits.transaction_idle",
    "limits.outbound_bytes",
    "limits.outbound_stall",
    "limits.queue_messages",
    "limits.queue_bytes",
    "limits.queues",
    "limits.retained",
    "limits.scheduled",
    "limits.memory_alarm_1",
    "limits.memory_alarm_2",
    "auth.hash_queue",
    "hook.in_flight",
}};

// A key without a name would leave the last one empty.
static_assert(!names.back().empty());

}  // namespace

std::string_view name_of(LimitKey key) {
    const auto index = static_cast<std::size_t>(key);
    assert(index < names.size());
    return names[index];
}

}  // namespace protocol
