// When the messages of a queue expire, soonest first (P-QOS-02).
// Some may be gone already: retain() forgets those, so that it is bounded by what waits.
#pragma once

#include "broker/engine/backlog.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace engine {

class Expiries {
public:
    struct Entry {
        std::int64_t expires = 0;  ///< Milliseconds since 1970.
        Place place;
        std::uint32_t size = 0;  ///< Octets of the message.

        friend bool operator>(const Entry& a, const Entry& b) { return a.expires > b.expires; }
    };

    [[nodiscard]] bool empty() const { return heap_.empty(); }

    [[nodiscard]] std::size_t size() const { return heap_.size(); }

    [[nodiscard]] const Entry& soonest() const { return heap_.front(); }

    void add(const Entry& entry) {
        heap_.push_back(entry);
        std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }

    Entry pop() {
        std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
        const Entry entry = heap_.back();
        heap_.pop_back();
        return entry;
    }

    /// Forgets the entries for which `is_there` answers false, and doubles.
    template <class F>
    void retain(F is_there) {
        std::erase_if(heap_, [&](const Entry& entry) { return !is_there(entry); });
        std::sort(heap_.begin(), heap_.end(), [](const Entry& a, const Entry& b) {
            return a.place < b.place;
        });
        const auto is_same = [](const Entry& a, const Entry& b) { return a.place == b.place; };
        heap_.erase(std::unique(heap_.begin(), heap_.end(), is_same), heap_.end());
        std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
    }

private:
    std::vector<Entry> heap_;
};

}  // namespace engine
