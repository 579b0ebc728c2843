// Dispatcher: what must be true of its bookkeeping between two calls. For tests.
#include "broker/engine/dispatcher.hpp"

#include <algorithm>

namespace engine {

std::string Dispatcher::fault() const {
    std::vector<const ConsumerClass*> classes = {&all_};
    for (const ConsumerClass& consumers : choosy_) {
        classes.push_back(&consumers);
    }
    std::size_t groups = 0;
    std::size_t ready = 0;
    for (const auto& consumer : consumers_) {
        groups += consumer->groups;
        ready += consumer->is_ready ? 1U : 0U;
        if (consumer->bound) { classes.push_back(consumer->bound.get()); }
        if (consumer->is_ready != may_get(*consumer, 0)) { return "ready, or not, without reason"; }
    }
    if (groups != groups_.size() || groups != group_uses_.size()) { return "groups not counted"; }
    if (ready != ready_) { return "ready not counted"; }
    std::size_t entries = 0;
    std::size_t ranked = 0;
    for (const ConsumerClass* const consumers : classes) {
        entries += consumers->candidates.size();
        ranked += consumers->rank ? 1U : 0U;
        if (consumers->rank && !order_.contains(*consumers->rank)) { return "rank without order"; }
        const bool has_ready = consumers->owner != nullptr
                                   ? consumers->owner->is_ready
                                   : std::any_of(
                                         consumers->ready.begin(),
                                         consumers->ready.end(),
                                         [](const auto& ring) { return !ring.second.empty(); }
                                     );
        const bool has_some = !consumers->candidates.empty() || !has_seen_all(*consumers);
        if (is_matching_ && has_ready && has_some && !consumers->rank) { return "not ranked"; }
        if (consumers->rank && !has_ready) { return "ranked without need"; }
        if (consumers->is_looking) { return "looks for ever"; }
    }
    for (const HeaderIndex& header : headers_) {
        for (const auto& [value, places] : header.others) {
            entries += places.size();
        }
    }
    if (entries != entries_) { return "entries not counted"; }
    if (ranked != order_.size()) { return "order without rank"; }
    return {};
}

}  // namespace engine
