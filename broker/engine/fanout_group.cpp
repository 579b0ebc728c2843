#include "broker/engine/fanout_group.hpp"

#include "broker/engine/subscription.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace engine {

namespace {

bool belongs(const FanoutGroup& group, const Subscription& subscription) {
    return group.is_shareable == subscription.is_shareable() &&
           group.no_local == subscription.options().no_local &&
           group.framing == subscription.framing() && group.version == subscription.version() &&
           group.prefix == subscription.prefix();
}

void join(std::vector<FanoutGroup>& groups, Subscription& subscription) {
    // Most topics have one group; looking at the last few keeps ten thousand different ids from
    // being compared with each other, at the price of some groups that could have been one.
    const std::size_t looked_at = std::min<std::size_t>(groups.size(), 16);
    for (std::size_t i = 0; i < looked_at; ++i) {
        FanoutGroup& group = groups[i];
        if (belongs(group, subscription)) { return group.members.push_back(&subscription); }
    }
    FanoutGroup group{
        subscription.framing(),
        subscription.version(),
        subscription.is_shareable(),
        subscription.options().no_local,
        subscription.prefix(),
        {},
        nullptr,
        0};
    group.members.push_back(&subscription);
    groups.push_back(std::move(group));
}

}  // namespace

void FanoutGroups::add(Subscription& subscription) {
    const SelectorRef& selector = subscription.selector();
    if (!selector) { return join(plain_, subscription); }
    if (!selected_) { selected_ = std::make_unique<BySelector<Groups>>(); }
    join(selected_->join(selector), subscription);
}

bool FanoutGroups::remove(Subscription& subscription) {
    const SelectorRef& selector = subscription.selector();
    if (!selector) { return remove_from(plain_, subscription); }
    const bool is_removed = remove_from(selected_->leave(selector), subscription);
    if (selected_->empty()) { selected_.reset(); }
    return is_removed;
}

bool FanoutGroups::remove_from(Groups& groups, Subscription& subscription) {
    for (FanoutGroup& group : groups) {
        std::vector<Subscription*>& members = group.members;
        const auto found = std::find(members.begin(), members.end(), &subscription);
        if (found == members.end()) { continue; }
        *found = members.back();
        members.pop_back();
        if (members.empty()) {
            std::swap(group, groups.back());
            groups.pop_back();
        }
        return true;
    }
    return false;
}

std::size_t FanoutGroups::members() const {
    std::size_t count = 0;
    for_each_group([&count](const FanoutGroup& group) { count += group.members.size(); });
    return count;
}

void FanoutGroups::clear() {
    plain_.clear();
    selected_.reset();
}

}  // namespace engine
