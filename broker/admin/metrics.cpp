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
    explicit Collector(const Gathered& gathered) : gathered_(gathered) {}

    std::vector<prometheus::MetricFamily> Collect() const override {
        Families families;
        add_broker(families, gathered_);
        add_process(families);
        add_connections(families, gathered_);
        add_frames(families, gathered_);
        add_messages(families, gathered_);
        add_receipts(families, gathered_);
        add_destinations(families, gathered_);
        add_refusals(families, gathered_);
        add_flow(families, gathered_);
        add_security(families, gathered_);
        add_storage(families, gathered_);
        return families.take();
    }

private:
    const Gathered& gathered_;
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
    Gathered gathered{{}, ask_(), names_, started_at_};
    for (const transport::IoShard* const shard : shards_) {
        gathered.shards.add(shard->report());
    }
    return prometheus::TextSerializer().Serialize(Collector(gathered).Collect());
}

}  // namespace admin
