// Metrics of what goes through the broker: messages, receipts, transactions, destinations, and
// what it refuses.
#include "broker/admin/metric_groups.hpp"
#include "protocol/error.hpp"

#include <algorithm>
#include <array>

namespace admin {

namespace {

using engine::Counters;
using protocol::ErrorCode;
using protocol::LimitKey;

/// A counter without labels.
struct Plain {
    const char* name;
    const char* help;
    std::uint64_t Counters::*counter;
};

constexpr std::array plain_counters{
    Plain{
        "stampede_messages_acked_total",
        "Messages that consumers have acknowledged, or taken in auto mode.",
        &Counters::messages_acked},
    Plain{
        "stampede_messages_nacked_total",
        "Messages that consumers have refused by NACK.",
        &Counters::messages_nacked},
    Plain{
        "stampede_messages_redelivered_total",
        "Deliveries from queues that were not the message's first.",
        &Counters::messages_redelivered},
    Plain{
        "stampede_messages_expired_total",
        "Messages whose time to live was over before they were delivered.",
        &Counters::messages_expired},
    Plain{
        "stampede_messages_dead_lettered_total",
        "Messages that were moved to a dead-letter destination.",
        &Counters::messages_dead_lettered},
    Plain{
        "stampede_messages_unroutable_total",
        "Messages to a reply address, temporary destination or user that is gone or absent.",
        &Counters::messages_unroutable},
    Plain{
        "stampede_messages_deduplicated_total",
        "SENDs that repeated an earlier one and were dropped.",
        &Counters::messages_deduplicated},
};

struct Dropped {
    const char* reason;
    std::uint64_t Counters::*counter;
};

constexpr std::array drops{
    Dropped{"slow-consumer-oldest", &Counters::messages_dropped_oldest},
    Dropped{"slow-consumer-newest", &Counters::messages_dropped_newest},
    Dropped{"slow-consumer-conflated", &Counters::messages_conflated},
    Dropped{"queue-overflow", &Counters::messages_overflowed},
    Dropped{"last-value-replaced", &Counters::messages_replaced},
    Dropped{"discarded", &Counters::messages_discarded},
};

/// What one cannot hold against the broker's operator: the client speaks STOMP wrongly.
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

}  // namespace

void add_messages(Families& out, const Gathered& from) {
    const Counters& counters = from.shards.counters;
    out.counter("stampede_messages_published_total", "Messages that were taken from publishers.");
    out.value(counters.messages_published);
    out.counter("stampede_messages_delivered_total", "MESSAGE frames made for subscribers.");
    out.value(counters.messages_delivered);
    for (const Plain& plain : plain_counters) {
        out.counter(plain.name, plain.help);
        out.value(counters.*plain.counter);
    }
    out.counter("stampede_messages_dropped_total", "Messages lost on purpose, by reason.");
    for (const Dropped& drop : drops) {
        out.value(counters.*drop.counter, {{"reason", drop.reason}});
    }
    out.counter("stampede_receipts_total", "RECEIPT frames sent.");
    out.value(counters.receipts, {{"result", "success"}});
    out.counter("stampede_transactions_total", "Transactions that have ended.");
    out.value(counters.transactions_committed, {{"result", "commit"}});
    out.value(counters.transactions_aborted, {{"result", "abort"}});
}

void add_destinations(Families& out, const Gathered& from) {
    out.gauge("stampede_queues", "Queues, those of durable subscriptions not included.");
    out.value(from.shards.queues);
    out.gauge("stampede_topics", "Topics that somebody has named lately.");
    out.value(from.shards.topics);
}

void add_refusals(Families& out, const Gathered& from) {
    const Counters& counters = from.shards.counters;
    out.counter(
        "stampede_refusals_total", "Clients that were refused, by the token they were told."
    );
    for (std::size_t i = 0; i < protocol::error_code_count; ++i) {
        const auto code = static_cast<ErrorCode>(i);
        out.value(counters.refusals[i], {{"reason", protocol::token(code)}});
    }
    out.counter("stampede_protocol_errors_total", "Refusals of clients that speak STOMP wrongly.");
    for (const ErrorCode code : protocol_errors) {
        const std::uint64_t count = counters.refusals[static_cast<std::size_t>(code)];
        out.value(count, {{"kind", protocol::token(code)}});
    }
    out.counter("stampede_protocol_tolerances_total", "Wrong use of STOMP that was put up with.");
    out.value(counters.tolerances, {{"kind", "ack"}});
    out.counter("stampede_limit_hits_total", "Clients that met a limit, by the key that sets it.");
    for (std::size_t i = 1; i < protocol::limit_key_count; ++i) {
        const auto key = static_cast<LimitKey>(i);
        out.value(counters.limit_hits[i], {{"limit", protocol::name_of(key)}});
    }
}

void add_flow(Families& out, const Gathered& from) {
    const Figures& figures = from.figures;
    out.gauge("stampede_connections_unauthenticated", "Connections without CONNECTED yet.");
    out.value(figures.unauthenticated);
    out.gauge("stampede_memory_used_bytes", "Octets of messages and of output, as accounted.");
    out.value(std::max<std::int64_t>(0, from.shards.accounted_bytes));
    out.gauge("stampede_memory_limit_bytes", "limits.memory.");
    out.value(figures.memory_limit);
    out.gauge("stampede_memory_alarm", "1: publishers pause; 2: no new connections, not ready.");
    out.value(figures.memory_alarm);
}

}  // namespace admin
