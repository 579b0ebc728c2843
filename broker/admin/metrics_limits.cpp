// Metrics of what is refused or held back, of who logs in, and of the store.
#include "broker/admin/metric_groups.hpp"
#include "protocol/error.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace admin {

namespace {

using engine::Counters;
using protocol::ErrorCode;
using protocol::LimitKey;

/// The client speaks STOMP wrongly: for its author, not for the operator.
constexpr std::array protocol_errors{
    ErrorCode::bad_frame,
    ErrorCode::bad_header,
    ErrorCode::missing_header,
    ErrorCode::bad_state,
    ErrorCode::version_unsupported,
    ErrorCode::frame_timeout,
    ErrorCode::bad_utf8,
    ErrorCode::bad_destination,
    ErrorCode::bad_selector,
    ErrorCode::unsupported,
    ErrorCode::frame_too_large,
    ErrorCode::header_too_large,
};

constexpr std::array address_rates{
    LimitKey::connections_per_second_per_ip,
    LimitKey::messages_per_second_per_ip,
    LimitKey::bytes_per_second_per_ip,
    LimitKey::subscribes_per_second_per_ip};

constexpr std::array user_rates{
    LimitKey::messages_per_second_per_user,
    LimitKey::bytes_per_second_per_user,
    LimitKey::subscribes_per_second_per_user};

constexpr Words<transport::pause_reason_count> pauses{"answer", "memory", "rate"};
constexpr Words<engine::login_method_count> methods{"none", "passcode", "token", "certificate"};
constexpr Words<engine::action_count> actions{"publish", "subscribe", "create", "browse"};

std::uint64_t refused(const Counters& counters, ErrorCode code) {
    return counters.refusals[static_cast<std::size_t>(code)];
}

template <std::size_t size>
std::uint64_t hits(const Counters& counters, const std::array<LimitKey, size>& keys) {
    std::uint64_t sum = 0;
    for (const LimitKey key : keys) {
        sum += counters.limit_hits[static_cast<std::size_t>(key)];
    }
    return sum;
}

void add_tolerances(Families& out, const Gathered& from) {
    const protocol::Tolerances& frames = from.shards.tolerances;
    out.counter("stampede_protocol_tolerances_total", "Wrong use of STOMP that was put up with.");
    out.value(from.shards.counters.tolerances, {{"kind", "ack"}});
    out.value(frames.carriage_return, {{"kind", "carriage-return"}});
    out.value(frames.nul_between, {{"kind", "nul-between-frames"}});
    out.value(frames.raw_colon, {{"kind", "raw-colon"}});
    out.value(frames.body_dropped, {{"kind", "body-dropped"}});
    out.value(frames.escape_kept, {{"kind", "escape-kept"}});
}

void add_memory(Families& out, const Gathered& from) {
    const Figures& figures = from.figures;
    out.gauge("stampede_memory_used_bytes", "Octets of messages and of output, as accounted.");
    out.value(std::max<std::int64_t>(0, figures.memory_used));
    out.gauge("stampede_memory_limit_bytes", "What limits.memory comes to here.");
    out.value(figures.memory_limit);
    out.gauge("stampede_memory_alarm", "1: publishers pause; 2: no new connections, not ready.");
    out.value(figures.memory_alarm);
}

void add_logins(Families& out, const Counters& counters) {
    out.counter("stampede_auth_attempts_total", "Logins that were decided, by what was shown.");
    for (std::size_t i = 0; i < methods.size(); ++i) {
        const engine::LoginCounters& logins = counters.logins[i];
        out.value(logins.accepted, {{"method", methods[i]}, {"result", "success"}});
        out.value(logins.refused, {{"method", methods[i]}, {"result", "failure"}});
    }
    out.counter("stampede_auth_failures_total", "Logins that were refused.");
    for (std::size_t i = 0; i < methods.size(); ++i) {
        out.value(counters.logins[i].refused, {{"method", methods[i]}});
    }
    out.histogram("stampede_auth_duration_seconds", "From CONNECT to the decision.");
    for (std::size_t i = 0; i < methods.size(); ++i) {
        out.value(counters.logins[i].time, 1e-3, {{"method", methods[i]}});
    }
}

void add_keys(Families& out, const KeyFigures& keys) {
    out.counter("stampede_jwks_refreshes_total", "Fetches of the keys of tokens (jwt.keys_url).");
    out.value(keys.fetched, {{"result", "success"}});
    out.value(keys.failures, {{"result", "failure"}});
    if (!keys.age) { return; }
    out.gauge("stampede_jwks_age_seconds", "Time since the keys of tokens were last fetched.");
    out.value(*keys.age);
}

}  // namespace

