// Destinations: delayed messages and duplicates (P-QOS-03, -06).
#include "broker/engine/destinations.hpp"
#include "broker/engine/schedule.hpp"

#include <map>
#include <string>
#include <vector>

namespace engine {

using protocol::Result;

namespace {

constexpr std::int64_t delay_max_ms = 30LL * 24 * 3600 * 1000;

}  // namespace

Result<std::shared_ptr<const Asked>> asked_by(
    const SendOptions& options, std::string user, std::uint64_t publisher, std::int64_t now_ms
) {
    if (!options.delay && options.dedup_id.empty()) { return std::shared_ptr<const Asked>(); }
    if (options.delay && options.delay->due(now_ms) - now_ms > delay_max_ms) {
        return protocol::Error{
            protocol::ErrorCode::bad_header,
            "The header AMQ_SCHEDULED_TIME is more than 30 days ahead.",
            "Give an earlier time, in milliseconds since 1970.",
            "P-QOS-03"};
    }
    return std::make_shared<const Asked>(Asked{
        options.delay, options.dedup_id, std::move(user), publisher});
}

bool Destinations::is_temporary(const Route& route) {
    return route.name->space.starts_with("/temp-");
}

std::string Destinations::name_of(const Route& route, const Asked& asked) {
    std::string name = route.name->space + route.name->key;
    if (is_temporary(route)) { name.append(1, '\0').append(std::to_string(asked.publisher)); }
    return name;
}

bool Destinations::stores_delayed(const Route& route, const Message& message) {
    if (!journal_.has_store() || !message.is_persistent() || is_temporary(route)) { return false; }
    if (!route.name->is_queue) { return true; }
    if (route.name->is_literal) { return false; }
    const auto queue = queue_of(route);
    return queue && (*queue)->is_durable();
}

bool Destinations::stores(const Route& route, const Message& message) {
    if (route.asked && route.asked->delay) { return stores_delayed(route, message); }
    if (!journal_.has_store() || !message.is_persistent()) { return false; }
    const auto here = complete(route);
    if (!here) { return false; }
    shard_.assert_current();
    return here->queue
               ? here->queue->stores(message)
               : here->topic && (keeps(*here) || !here->topic->bindings(index_, message).empty());
}

// Stop 4 of 7, for a SEND that asks for more than that. A duplicate waits for what is to be stored
// by now: the first is among that. A SEND that is refused claims no id.
Result<Published> Destinations::publish_asked(const Route& route, const MessageRef& message) {
    const Asked& asked = *route.asked;
    const std::string name = name_of(route, asked);
    const bool has_id = !asked.dedup_id.empty();
    if (has_id && duplicates_.knows(name, asked)) {
        ++output_.counters.messages_deduplicated;
        return journal_.has_store() ? Published::stored : Published::done;
    }
    Route plain = route;
    plain.asked = nullptr;
    const auto now = static_cast<std::int64_t>(shard_.wall_clock_ms());
    const bool is_delayed = asked.delay && !route.is_gone &&
                            (asked.delay->period_ms != 0 || asked.delay->due(now) > now);
    const auto published = is_delayed ? schedule_->add(name, plain, message, *asked.delay)
                                      : publish_linked(plain, message);
    if (published && has_id) { duplicates_.claim(name, asked, *published == Published::stored); }
    return published;
}

// Arguments that a queue was not made with do not keep a message from it that was taken.
Result<Published> Destinations::publish_due(const Route& route, const MessageRef& message) {
    shard_.assert_current();
    Route here = route;
    if (route.name->is_queue && !route.name->is_literal) {
        const auto found = queues_.find(route.name->space + route.name->key);
        if (found != queues_.end()) { here.queue = found->second; }
    } else if (!route.name->is_queue && !is_temporary(route)) {
        // Messages of one destination wait together: each says itself whether it is to be kept.
        Route::Name name = *route.name;
        name.retain = name.is_user ? Retain::none : retain_asked_by(*message);
        here.name = std::make_shared<const Route::Name>(std::move(name));
    }
    return publish_linked(here, message);
}

Result<Published> Destinations::publish_linked(const Route& route, const MessageRef& message) {
    const auto here = complete(route);
    if (!here) { return here.error(); }
    if (!here->topic) { return publish_here(*here, message); }
    shard_.assert_current();
    if (auto error = keep_refusal(*here, *message)) { return *std::move(error); }
    const auto elsewhere = bindings_elsewhere(*here, *message);
    if (!elsewhere) { return elsewhere.error(); }
    const std::size_t before = journal_.has_store() ? journal_.batch().changes() : 0;
    const bool is_stored = journal_.has_store() && message->is_persistent();
    std::map<unsigned, std::vector<std::shared_ptr<const Binding>>> homes;
    for (const auto& binding : *elsewhere) {
        homes[binding->home].push_back(binding);
    }
    const MessageRef routed = route_kept(*here, message);
    const auto& bindings_here = here->topic->bindings(index_, *message);
    const bool has_copies = is_stored && !bindings_here.empty();
    for (const Binding* const binding : bindings_here) {
        if (binding->home == shard_.index()) { push_bound(*binding, routed); }
    }
    const bool is_shared = is_stored && !homes.empty();
    const auto parts = static_cast<unsigned>(homes.size() + 1);
    const std::uint64_t transaction = is_shared ? journal_.new_transaction() : 0;
    if (is_shared) { journal_.batch().join({transaction, parts}); }
    for (auto& entry : homes) {
        run_on(
            entry.first,
            [routed, transaction, parts, bindings = std::move(entry.second)](Destinations& home) {
                for (const auto& binding : bindings) {
                    home.push_bound(*binding, routed);
                }
                if (transaction != 0) { home.journal_.batch().join({transaction, parts}); }
            }
        );
    }
    const bool has_changes = journal_.has_store() && journal_.batch().changes() != before;
    return has_copies || has_changes ? Published::stored : Published::done;
}

}  // namespace engine
