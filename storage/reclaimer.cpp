#include "storage/reclaimer.hpp"

#include "storage/record.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

namespace storage {

struct Reclaimer::Impl {
    std::mutex mutex;
    std::vector<Range> ranges;  ///< Under the mutex; the one that grew last at the end.
    std::vector<Range> confirmed;
    bool is_due = false;
};

Reclaimer::Reclaimer() : impl_(std::make_unique<Impl>()) {}

Reclaimer::~Reclaimer() = default;

void Reclaimer::note(std::string_view from, std::string_view to) {
    const auto first = parse_message_key(from);
    const auto last = parse_message_key(to);
    if (!first || !last || first->queue != last->queue) { return; }
    const std::uint64_t messages = last->sequence - first->sequence;
    const std::lock_guard lock(impl_->mutex);
    const auto goes_on = [&](const Range& range) { return range.to == from; };
    const auto found = std::find_if(impl_->ranges.begin(), impl_->ranges.end(), goes_on);
    if (found == impl_->ranges.end()) {
        if (impl_->ranges.size() == ranges_max) { impl_->ranges.erase(impl_->ranges.begin()); }
        impl_->is_due = impl_->is_due || messages >= due_messages;
        return impl_->ranges.push_back({std::string(from), std::string(to), messages});
    }
    found->to = to;
    found->grown += messages;
    impl_->is_due = impl_->is_due || found->grown >= due_messages;
    std::rotate(found, found + 1, impl_->ranges.end());
}

std::vector<Reclaimer::Range> Reclaimer::take_due() {
    std::vector<Range> due;
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->is_due) { return due; }
    impl_->is_due = false;
    for (Range& range : impl_->ranges) {
        if (range.grown < due_messages) { continue; }
        due.push_back(range);
        range.grown = 0;
    }
    return due;
}

void Reclaimer::confirm(std::vector<Range> ranges) {
    const std::lock_guard lock(impl_->mutex);
    std::move(ranges.begin(), ranges.end(), std::back_inserter(impl_->confirmed));
}

std::vector<Reclaimer::Range> Reclaimer::take_confirmed() {
    const std::lock_guard lock(impl_->mutex);
    return std::exchange(impl_->confirmed, {});
}

}  // namespace storage