void add_refusals(Families& out, const Gathered& from) {
    const Counters& counters = from.shards.counters;
    out.counter("stampede_refusals_total", "Refusals, by the token that the client was told.");
    for (std::size_t i = 0; i < protocol::error_code_count; ++i) {
        out.value(counters.refusals[i], {{"reason", protocol::token(static_cast<ErrorCode>(i))}});
    }
    out.counter("stampede_protocol_errors_total", "Refusals of clients that speak STOMP wrongly.");
    for (const ErrorCode code : protocol_errors) {
        out.value(refused(counters, code), {{"kind", protocol::token(code)}});
    }
    add_tolerances(out, from);
    out.counter("stampede_limit_hits_total", "How often a limit was met, by the key that sets it.");
    for (std::size_t i = 1; i < protocol::limit_key_count; ++i) {
        out.value(counters.limit_hits[i], {{"limit", name_of(static_cast<LimitKey>(i))}});
    }
    out.counter("stampede_rate_limited_total", "Pauses and refusals for a rate, by whose it is.");
    out.value(hits(counters, address_rates), {{"scope", "address"}});
    out.value(hits(counters, user_rates), {{"scope", "user"}});
}

void add_flow(Families& out, const Gathered& from) {
    const Counters& counters = from.shards.counters;
    out.gauge("stampede_outbound_queue_bytes", "Octets for clients that have not left yet.");
    out.value(std::max<std::int64_t>(0, counters.outbound_bytes));
    out.counter(
        "stampede_slow_consumers_total", "Slow consumers: connections cut, messages dropped."
    );
    out.value(refused(counters, ErrorCode::slow_consumer), {{"action", "disconnect"}});
    out.value(counters.messages_dropped_oldest, {{"action", "drop-oldest"}});
    out.value(counters.messages_dropped_newest, {{"action", "drop-newest"}});
    out.value(counters.messages_conflated, {{"action", "conflate"}});
    out.gauge("stampede_read_paused_connections", "Connections that are not read now, by why.");
    add_each(out, "reason", pauses, from.shards.connections.paused);
    out.counter("stampede_read_paused_seconds_total", "How long pauses that are over have lasted.");
    add_each(out, "reason", pauses, from.shards.connections.paused_ms, 1e-3);
    add_memory(out, from);
}

void add_security(Families& out, const Gathered& from) {
    const Counters& counters = from.shards.counters;
    add_logins(out, counters);
    out.counter("stampede_authorization_denied_total", "Refusals for want of a right, by action.");
    add_each(out, "action", actions, counters.denied);
    out.counter("stampede_origin_rejected_total", "WebSocket upgrades from a foreign Origin.");
    out.value(from.shards.connections.origins_rejected);
    const auto& logins = from.figures.logins;
    if (!logins) { return; }
    out.counter(
        "stampede_auth_cache_hits_total", "Logins that were right a moment ago: not computed again."
    );
    out.value(logins->cache_hits);
    out.gauge("stampede_password_hash_queue", "Logins that wait for a hash to be computed.");
    out.value(logins->hashes_waiting);
    if (logins->keys) { add_keys(out, *logins->keys); }
}

void add_storage(Families& out, const Gathered& from) {
    if (!from.figures.store) { return; }
    const StoreFigures& store = *from.figures.store;
    out.gauge("stampede_disk_free_bytes", "Free space of the store's file system.");
    out.value(store.disk_free);
    out.gauge("stampede_disk_alarm", "1: free space is below storage.disk_floor.");
    out.value(store.is_disk_low ? 1 : 0);
    out.counter("stampede_storage_commits_total", "Groups of changes that were stored.");
    out.value(store.commits);
    out.histogram(
        "stampede_storage_commit_duration_seconds", "Storing a group, its sync included."
    );
    out.value(store.times.commit, 1e6);
    out.histogram("stampede_storage_sync_duration_seconds", "Syncs of the write-ahead log.");
    out.value(store.times.sync, 1e6);
    out.histogram("stampede_storage_group_records", "Changes in a group.");
    out.value(store.times.group_records, 1);
    out.gauge("stampede_storage_pending_bytes", "Octets handed to the store and not stored yet.");
    out.value(store.pending);
    out.gauge("stampede_storage_wal_bytes", "Size of the write-ahead log; looked at every 5 s.");
    out.value(store.log_size);
    out.gauge("stampede_storage_size_bytes", "Size of the store, its log included; every 5 s.");
    out.value(store.size);
    out.gauge("stampede_storage_failed", "1: nothing durable is confirmed any more.");
    out.value(store.has_failed ? 1 : 0);
    out.gauge("stampede_storage_quarantined_records", "Damaged records that reads have found.");
    out.value(store.damaged);
    out.gauge("stampede_storage_recovery_duration_seconds", "How long opening the store took.");
    out.value(std::chrono::duration<double>(store.opened_in).count());
    out.gauge("stampede_storage_data_loss_accepted", "1: started with --accept-data-loss.");
    out.value(store.accepts_data_loss ? 1 : 0);
}

}  // namespace admin
