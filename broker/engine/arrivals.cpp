#include "broker/engine/arrivals.hpp"

#include <algorithm>
#include <charconv>

namespace engine {

std::optional<Instant> ArrivalTimes::find(std::string_view id) const {
    if (prefix_.empty() || !id.starts_with(prefix_)) { return std::nullopt; }
    std::uint64_t number = 0;
    const char* const end = id.data() + id.size();
    const auto [stop, ec] = std::from_chars(id.data() + prefix_.size(), end, number);
    if (ec != std::errc() || stop != end) { return std::nullopt; }
    const auto after = std::ranges::upper_bound(marks_, number, {}, &Mark::first);
    if (after == marks_.begin()) { return std::nullopt; }
    return std::prev(after)->at;
}

void Arrivals::note(std::uint64_t last, Instant now) {
    const std::uint64_t first = last_ + 1;
    last_ = last;
    if (!marks_.empty() && now - marks_.back().at < step) { return; }
    marks_.push_back({first, now});
    if (marks_.size() < marks_max) { return; }
    // Of the older half every other mark goes: what is old is known less exactly.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < marks_.size(); ++i) {
        if (i < marks_max / 2 && i % 2 == 1) { continue; }
        marks_[kept++] = marks_[i];
    }
    marks_.resize(kept);
}

}  // namespace engine
