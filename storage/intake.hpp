// Batches that wait for the committer, in a line per shard, and which of them form the next group.
// Pure. A transaction's batches go together (D-COM-02).
#pragma once

#include "storage/batch.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace storage {

/// Batches of one group, by shard, each in the order they came.
using Group = std::vector<std::vector<std::unique_ptr<Batch>>>;

class Intake {
public:
    struct Limits {
        std::size_t records_max = 4096;
        std::size_t bytes_max = 1024 * 1024;
    };

    Intake(std::size_t shards, const Limits& limits) : limits_(limits), lines_(shards) {}

    void add(std::size_t shard, std::unique_ptr<Batch> batch);
    /// The next group: no batch joins it once a limit is reached, except those of a transaction
    /// that is in it. Batches of a transaction whose other parts have not come stay, with all
    /// behind them. Returns an empty vector if nothing can be taken.
    [[nodiscard]] Group take();

    [[nodiscard]] std::size_t size() const { return size_; }

    /// Records that wait.
    [[nodiscard]] std::size_t records() const { return records_; }

    /// Somebody waits for what is here.
    [[nodiscard]] bool is_urgent() const { return urgent_ > 0; }

    [[nodiscard]] bool is_full() const {
        return records_ >= limits_.records_max || bytes_ >= limits_.bytes_max;
    }

private:
    using Line = std::deque<std::unique_ptr<Batch>>;
    /// How many batches of each line.
    using Prefixes = std::vector<std::size_t>;

    [[nodiscard]] Prefixes complete_prefixes() const;
    [[nodiscard]] Prefixes limited(const Prefixes& available) const;
    void include_transactions(Prefixes& prefixes, const Prefixes& available) const;
    [[nodiscard]] Group cut(const Prefixes& prefixes);

    Limits limits_;
    std::vector<Line> lines_;
    std::size_t size_ = 0;
    std::size_t records_ = 0;
    std::size_t bytes_ = 0;
    std::size_t urgent_ = 0;  ///< Batches.
    std::size_t parts_ = 0;   ///< Of transactions, in all batches.
};

}  // namespace storage
