// Destinations: where messages go that cannot be delivered (P-ACK-11, P-ACK-12).
#include "broker/engine/destinations.hpp"
#include "broker/engine/send_head.hpp"

#include <algorithm>
#include <array>

namespace engine {

using protocol::DestinationKind;

// The letter is written in the batch in which the original leaves, or in a transaction with it
// (D contract 9).
void Destinations::dead_letter(
    const Queue& origin, const Delivery& delivery, std::string_view reason
) {
    const auto route = dead_letter_route(origin, *delivery.message, reason);
    if (!route) {
        ++output_.counters.messages_discarded;
        return;
    }
    const std::string deaths = std::to_string(delivery.count);
    const std::string time = std::to_string(shard_.wall_clock_ms());
    const std::array<protocol::Header, 4> headers = {
        {{"x-death-reason", reason},
         {"x-death-queue", origin.origin()},
         {"x-death-count", deaths},
         {"x-death-time", time}}};
    const MessageRef letter = remade(*delivery.message, headers, 0);
    std::uint64_t transaction = 0;
    if (route->home != shard_.index() && delivery.is_stored) {
        transaction = journal_.new_transaction();
        journal_.batch().join({transaction, 2});
    }
    run_on(route->home, [route = *route, letter, transaction](Destinations& router) {
        router.bury(route, letter, transaction);
    });
}

// Where a message goes that dies in `origin`, if anywhere (P-ACK-11, P-ACK-12).
std::optional<Route> Destinations::dead_letter_route(
    const Queue& origin, const Message& message, std::string_view reason
) const {
    constexpr std::string_view queue_space = "/queue/";
    const bool is_topic = origin.origin() != origin.name();
    if (origin.is_dead_letter_queue() || (!is_topic && !origin.name().starts_with(queue_space))) {
        return std::nullopt;
    }
    const std::string& from = origin.origin();
    std::string name;
    if (origin.settings().dead_letter) {
        name = *origin.settings().dead_letter;
        // What overflowed once is not passed on again: two full queues would do so for ever.
        const bool is_again = reason == "overflow" && message.find("x-death-reason") == reason;
        if (name.empty() || is_again) { return std::nullopt; }
    } else {
        const std::size_t prefix = is_topic ? from.find('/', 1) + 1 : queue_space.size();
        name = "/queue/DLQ." + from.substr(std::min(prefix, from.size()));
    }
    Route route;
    const auto parsed = protocol::parse_destination(name, settings_.limits.protocol);
    if (!parsed && origin.settings().dead_letter) { return std::nullopt; }
    // Names that the broker derives may be longer than a client's (P-DEST-03).
    const auto destination =
        parsed ? *parsed
               : protocol::Destination{
                     DestinationKind::queue,
                     queue_space,
                     std::string_view(name).substr(std::min(queue_space.size(), name.size()))};
    if (destination.canonical() == origin.name() && reason == "overflow") { return std::nullopt; }
    route.home = home_of(destination.canonical());
    route.name = std::make_shared<const Route::Name>(Route::Name::of(destination));
    return route;
}

void Destinations::bury(const Route& route, const MessageRef& letter, std::uint64_t transaction) {
    shard_.assert_current();
    bool is_kept = true;
    if (route.name->is_queue) {
        // A dead letter is taken beyond the limit of queues and below the disk floor, too: its
        // original has gone.
        const std::string name = route.name->space + route.name->key;
        const auto found = queues_.find(name);
        const auto queue = found != queues_.end() ? found->second : add_queue(name, {});
        is_kept = queue->push_admitted(letter) == Admission::accepted;
    } else {
        is_kept = publish_here(*complete(route), letter).has_value();
    }
    if (is_kept) {
        ++output_.counters.messages_dead_lettered;
    } else {
        ++output_.counters.messages_discarded;
    }
    if (transaction != 0) { journal_.batch().join({transaction, 2}); }
}

}  // namespace engine
