// The limits that refuse a client, by the configuration key that sets them (S-RATE-01).
// A fixed list: what is counted by it is bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace protocol {

enum class LimitKey : std::uint8_t {
    none,  ///< The refusal is for another reason.
    connections,
    connections_per_ip,
    connections_per_user,
    unauthenticated,
    unauthenticated_per_ip,
    connections_per_second_per_ip,
    messages_per_second_per_ip,
    messages_per_second_per_user,
    bytes_per_second_per_ip,
    bytes_per_second_per_user,
    subscribes_per_second_per_ip,
    subscribes_per_second_per_user,
    tls_handshake_time,
    upgrade_head,
    upgrade_fields,
    upgrade_time,
    connect_time,
    before_connected,
    header_line,
    header_line_before_connected,
    header_count,
    header_bytes,
    frame,
    web_socket_message,
    web_socket_message_before_connected,
    frame_time,
    frame_time_max,
    barren_bytes,
    barren_frames,
    control_frames_per_second,
    destination_bytes,
    destination_levels,
    id_bytes,
    selector_bytes,
    selector_nodes,
    selector_depth,
    subscriptions,
    wildcard_subscriptions,
    temporary_destinations,
    durable_subscriptions,
    transactions,
    transaction_frames,
    transaction_bytes,
    transaction_idle,
    outbound_bytes,
    outbound_stall,
    queue_messages,
    queue_bytes,
    queues,
    retained,
    scheduled,
    memory_alarm_1,
    memory_alarm_2,
    hash_queue,
    hook_in_flight,
};

inline constexpr std::size_t limit_key_count =
    static_cast<std::size_t>(LimitKey::hook_in_flight) + 1;

/// `limits.frame`, as in the configuration; empty for `none`.
[[nodiscard]] std::string_view name_of(LimitKey key);

}  // namespace protocol
