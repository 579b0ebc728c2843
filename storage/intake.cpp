// Two fixed points: lines are cut before incomplete transactions, then a group within the limits is
// widened until it holds its transactions whole.
#include "storage/intake.hpp"

#include <algorithm>
#include <utility>

namespace storage {
namespace {

using Counts = std::unordered_map<std::uint64_t, unsigned>;
using Line = std::deque<std::unique_ptr<Batch>>;

Counts count_parts(const std::vector<Line>& lines, const std::vector<std::size_t>& prefixes) {
    Counts counts;
    for (std::size_t shard = 0; shard < lines.size(); ++shard) {
        for (std::size_t i = 0; i < prefixes[shard]; ++i) {
            for (const Batch::Part& part : lines[shard][i]->parts()) {
                ++counts[part.transaction];
            }
        }
    }
    return counts;
}

bool is_complete(const Batch& batch, const Counts& counts) {
    return std::ranges::all_of(batch.parts(), [&counts](const Batch::Part& part) {
        return counts.at(part.transaction) >= part.parts;
    });
}

/// How many of the first `size` batches come before the first that lacks other parts.
std::size_t complete_size(const Line& line, std::size_t size, const Counts& counts) {
    std::size_t complete = 0;
    while (complete < size && is_complete(*line[complete], counts)) {
        ++complete;
    }
    return complete;
}

/// How many batches of the first `size` it takes to have every part of the transactions in
/// `counts`.
std::size_t needed_size(const Line& line, std::size_t size, const Counts& counts) {
    const auto needs = [&counts](const Batch::Part& part) {
        return counts.contains(part.transaction);
    };
    while (size > 0 && std::ranges::none_of(line[size - 1]->parts(), needs)) {
        --size;
    }
    return size;
}

}  // namespace

void Intake::add(std::size_t shard, std::unique_ptr<Batch> batch) {
    ++size_;
    records_ += batch->records();
    bytes_ += batch->bytes();
    parts_ += batch->parts().size();
    urgent_ += batch->is_urgent() ? 1U : 0U;
    lines_[shard].push_back(std::move(batch));
}

Group Intake::take() {
    const Prefixes available = complete_prefixes();
    Prefixes prefixes = limited(available);
    if (parts_ > 0) { include_transactions(prefixes, available); }
    if (std::ranges::count(prefixes, 0U) == std::ssize(prefixes)) { return {}; }
    return cut(prefixes);
}

Intake::Prefixes Intake::complete_prefixes() const {
    Prefixes prefixes;
    prefixes.reserve(lines_.size());
    for (const Line& line : lines_) {
        prefixes.push_back(line.size());
    }
    bool has_changed = parts_ > 0;
    while (has_changed) {
        has_changed = false;
        const Counts counts = count_parts(lines_, prefixes);
        for (std::size_t shard = 0; shard < lines_.size(); ++shard) {
            const std::size_t size = complete_size(lines_[shard], prefixes[shard], counts);
            has_changed = has_changed || size != prefixes[shard];
            prefixes[shard] = size;
        }
    }
    return prefixes;
}

Intake::Prefixes Intake::limited(const Prefixes& available) const {
    Prefixes prefixes(lines_.size(), 0);
    std::size_t records = 0;
    std::size_t bytes = 0;
    bool has_grown = true;
    // In turns, so that no shard waits for another's long line.
    while (has_grown) {
        has_grown = false;
        for (std::size_t shard = 0; shard < lines_.size(); ++shard) {
            if (prefixes[shard] == available[shard]) { continue; }
            if (records >= limits_.records_max || bytes >= limits_.bytes_max) { return prefixes; }
            const Batch& batch = *lines_[shard][prefixes[shard]++];
            records += batch.records();
            bytes += batch.bytes();
            has_grown = true;
        }
    }
    return prefixes;
}

void Intake::include_transactions(Prefixes& prefixes, const Prefixes& available) const {
    bool has_grown = true;
    while (has_grown) {
        has_grown = false;
        const Counts counts = count_parts(lines_, prefixes);
        for (std::size_t shard = 0; shard < lines_.size(); ++shard) {
            const std::size_t needed = needed_size(lines_[shard], available[shard], counts);
            has_grown = has_grown || needed > prefixes[shard];
            prefixes[shard] = std::max(prefixes[shard], needed);
        }
    }
}

Group Intake::cut(const Prefixes& prefixes) {
    Group group(lines_.size());
    for (std::size_t shard = 0; shard < lines_.size(); ++shard) {
        for (std::size_t i = 0; i < prefixes[shard]; ++i) {
            std::unique_ptr<Batch> batch = std::move(lines_[shard].front());
            lines_[shard].pop_front();
            --size_;
            records_ -= batch->records();
            bytes_ -= batch->bytes();
            parts_ -= batch->parts().size();
            urgent_ -= batch->is_urgent() ? 1U : 0U;
            group[shard].push_back(std::move(batch));
        }
    }
    return group;
}

}  // namespace storage
