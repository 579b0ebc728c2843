#include "storage/reclaimer.hpp"

#include "storage/record.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace storage {

void Reclaimer::note(std::string_view from, std::string_view to) {
    const auto first = parse_message_key(from);
    const auto last = parse_message_key(to);
    if (!first || !last || first->queue != last->queue) { return; }
    const std::uint64_t messages = last->sequence - first->sequence;
    const std::lock_guard lock(mutex_);
    const auto goes_on = [&](const Range& range) { return range.to == from; };
    const auto found = std::find_if(ranges_.begin(), ranges_.end(), goes_on);
    if (found == ranges_.end()) {
        if (ranges_.size() == ranges_max) { ranges_.erase(ranges_.begin()); }
        is_due_ = is_due_ || messages >= due_messages;
        return ranges_.push_back({std::string(from), std::string(to), messages});
    }
    found->to = to;
    found->grown += messages;
    is_due_ = is_due_ || found->grown >= due_messages;
    std::rotate(found, found + 1, ranges_.end());
}

std::vector<Reclaimer::Range> Reclaimer::take_due() {
    std::vector<Range> due;
    const std::lock_guard lock(mutex_);
    if (!is_due_) { return due; }
    is_due_ = false;
    for (Range& range : ranges_) {
        if (range.grown < due_messages) { continue; }
        due.push_back(range);
        range.grown = 0;
    }
    return due;
}

void Reclaimer::confirm(std::vector<Range> ranges) {
    const std::lock_guard lock(mutex_);
    std::move(ranges.begin(), ranges.end(), std::back_inserter(confirmed_));
}

std::vector<Reclaimer::Range> Reclaimer::take_confirmed() {
    const std::lock_guard lock(mutex_);
    return std::exchange(confirmed_, {});
}

}  // namespace storage
