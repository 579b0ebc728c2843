#include "broker/security/login_budget.hpp"

#include <algorithm>

namespace security {

bool LoginBudget::is_over(std::string_view key, Time now) const {
    const auto it = by_key_.find(key);
    if (it == by_key_.end() || is_past(*it->second, now)) { return false; }
    return it->second->failures >= limits_.failures;
}

LoginBudget::Duration LoginBudget::failed(std::string_view key, Time now) {
    Entry& entry = entry_of(key, now);
    if (is_past(entry, now)) {
        entry.begin = now;
        entry.failures = 0;
    }
    ++entry.failures;
    return delay_after(entry.failures);
}

LoginBudget::Entry& LoginBudget::entry_of(std::string_view key, Time now) {
    const auto it = by_key_.find(key);
    if (it != by_key_.end()) {
        entries_.splice(entries_.begin(), entries_, it->second);
        return entries_.front();
    }
    if (entries_.size() >= std::max<std::size_t>(limits_.addresses, 1)) {
        by_key_.erase(entries_.back().key);
        entries_.pop_back();
    }
    entries_.push_front({std::string(key), now, 0});
    by_key_.emplace(entries_.front().key, entries_.begin());
    return entries_.front();
}

LoginBudget::Duration LoginBudget::delay_after(std::size_t failures) const {
    if (failures <= limits_.failures) { return Duration::zero(); }
    Duration delay = limits_.first_delay;
    for (std::size_t more = failures - limits_.failures - 1; more > 0; --more) {
        delay = std::min(delay * 2, limits_.last_delay);
        if (delay == limits_.last_delay) { break; }
    }
    return delay;
}

}  // namespace security
