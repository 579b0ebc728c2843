// Metrics of connections and of the frames on them.
#include "broker/admin/metric_groups.hpp"
#include "protocol/command.hpp"
#include "protocol/error.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>

namespace admin {

namespace {

using protocol::Command;
using protocol::ErrorCode;
using transport::ListenerCounters;

constexpr Words<transport::ending_count> endings{"disconnect", "left", "lost", "http"};
constexpr Words<transport::transport_count> transports{"tcp", "tls", "ws", "wss"};
constexpr Words<transport::version_count> versions{"1.0", "1.1", "1.2"};

constexpr std::array client_commands{
    Command::connect,
    Command::stomp,
    Command::send,
    Command::subscribe,
    Command::unsubscribe,
    Command::ack,
    Command::nack,
    Command::begin,
    Command::commit,
    Command::abort,
    Command::disconnect};

/// Who turns a client away at the door says one of these.
constexpr std::array door_codes{
    ErrorCode::limit_connections, ErrorCode::rate_limited, ErrorCode::overload};

// Two listeners may have one name, if both take any free port.
std::map<std::string_view, ListenerCounters> by_name(const Gathered& from) {
    std::map<std::string_view, ListenerCounters> listeners;
    const auto& counters = from.shards.connections.listeners;
    const std::size_t count = std::min(counters.size(), from.names.listeners.size());
    for (std::size_t i = 0; i < count; ++i) {
        listeners[from.names.listeners[i]].add(counters[i]);
    }
    return listeners;
}

void add_listeners(Families& out, const Gathered& from) {
    const auto listeners = by_name(from);
    out.gauge("stampede_connections", "Open connections, those not logged in included.");
    for (const auto& [name, listener] : listeners) {
        out.value(listener.open, {{"listener", name}});
    }
    out.gauge("stampede_connections_unauthenticated", "Connections that have not logged in yet.");
    out.value(from.figures.unauthenticated);
    out.counter(
        "stampede_connections_opened_total",
        "Connections that have logged in, by STOMP version; none: that ended without a login."
    );
    for (const auto& [name, listener] : listeners) {
        for (std::size_t i = 0; i < versions.size(); ++i) {
            out.value(listener.connected[i], {{"listener", name}, {"version", versions[i]}});
        }
        out.value(listener.nameless, {{"listener", name}, {"version", "none"}});
    }
}

}  // namespace

void add_connections(Families& out, const Gathered& from) {
    const transport::Counters& counters = from.shards.connections;
    add_listeners(out, from);
    out.counter("stampede_connections_closed_total", "Connections that have ended, by why.");
    add_each(out, "reason", endings, counters.ended);
    for (std::size_t i = 0; i < protocol::error_code_count; ++i) {
        out.value(counters.closed[i], {{"reason", protocol::token(static_cast<ErrorCode>(i))}});
    }
    out.counter("stampede_connections_rejected_total", "Connections turned away at the door.");
    for (const ErrorCode code : door_codes) {
        const std::uint64_t count = counters.turned_away[static_cast<std::size_t>(code)];
        out.value(count, {{"reason", protocol::token(code)}});
    }
    out.histogram("stampede_connect_duration_seconds", "From accepting a connection to CONNECTED.");
    out.value(counters.connect_time, 1e-3);
    out.counter("stampede_tls_handshakes_total", "TLS handshakes of clients.");
    out.value(counters.handshakes, {{"result", "success"}});
    out.value(counters.handshakes_failed, {{"result", "failure"}});
    out.value(counters.handshakes_late, {{"result", "timeout"}});
    out.gauge(
        "stampede_certificate_expiry_timestamp_seconds",
        "When the first certificate of a TLS listener to expire does, since 1970."
    );
    for (const CertificateFigures& certificate : from.figures.certificates) {
        out.value(certificate.expires_at, {{"listener", certificate.listener}});
    }
    out.counter("stampede_heartbeat_timeouts_total", "Clients that were not heard for too long.");
    const auto silent = static_cast<std::size_t>(ErrorCode::heartbeat_timeout);
    out.value(from.shards.counters.refusals[silent]);
}

void add_frames(Families& out, const Gathered& from) {
    const engine::Counters& counters = from.shards.counters;
    out.counter("stampede_frames_received_total", "Whole frames of clients.");
    for (const Command command : client_commands) {
        const std::uint64_t count = counters.frames_received[static_cast<std::size_t>(command)];
        out.value(count, {{"command", protocol::to_string(command)}});
    }
    out.counter("stampede_frames_sent_total", "Frames made for clients.");
    out.value(counters.connected, {{"command", "CONNECTED"}});
    out.value(counters.messages_delivered(), {{"command", "MESSAGE"}});
    out.value(counters.receipts, {{"command", "RECEIPT"}});
    out.value(counters.errors, {{"command", "ERROR"}});
    const transport::Counters& connections = from.shards.connections;
    out.counter("stampede_received_bytes_total", "Octets from clients, TLS taken off.");
    add_each(out, "transport", transports, connections.received);
    out.counter("stampede_sent_bytes_total", "Octets to clients, without those of TLS.");
    add_each(out, "transport", transports, connections.sent);
}

}  // namespace admin
