// What an operator gets to see of one connection: a copy, at one moment.
// A plain value; may be used on any thread.
#pragma once

#include "broker/engine/shard.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace transport {

struct ConnectionFacts {
    std::string id;  ///< CONNECTED's `session`.
    std::string user;
    std::string client_id;
    std::string address;
    std::uint16_t port = 0;  ///< 0: unknown, behind a proxy.
    std::string listener;
    bool is_web_socket = false;
    bool is_tls = false;
    std::string_view version;  ///< Empty before CONNECTED.
    std::string_view state;    ///< `handshake`, `connecting`, `connected` or `closing`.
    engine::Instant accepted_at{0};
    std::uint64_t send_every_ms = 0;
    std::uint64_t hear_every_ms = 0;
    std::size_t subscriptions = 0;
    std::size_t unacked = 0;
    std::size_t transactions = 0;
    std::uint64_t messages_in = 0;
    std::uint64_t messages_out = 0;
    std::uint64_t octets_in = 0;
    std::uint64_t octets_out = 0;
    std::size_t pending = 0;
    std::string_view paused;  ///< `no`, `session`, `memory` or `rate`.
    std::string user_agent;
    std::string_view voucher;
};

}  // namespace transport
