// Metrics of messages, of what confirms them, and of where they are.
#include "broker/admin/metric_groups.hpp"

#include <array>
#include <chrono>

namespace admin {

namespace {

using engine::Counters;
using engine::QueueFigures;

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

constexpr Words<engine::subscription_kind_count> kinds{
    "topic", "wildcard", "queue", "browser", "durable", "temporary"};

// One value of each policy, of whichever list.
template <class List, class Of>
void add_policies(Families& out, const Gathered& from, const List& list, Of of) {
    for (std::size_t i = 0; i < list.size() && i < from.names.policies.size(); ++i) {
        out.value(of(list[i]), {{"policy", from.names.policies[i]}});
    }
}

}  // namespace

void add_messages(Families& out, const Gathered& from) {
    const Counters& counters = from.shards.counters;
    out.counter(
        "stampede_messages_published_total",
        "Well-formed and allowed SENDs, by the policy of their destination."
    );
    add_policies(out, from, counters.policies, [](const auto& policy) { return policy.published; });
    out.counter(
        "stampede_messages_delivered_total",
        "MESSAGE frames, by the policy of the destination that the message was sent to."
    );
    add_policies(out, from, counters.policies, [](const auto& policy) { return policy.delivered; });
    for (const Plain& plain : plain_counters) {
        out.counter(plain.name, plain.help);
        out.value(counters.*plain.counter);
    }
    out.counter("stampede_messages_dropped_total", "Messages lost on purpose, by reason.");
    for (const Dropped& drop : drops) {
        out.value(counters.*drop.counter, {{"reason", drop.reason}});
    }
    out.histogram(
        "stampede_fanout_duration_seconds",
        "Giving one message of a topic to its subscribers on one shard; a sample."
    );
    out.value(counters.fanout_time, 1e6);
    out.histogram(
        "stampede_delivery_latency_seconds",
        "From a SEND to its MESSAGE frame, queues and waiting included; a sample."
    );
    out.value(counters.delivery_time, 1e6);
}

void add_receipts(Families& out, const Gathered& from) {
    const Counters& counters = from.shards.counters;
    out.counter("stampede_receipts_total", "Frames that asked for a RECEIPT and were answered.");
    out.value(counters.receipts, {{"result", "success"}});
    out.value(counters.receipts_refused, {{"result", "error"}});
    out.histogram(
        "stampede_receipt_duration_seconds",
        "From a frame to its RECEIPT, by what it had to wait for; a sample."
    );
    out.value(counters.receipt_time, 1e6, {{"durability", "memory"}});
    if (from.figures.store) {
        out.value(counters.stored_receipt_time, 1e6, {{"durability", from.figures.durability}});
    }
    out.gauge("stampede_transactions_open", "Transactions between BEGIN and their end.");
    out.value(counters.transactions_open);
    out.counter("stampede_transactions_total", "Transactions that have ended.");
    out.value(counters.transactions_committed, {{"result", "commit"}});
    out.value(counters.transactions_aborted, {{"result", "abort"}});
}

void add_destinations(Families& out, const Gathered& from) {
    const auto& queues = from.shards.queue_figures;
    out.gauge("stampede_subscriptions", "Subscriptions of connected clients.");
    add_each(out, "kind", kinds, from.shards.counters.subscriptions);
    out.gauge("stampede_queues", "Queues, without those of durable subscriptions.");
    out.value(from.shards.queues);
    out.gauge(
        "stampede_topics", "Topics that the broker has in mind: subscribed, or named lately."
    );
    out.value(from.shards.topics);
    out.gauge("stampede_queue_messages", "Messages in queues, unsettled ones included.");
    add_policies(out, from, queues, [](const QueueFigures& queue) { return queue.messages; });
    out.gauge("stampede_queue_bytes", "Octets of these messages.");
    add_policies(out, from, queues, [](const QueueFigures& queue) { return queue.bytes; });
    if (from.figures.store) {
        out.gauge("stampede_queue_disk_bytes", "Octets of those that the store keeps.");
        add_policies(out, from, queues, [](const QueueFigures& queue) {
            return queue.stored_bytes;
        });
    }
    out.gauge("stampede_queue_unacked", "Messages delivered from queues and not settled yet.");
    add_policies(out, from, queues, [](const QueueFigures& queue) { return queue.unacknowledged; });
    out.gauge(
        "stampede_queue_oldest_age_seconds",
        "How long the message that is next in its queue has waited, in the worst queue."
    );
    add_policies(out, from, queues, [](const QueueFigures& queue) {
        return std::chrono::duration<double>(queue.oldest).count();
    });
}

}  // namespace admin
