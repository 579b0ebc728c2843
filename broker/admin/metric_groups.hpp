// The groups of metrics, in the order of docs/metrics.md. Each adds its families.
// Pure but for add_process(): what was gathered before comes in, families come out.
#pragma once

#include "broker/admin/families.hpp"
#include "broker/admin/metrics.hpp"

#include <array>
#include <string_view>

namespace admin {

/// All that one scrape tells.
struct Gathered {
    transport::ShardReport shards;  ///< The sum.
    Figures figures;
    const Metrics::Names& names;
    double started_at = 0;  ///< Seconds since 1970.
};

/// What a fixed set of labels stands for, in the order of its enumeration.
template <std::size_t size>
using Words = std::array<std::string_view, size>;

/// One value for each of `words`, under the label `name`.
template <class T, std::size_t size>
void add_each(
    Families& out,
    const char* name,
    const Words<size>& words,
    const std::array<T, size>& values,
    double unit = 1
) {
    for (std::size_t i = 0; i < size; ++i) {
        out.value(static_cast<double>(values[i]) * unit, {{name, words[i]}});
    }
}

void add_broker(Families& out, const Gathered& from);
/// `process_*`, as every exporter has them; from /proc/self.
void add_process(Families& out);
void add_connections(Families& out, const Gathered& from);
void add_frames(Families& out, const Gathered& from);
void add_messages(Families& out, const Gathered& from);
void add_receipts(Families& out, const Gathered& from);
void add_destinations(Families& out, const Gathered& from);
void add_refusals(Families& out, const Gathered& from);
void add_flow(Families& out, const Gathered& from);
void add_security(Families& out, const Gathered& from);
/// Nothing without a store.
void add_storage(Families& out, const Gathered& from);

}  // namespace admin
