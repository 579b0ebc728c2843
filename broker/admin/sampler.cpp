#include "broker/admin/sampler.hpp"

#include "broker/admin/rounded.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace admin {

namespace {

/// Of a counter, between two reports.
class Rate {
public:
    Rate(const transport::ShardReport& before, const transport::ShardReport& after, double seconds)
        : before_(before), after_(after), seconds_(seconds) {}

    template <class Count>
    double of(Count count) const {
        return static_cast<double>(count(after_) - count(before_)) / seconds_;
    }

private:
    const transport::ShardReport& before_;
    const transport::ShardReport& after_;
    double seconds_;
};

using Octets = std::array<std::uint64_t, transport::transport_count>;

std::uint64_t sum(const Octets& octets) {
    return std::accumulate(octets.begin(), octets.end(), std::uint64_t{0});
}

}  // namespace

Sampler::Sampler(std::vector<const transport::IoShard*> shards, const transport::Census& census)
    : shards_(std::move(shards)), census_(census) {}

void Sampler::take(engine::Instant now, std::uint64_t now_ms) {
    transport::ShardReport report;
    for (const transport::IoShard* const shard : shards_) {
        report.add(shard->report());
    }
    const engine::Instant age = std::max(now - taken_at_, engine::Instant(1));
    const Rate rate(report_, report, std::chrono::duration<double>(age).count());
    using Report = transport::ShardReport;
    Sample sample;
    sample.at = now_ms;
    for (const engine::QueueFigures& figures : report.queue_figures) {
        sample.queue_messages += figures.messages - figures.unacknowledged;
    }
    const std::size_t connections = census_.connections();
    sample.connections = connections - std::min(connections, census_.unauthenticated());
    if (taken_at_ != engine::Instant(0)) {
        const auto published = [](const Report& of) { return of.counters.messages_published(); };
        const auto delivered = [](const Report& of) { return of.counters.messages_delivered(); };
        const auto acked = [](const Report& of) { return of.counters.messages_acked; };
        sample.published = rate.of(published);
        sample.delivered = rate.of(delivered);
        sample.acked = rate.of(acked);
        sample.received_bytes =
            rate.of([](const Report& of) { return sum(of.connections.received); });
        sample.sent_bytes = rate.of([](const Report& of) { return sum(of.connections.sent); });
    }
    report_ = std::move(report);
    taken_at_ = now;
    if (history_.size() == samples_max) { history_.pop_front(); }
    history_.push_back(sample);
}

Totals Sampler::totals() const {
    const engine::Counters& counters = report_.counters;
    Totals totals;
    totals.published = counters.messages_published();
    totals.delivered = counters.messages_delivered();
    totals.acked = counters.messages_acked;
    totals.nacked = counters.messages_nacked;
    totals.redelivered = counters.messages_redelivered;
    totals.expired = counters.messages_expired;
    totals.dead_lettered = counters.messages_dead_lettered;
    totals.dropped = counters.messages_dropped_oldest + counters.messages_dropped_newest +
                     counters.messages_overflowed + counters.messages_discarded;
    totals.unroutable = counters.messages_unroutable;
    totals.deduplicated = counters.messages_deduplicated;
    return totals;
}

std::string Sampler::stats() const {
    boost::json::object stats = to_json(latest());
    stats["totals"] = to_json(totals());
    return boost::json::serialize(stats);
}

boost::json::object to_json(const Sample& sample) {
    return {
        {"at", sample.at},
        {"published", rounded(sample.published)},
        {"delivered", rounded(sample.delivered)},
        {"acked", rounded(sample.acked)},
        {"received_bytes", rounded(sample.received_bytes)},
        {"sent_bytes", rounded(sample.sent_bytes)},
        {"connections", sample.connections},
        {"queue_messages", sample.queue_messages}};
}

boost::json::object to_json(const Totals& totals) {
    return {
        {"published", totals.published},
        {"delivered", totals.delivered},
        {"acked", totals.acked},
        {"nacked", totals.nacked},
        {"redelivered", totals.redelivered},
        {"expired", totals.expired},
        {"dead_lettered", totals.dead_lettered},
        {"dropped", totals.dropped},
        {"unroutable", totals.unroutable},
        {"deduplicated", totals.deduplicated}};
}

}  // namespace admin
