// Settings of the transport as plain data with defaults: listeners, deadlines, connection limits.
// Filled by broker/server; nothing here knows TOML.
#pragma once

#include "broker/engine/authenticator.hpp"
#include "broker/tls/server_files.hpp"
#include "broker/transport/address.hpp"
#include "broker/transport/origin.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace transport {

enum class ListenerKind : std::uint8_t { tcp, web_socket };

struct ListenerOptions {
    std::string name;  ///< For sockets that somebody else has opened for it.
    ListenerKind kind = ListenerKind::tcp;
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;           ///< 0: any free port.
    bool also_ipv6_loopback = false;  ///< Default listeners also bind ::1, best effort.
    tls::ServerFiles tls;
    engine::CredentialSources sources = engine::CredentialSources::all();  ///< S-AUTH-03.
    std::vector<std::string> paths = {"/ws", "/stomp"};  ///< Each also as PATH/websocket (P-WS-01).
    WebPolicy web;                                       ///< S-WEB-01 to -04.
    Networks trusted_proxies;                            ///< S-BIND-06.
    bool proxy_protocol = false;  ///< A PROXY header is required from the trusted proxies.
};

/// Of two limits, each 0 if there is none, the one that holds.
[[nodiscard]] constexpr std::size_t smaller_limit(std::size_t a, std::size_t b) {
    // The greatest number there is stands in for none.
    return std::min(a - 1, b - 1) + 1;
}

/// What a user, or an address, may send in a second; 0: as much as it likes (S-RATE-02).
struct Rates {
    std::size_t messages = 0;
    std::size_t bytes = 0;
    std::size_t subscribes = 0;

    [[nodiscard]] bool are_set() const { return (messages | bytes | subscribes) != 0; }
};

struct Options {
    unsigned threads = 1;  ///< Shards.
    std::chrono::milliseconds tls_handshake_time = std::chrono::seconds(5);
    std::chrono::milliseconds upgrade_time = std::chrono::seconds(5);
    std::chrono::milliseconds connect_time = std::chrono::seconds(10);  ///< Accept to CONNECTED.
    std::chrono::milliseconds frame_time =
        std::chrono::seconds(15);  ///< Age of a partial frame ...
    std::size_t frame_rate_min =
        1024;  ///< ... longer only while it averages this many octets a second,
    std::chrono::milliseconds frame_time_max =
        std::chrono::seconds(300);  ///< and never longer than this.
    std::chrono::milliseconds close_time = std::chrono::seconds(5);  ///< ERROR and close handshake.
    std::chrono::milliseconds linger_time =
        std::chrono::seconds(2);  ///< After DISCONNECT; TCP draining.
    std::chrono::milliseconds ping_after =
        std::chrono::seconds(20);  ///< WebSocket peer that owes no beats.
    std::chrono::milliseconds dead_after = std::chrono::seconds(60);
    std::size_t upgrade_head_max = 8 * 1024;
    std::size_t upgrade_fields_max = 64;
    std::size_t connections_max = 0;  ///< 0: RLIMIT_NOFILE - 256, computed at start.
    std::size_t connections_per_ip_max =
        0;  ///< 0 in this struct: unlimited (the key says "unlimited").
    std::size_t connections_per_user_max = 0;  ///< The same.
    std::size_t unauthenticated_max = 4096;
    std::size_t unauthenticated_per_ip_max = 512;
    std::uint32_t rekeys_per_second_max = 10;  ///< TLS messages such as KeyUpdate (S-TLS-02).
    std::size_t barren_bytes_max = 64 * 1024;  ///< Octets in a row that bring no STOMP octet.
    std::size_t barren_frames_max = 1000;  ///< WebSocket frames in a row that bring no STOMP octet.
    Rates rates_per_ip;
    Rates rates_per_user;
    std::size_t connections_per_second_per_ip = 0;  ///< 0: unlimited.
    std::size_t memory_limit = 0;          ///< Accounted octets; 0: from cgroup or RAM at start.
    unsigned memory_alarm_1_percent = 60;  ///< Publishers pause (S-RATE-04).
    unsigned memory_alarm_2_percent = 85;  ///< New connections get 503.
    std::chrono::milliseconds memory_pause_max = std::chrono::seconds(30);
    std::chrono::milliseconds drain_spread = std::chrono::seconds(10);
    std::chrono::milliseconds drain_timeout = std::chrono::seconds(30);
    std::string http_dir;               ///< Static files on WebSocket listeners; empty: none.
    std::string test_echo_path;         ///< Test-only WebSocket echo; empty: none.
    bool tolerate_missing_nul = false;  ///< P-WS-10.
    Networks exempt;                    ///< Addresses that limits per address do not count.
    bool insecure_no_auth = false;      ///< guest/guest and anonymous from every peer (S-BIND-03).
};

}  // namespace transport
