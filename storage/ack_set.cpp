// Intervals as two ordered maps: those of the cursor record, which grow together, and marks.
// Limits: none of its own.
#include "storage/ack_set.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace storage {
namespace {

Sequence last_of(Sequence last) {
    return last;
}

template <class Interval>
Sequence last_of(const Interval& interval) {
    return interval.last;
}

/// Whether no interval of `map` has a message in common with `messages`.
template <class Map>
bool is_free(const Map& map, SequenceRange messages) {
    const auto after = map.upper_bound(messages.last);
    return after == map.begin() || last_of(std::prev(after)->second) < messages.first;
}

std::uint64_t size_of(SequenceRange range) {
    return range.last - range.first + 1;
}

void join_neighbours(std::vector<SequenceRange>& ranges) {
    std::size_t kept = 0;
    for (const SequenceRange& range : ranges) {
        if (kept > 0 && ranges[kept - 1].last + 1 == range.first) {
            ranges[kept - 1].last = range.last;
        } else {
            ranges[kept++] = range;
        }
    }
    ranges.resize(kept);
}

}  // namespace

bool AckSet::has_left(Sequence message) const {
    return !has_all({message, message});
}

bool AckSet::has_all(SequenceRange messages) const {
    return messages.first >= head_ && is_free(open_, messages) && is_free(marked_, messages);
}

void AckSet::remove(SequenceRange messages) {
    assert(messages.first <= messages.last && has_all(messages));
    if (messages.first == head_) {
        head_ = messages.last + 1;
        absorb();
        return;
    }
    insert(messages);
}

bool AckSet::restore(SequenceRange messages, bool is_marked) {
    if (messages.first > messages.last) { return false; }
    if (messages.last < head_) { return is_marked; }
    if (!has_all(messages)) { return false; }
    if (is_marked) {
        marked_.emplace(messages.first, messages.last);
    } else {
        open_.emplace(messages.first, Interval{messages.last, messages});
    }
    return true;
}

void AckSet::insert(SequenceRange messages) {
    Interval interval{messages.last, {}};
    const auto after = open_.find(messages.last + 1);
    if (after != open_.end()) {
        interval = after->second;
        open_.erase(after);
    }
    const auto next = open_.lower_bound(messages.first);
    const auto before = next == open_.begin() ? open_.end() : std::prev(next);
    Sequence first = messages.first;
    if (before != open_.end() && before->second.last + 1 == messages.first) {
        before->second.last = interval.last;
        if (before->second.trimmed.first == 0) { before->second.trimmed = interval.trimmed; }
        first = before->first;
        interval = before->second;
    } else {
        open_.emplace(first, interval);
    }
    is_trim_due_ = is_trim_due_ || untrimmed(first, interval) >= trim_messages;
}

void AckSet::absorb() {
    for (;;) {
        const auto open = open_.begin();
        if (open != open_.end() && open->first == head_) {
            head_ = open->second.last + 1;
            open_.erase(open);
            continue;
        }
        const auto mark = marked_.begin();
        if (mark == marked_.end() || mark->first != head_) { return; }
        head_ = mark->second + 1;
        passed_marks_.push_back(mark->first);
        marked_.erase(mark);
    }
}

std::uint64_t AckSet::untrimmed(Sequence first, const Interval& interval) {
    const std::uint64_t size = size_of({first, interval.last});
    return interval.trimmed.first == 0 ? size : size - size_of(interval.trimmed);
}

std::vector<SequenceRange> AckSet::unmarked() const {
    std::vector<SequenceRange> ranges;
    ranges.reserve(open_.size());
    for (const auto& [first, interval] : open_) {
        ranges.push_back({first, interval.last});
    }
    return ranges;
}

std::vector<SequenceRange> AckSet::all() const {
    std::vector<SequenceRange> ranges = unmarked();
    for (const auto& [first, last] : marked_) {
        ranges.push_back({first, last});
    }
    std::ranges::sort(ranges, {}, &SequenceRange::first);
    join_neighbours(ranges);
    return ranges;
}

std::vector<SequenceRange> AckSet::take_marks(std::size_t max) {
    if (open_.size() <= max) { return {}; }
    std::vector<SequenceRange> ranges = unmarked();
    const auto kept = static_cast<std::ptrdiff_t>(max / 2);
    std::ranges::nth_element(ranges, ranges.end() - kept, {}, size_of);
    ranges.resize(ranges.size() - max / 2);
    for (const SequenceRange& range : ranges) {
        open_.erase(range.first);
        marked_.emplace(range.first, range.last);
    }
    return ranges;
}

std::vector<Sequence> AckSet::take_passed_marks() {
    return std::exchange(passed_marks_, {});
}

std::vector<SequenceRange> AckSet::take_trims() {
    std::vector<SequenceRange> trims;
    if (!is_trim_due_) { return trims; }
    is_trim_due_ = false;
    for (auto& [first, interval] : open_) {
        if (untrimmed(first, interval) < trim_messages) { continue; }
        const SequenceRange done = interval.trimmed;
        if (done.first == 0) {
            trims.push_back({first, interval.last});
        } else {
            if (first < done.first) { trims.push_back({first, done.first - 1}); }
            if (done.last < interval.last) { trims.push_back({done.last + 1, interval.last}); }
        }
        interval.trimmed = {first, interval.last};
    }
    return trims;
}

}  // namespace storage
