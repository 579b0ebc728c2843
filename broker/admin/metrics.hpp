// What GET /metrics answers: the shards' reports and what the server knows, in Prometheus's text
// format 0.0.4 (docs/metrics.md). Used on the first shard; asks nobody, waits for nothing.
// As many lines as there are fixed labels, listeners and policies.
#pragma once

#include "broker/admin/figures.hpp"
#include "broker/transport/io_shard.hpp"

#include <functional>
#include <string>
#include <vector>

namespace admin {

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
