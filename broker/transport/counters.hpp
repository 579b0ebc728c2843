// What one shard counts of its connections: plain numbers, written by its thread only.
// Bounded: fixed arrays, and one place for each listener.
#pragma once

#include "broker/engine/histogram.hpp"
#include "protocol/error.hpp"
#include "protocol/version.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace transport {

/// How octets come in, by listener: TCP or WebSocket, each with or without TLS.
enum class Transport : std::uint8_t { tcp, tls, ws, wss };

inline constexpr std::size_t transport_count = 4;

/// How a connection ended that was not refused.
enum class Ending : std::uint8_t {
    disconnect,  ///< By DISCONNECT.
    left,        ///< The client closed it without.
    lost,        ///< Its socket failed.
    http,        ///< It was an HTTP request without upgrade.
};

inline constexpr std::size_t ending_count = 4;

/// Why nothing is read from a connection.
enum class PauseReason : std::uint8_t { answer, memory, rate };

inline constexpr std::size_t pause_reason_count = 3;

inline constexpr std::size_t version_count = 3;

struct ListenerCounters {
    std::int64_t open = 0;       ///< Now.
    std::uint64_t nameless = 0;  ///< Ended without CONNECTED.
    std::array<std::uint64_t, version_count> connected{};

    void add(const ListenerCounters& other);
};

struct Counters {
    /// By ConnectionContext::number; 0: the admin listener's WebSockets.
    std::vector<ListenerCounters> listeners = std::vector<ListenerCounters>(1);
    std::array<std::uint64_t, protocol::error_code_count> closed{};  ///< Refused with this code.
    std::array<std::uint64_t, ending_count> ended{};
    std::array<std::uint64_t, protocol::error_code_count> turned_away{};  ///< At the door.
    std::array<std::uint64_t, transport_count> received{};                ///< Octets.
    std::array<std::uint64_t, transport_count> sent{};
    std::uint64_t handshakes = 0;  ///< Of TLS.
    std::uint64_t handshakes_failed = 0;
    std::uint64_t handshakes_late = 0;
    std::uint64_t origins_rejected = 0;
    std::array<std::int64_t, pause_reason_count> paused{};      ///< Now.
    std::array<std::uint64_t, pause_reason_count> paused_ms{};  ///< Of pauses that are over.
    engine::LongTimes connect_time;                             ///< From accept to CONNECTED.
    engine::ShortTimes lag;  ///< How late the loop was, looked at ten times a second.

    void add(const Counters& other);
};

}  // namespace transport
