#include "broker/engine/temporary.hpp"

namespace engine {

protocol::Result<const TemporaryDestinations::Temporary*> TemporaryDestinations::open(
    const protocol::Destination& name
) {
    std::string canonical = name.canonical();
    const auto found = by_name_.find(canonical);
    if (found != by_name_.end()) { return &found->second; }
    const std::size_t limit = router_.limits().temporary_destinations_max;
    if (by_name_.size() >= limit) {
        return protocol::Error{
            protocol::ErrorCode::limit_queues,
            "This connection already has " + std::to_string(limit) + " temporary destinations.",
            "Use one reply destination with correlation-id for all requests, or raise "
            "limits.temporary_destinations.",
            "P-LIM-01",
            protocol::LimitKey::temporary_destinations};
    }
    Route route;
    route.home = router_.shard().index();
    const bool is_queue = name.kind == protocol::DestinationKind::temp_queue;
    route.name = std::make_shared<const Route::Name>(Route::Name{
        std::string(name.space), std::string(name.key), is_queue, true});
    if (is_queue) {
        route.queue = router_.make_queue(canonical, router_.plain_settings());
    } else {
        route.topic = router_.make_topic(name, true);
    }
    const std::string token = router_.add_reply_address(route);
    return &by_name_.emplace(std::move(canonical), Temporary{std::move(route), token})
                .first->second;
}

const TemporaryDestinations::Temporary* TemporaryDestinations::find(std::string_view canonical
) const {
    const auto found = by_name_.find(canonical);
    return found == by_name_.end() ? nullptr : &found->second;
}

void TemporaryDestinations::clear() {
    for (const auto& [name, temporary] : by_name_) {
        router_.remove_reply_address(temporary.token);
    }
    by_name_.clear();
}

}  // namespace engine
