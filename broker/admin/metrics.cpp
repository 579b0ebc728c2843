#include "broker/admin/metrics.hpp"

#include "broker/admin/metric_groups.hpp"

#include <chrono>
#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>
#include <utility>

namespace admin {

namespace {

/// Where the shards' numbers become families.
class Collector : public prometheus::Collectable {
public:
    Collector(const Gathered& gathered, double started_at)
        : gathered_(gathered), started_at_(started_at) {}

    std::vector<prometheus::MetricFamily> Collect() const override {
        Families families;
        add_broker(families, gathered_, started_at_);
        add_process(families);
        add_messages(families, gathered_);
        add_destinations(families, gathered_);
        add_refusals(families, gathered_);
        add_flow(families, gathered_);
        return families.take();
    }

private:
    const Gathered& gathered_;
    const double started_at_;
};

double seconds_since_1970() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration<double>(since).count();
}

}  // namespace

Metrics::Metrics(std::vector<const transport::IoShard*> shards, Names names, Ask ask)
    : shards_(std::move(shards)),
      names_(std::move(names)),
      ask_(std::move(ask)),
      started_at_(seconds_since_1970()) {}

std::string Metrics::text() const {
    Gathered gathered{{}, ask_(), names_};
    for (const transport::IoShard* const shard : shards_) {
        gathered.shards.add(shard->report());
    }
    return prometheus::TextSerializer().Serialize(Collector(gathered, started_at_).Collect());
}

}  // namespace admin
