// What GET /metrics answers: the shards' reports and what the server knows, in Prometheus's text
// format 0.0.4 (docs/metrics.md). Used on the first shard; asks nobody, waits for nothing.
// As many lines as there are fixed labels, listeners and policies.
#pragma once

#include "broker/engine/histogram.hpp"
#include "broker/transport/io_shard.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace admin {

/// What no shard knows, at the time of a scrape.
struct Figures {
    bool is_ready = false;
    bool is_draining = false;
    std::uint64_t reloads_good = 0;
    std::uint64_t reloads_failed = 0;
    double configured_at = 0;  ///< Seconds since 1970: the last configuration that was taken over.
    std::uint64_t log_lines_suppressed = 0;
    std::uint64_t log_lines_lost = 0;
    std::size_t unauthenticated = 0;
    std::uint64_t memory_limit = 0;
    int memory_alarm = 0;
};

class Metrics {
public:
    /// In the order of their indices in the shards' reports.
    struct Names {
        std::vector<std::string> listeners;
        std::vector<std::string> policies;  ///< The first: of what no policy matches.
    };

    using Ask = std::function<Figures()>;

    /// The shards outlive it.
    Metrics(std::vector<const transport::IoShard*> shards, Names names, Ask ask);

    [[nodiscard]] std::string text() const;

private:
    const std::vector<const transport::IoShard*> shards_;
    const Names names_;
    const Ask ask_;
    const double started_at_;
};

}  // namespace admin
