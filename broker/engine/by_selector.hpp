// Things that stand for subscribers, sorted by the selectors these have: a message finds those that
// want it without a look at the others. Lives on a shard.
#pragma once

#include "broker/engine/message_headers.hpp"
#include "broker/engine/selector.hpp"
#include "broker/engine/selector_index.hpp"

#include <algorithm>
#include <vector>

namespace engine {

/// `Items` is a container: one for each distinct selector.
template <class Items>
class BySelector {
public:
    /// The items of `selector`, for one more user of it.
    [[nodiscard]] Items& join(const SelectorRef& selector) {
        const SelectorIndex::Id id = index_.add(selector);
        if (items_.size() <= id) { items_.resize(id + 1); }
        return items_[id];
    }

    /// The items of `selector`, which one user less has; the last one leaves them empty.
    [[nodiscard]] Items& leave(const SelectorRef& selector) {
        const SelectorIndex::Id id = index_.find(*selector);
        index_.remove(id);
        return items_[id];
    }

    [[nodiscard]] bool empty() const { return index_.empty(); }

    /// Calls visit(Items&) for each selector that takes `message`.
    template <class F>
    void visit(const Message& message, F visit) {
        found_.clear();
        index_.match(message, found_);
        for (const SelectorIndex::Id id : found_) {
            visit(items_[id]);
        }
    }

    /// Calls visit(const Items&) for the items of every selector.
    template <class F>
    void for_each(F visit) const {
        std::for_each(items_.begin(), items_.end(), visit);
    }

private:
    SelectorIndex index_;
    std::vector<Items> items_;              ///< By the selector's id.
    std::vector<SelectorIndex::Id> found_;  ///< By the last visit; kept for its memory.
};

}  // namespace engine
