#include "broker/engine/counters.hpp"

namespace engine {

namespace {

// The one thread-local variable of the engine: a message may be released on another shard than its
// own.
thread_local std::int64_t accounted = 0;

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

void Counters::add(const Counters& other) {
    messages_published += other.messages_published;
    messages_delivered += other.messages_delivered;
    messages_acked += other.messages_acked;
    messages_nacked += other.messages_nacked;
    messages_redelivered += other.messages_redelivered;
    messages_dead_lettered += other.messages_dead_lettered;
    messages_unroutable += other.messages_unroutable;
    messages_dropped_oldest += other.messages_dropped_oldest;
    messages_dropped_newest += other.messages_dropped_newest;
    messages_conflated += other.messages_conflated;
    messages_overflowed += other.messages_overflowed;
    messages_replaced += other.messages_replaced;
    messages_discarded += other.messages_discarded;
    messages_expired += other.messages_expired;
    messages_deduplicated += other.messages_deduplicated;
    messages_damaged += other.messages_damaged;
    receipts += other.receipts;
    tolerances += other.tolerances;
    transactions_committed += other.transactions_committed;
    transactions_aborted += other.transactions_aborted;
    for (std::size_t i = 0; i < refusals.size(); ++i) {
        refusals[i] += other.refusals[i];
    }
    for (std::size_t i = 0; i < limit_hits.size(); ++i) {
        limit_hits[i] += other.limit_hits[i];
    }
}

}  // namespace engine
