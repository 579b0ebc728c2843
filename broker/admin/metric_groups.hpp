// The groups of metrics, in the order of docs/metrics.md. Each adds its families.
// Pure: what was gathered before comes in, families come out.
#pragma once

#include "broker/admin/families.hpp"
#include "broker/admin/metrics.hpp"

namespace admin {

/// All that one scrape tells.
struct Gathered {
    transport::ShardReport shards;  ///< The sum.
    Figures figures;
    const Metrics::Names& names;
};

void add_broker(Families& out, const Gathered& from, double started_at);
/// `process_*`, as every exporter has them; from /proc/self.
void add_process(Families& out);
void add_messages(Families& out, const Gathered& from);
void add_destinations(Families& out, const Gathered& from);
void add_refusals(Families& out, const Gathered& from);
void add_flow(Families& out, const Gathered& from);

}  // namespace admin
