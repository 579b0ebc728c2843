#include "broker/engine/counters.hpp"

namespace engine {

namespace {

// The one thread-local variable of the engine: a message may be released on another shard than its
// own.
thread_local std::int64_t accounted = 0;

constexpr std::array plain_members{
    &Counters::messages_acked,
    &Counters::messages_nacked,
    &Counters::messages_redelivered,
    &Counters::messages_dead_lettered,
    &Counters::messages_unroutable,
    &Counters::messages_dropped_oldest,
    &Counters::messages_dropped_newest,
    &Counters::messages_conflated,
    &Counters::messages_expired,
    &Counters::messages_overflowed,
    &Counters::messages_replaced,
    &Counters::messages_discarded,
    &Counters::messages_deduplicated,
    &Counters::messages_damaged,
    &Counters::connected,
    &Counters::receipts,
    &Counters::receipts_refused,
    &Counters::errors,
    &Counters::tolerances,
    &Counters::transactions_committed,
    &Counters::transactions_aborted,
};

template <class T, std::size_t size>
void add_all(std::array<T, size>& sum, const std::array<T, size>& other) {
    for (std::size_t i = 0; i < size; ++i) {
        sum[i] += other[i];
    }
}

}  // namespace

std::int64_t accounted_bytes() {
    return accounted;
}

void account(std::int64_t octets) {
    accounted += octets;
}

void Counters::count(const protocol::Error& refusal) {
    ++refusals[static_cast<std::size_t>(refusal.code)];
    if (refusal.limit != protocol::LimitKey::none) { count(refusal.limit); }
}

std::uint64_t Counters::messages_published() const {
    std::uint64_t sum = 0;
    for (const PolicyCounters& policy : policies) {
        sum += policy.published;
    }
    return sum;
}

std::uint64_t Counters::messages_delivered() const {
    std::uint64_t sum = 0;
    for (const PolicyCounters& policy : policies) {
        sum += policy.delivered;
    }
    return sum;
}

void Counters::add(const Counters& other) {
    for (const auto member : plain_members) {
        this->*member += other.*member;
    }
    transactions_open += other.transactions_open;
    outbound_bytes += other.outbound_bytes;
    add_all(frames_received, other.frames_received);
    add_all(refusals, other.refusals);
    add_all(limit_hits, other.limit_hits);
    add_all(denied, other.denied);
    add_all(subscriptions, other.subscriptions);
    for (std::size_t i = 0; i < logins.size(); ++i) {
        logins[i].accepted += other.logins[i].accepted;
        logins[i].refused += other.logins[i].refused;
        logins[i].time.add(other.logins[i].time);
    }
    if (policies.size() < other.policies.size()) { policies.resize(other.policies.size()); }
    for (std::size_t i = 0; i < other.policies.size(); ++i) {
        policies[i].published += other.policies[i].published;
        policies[i].delivered += other.policies[i].delivered;
    }
    fanout_time.add(other.fanout_time);
    delivery_time.add(other.delivery_time);
    receipt_time.add(other.receipt_time);
    stored_receipt_time.add(other.stored_receipt_time);
}

}  // namespace engine
