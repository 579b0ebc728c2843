// The broker's figures once a second: what the overview, its history and `/topic/$SYS.stats` show.
// Lives on the first shard; asks no shard, but reads what each has reported within the last 100 ms.
// Keeps the last five minutes.
#pragma once

#include "broker/transport/census.hpp"
#include "broker/transport/io_shard.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace admin {

/// Rates are a second.
struct Sample {
    std::uint64_t at = 0;  ///< Milliseconds since 1970.
    double published = 0;
    double delivered = 0;
    double acked = 0;
    double received_bytes = 0;
    double sent_bytes = 0;
    std::size_t connections = 0;
    std::uint64_t queue_messages = 0;
};

/// Since the start.
struct Totals {
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;
    std::uint64_t acked = 0;
    std::uint64_t nacked = 0;
    std::uint64_t redelivered = 0;
    std::uint64_t expired = 0;
    std::uint64_t dead_lettered = 0;
    std::uint64_t dropped = 0;
    std::uint64_t unroutable = 0;
    std::uint64_t deduplicated = 0;
};

/// As the schemas `Sample` and `Overview.totals` of the API have them.
[[nodiscard]] boost::json::object to_json(const Sample& sample);
[[nodiscard]] boost::json::object to_json(const Totals& totals);

class Sampler {
public:
    static constexpr std::size_t samples_max = 300;

    /// The shards and the census outlive it.
    Sampler(std::vector<const transport::IoShard*> shards, const transport::Census& census);

    /// To be called once a second. `now_ms`: since 1970.
    void take(engine::Instant now, std::uint64_t now_ms);

    /// The oldest first.
    [[nodiscard]] const std::deque<Sample>& history() const { return history_; }

    /// The last one; all zero before the first.
    [[nodiscard]] Sample latest() const { return history_.empty() ? Sample() : history_.back(); }

    /// At the last take().
    [[nodiscard]] Totals totals() const;

    /// The last sample with the totals: the body of `/topic/$SYS.stats`.
    [[nodiscard]] std::string stats() const;

private:
    const std::vector<const transport::IoShard*> shards_;
    const transport::Census& census_;
    transport::ShardReport report_;  ///< Of all shards at the last take().
    engine::Instant taken_at_{0};
    std::deque<Sample> history_;
};

}  // namespace admin
