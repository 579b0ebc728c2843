// Destinations: what topics keep for those who subscribe later: retained messages (P-QOS-08, -09)
// and histories (P-QOS-10 to -13).
#include "broker/engine/destinations.hpp"
#include "broker/engine/refusals.hpp"
#include "broker/engine/session.hpp"
#include "broker/engine/subscription.hpp"

#include <algorithm>
#include <utility>

namespace engine {

using protocol::Error;
using protocol::Result;

// A topic's message that is to be kept: nothing is kept or routed unless all of it can be.
Result<Published> Destinations::publish_kept(const Route& route, const MessageRef& message) {
    if (auto error = keep_refusal(route, *message)) { return *std::move(error); }
    const auto bindings = bindings_elsewhere(route, *message);
    if (!bindings) { return bindings.error(); }
    return keep(route, message, false) ? Published::stored : Published::done;
}

std::optional<Error> Destinations::keep_refusal(const Route& route, const Message& message) {
    if (route.name->is_queue) { return std::nullopt; }
    const auto topic = route.topic ? route.topic : local_topic(*route.name);
    if (const History* const history = topic->history()) {
        const std::size_t most = std::max<std::size_t>(1, limits().queues_max / peers_.size());
        if (history->last() == 0 && histories_ >= most) {
            return too_many_queues(limits().queues_max);
        }
        if (history->is_durable() && !journal_.accepts_appends()) { return no_appends(journal_); }
    }
    if (route.name->retain != Retain::set) { return std::nullopt; }
    return retained_.refusal(route.name->space + route.name->key, message);
}

Result<bool> Destinations::reserve_kept(const Route& route, const Message& message) {
    if (auto error = keep_refusal(route, message)) { return *std::move(error); }
    const bool needs_place = route.name->retain == Retain::set;
    if (needs_place) { retained_.reserve(); }
    return needs_place;
}

// Returns whether a store keeps any of it.
bool Destinations::keep(const Route& route, const MessageRef& message, bool is_commit) {
    const std::size_t before = journal_.has_store() ? journal_.batch().changes() : 0;
    const MessageRef routed = route_kept(route, message);
    const bool is_copied = copy_to_bindings(*route.topic, routed, is_commit);
    return is_copied || (journal_.has_store() && journal_.batch().changes() != before);
}

// Keeps and routes `message`, but for copies for durable subscriptions; returns it as routed. What
// a durable history has numbered nobody sees before it is stored: after a crash the number would be
// another message's.
MessageRef Destinations::route_kept(const Route& route, const MessageRef& message) {
    if (!keeps(route)) {
        fan_out_from_home(*route.topic, route.name, message);
        return message;
    }
    History* const history = route.topic->history();
    if (history != nullptr && history->last() == 0) { ++histories_; }
    const MessageRef routed = history != nullptr ? history->append(message) : message;
    MessageRef copy;
    if (route.name->retain != Retain::none) {
        if (route.name->retain == Retain::set) { copy = Retained::marked(*routed); }
        retained_.store(route.name->space + route.name->key, copy);
    }
    if (history == nullptr || !history->is_durable()) {
        show(route, routed, copy);
        return routed;
    }
    journal_.when_stored([this, route, routed, copy, offset = history->last()] {
        if (journal_.has_failed()) { return; }
        route.topic->history()->show(offset);
        show(route, routed, copy);
    });
    return routed;
}

void Destinations::show(const Route& route, const MessageRef& message, const MessageRef& copy) {
    if (route.name->retain != Retain::none) {
        retained_.show(route.name->space + route.name->key, copy);
    }
    fan_out_from_home(*route.topic, route.name, message);
}

bool Destinations::keeps(const Route& route) {
    return route.name->retain != Retain::none || route.topic->history() != nullptr;
}

bool Destinations::keeps_history(const protocol::Destination& topic) const {
    if (settings_.policies.empty()) { return false; }
    const Policy* const policy = find_policy(settings_.policies, topic, limits().protocol);
    return policy != nullptr && policy->history.keeps();
}

std::shared_ptr<History> Destinations::make_history(const protocol::Destination& topic) {
    const Policy* const policy = find_policy(settings_.policies, topic, limits().protocol);
    History::Options options;
    options.policy = policy->history;
    options.number = policy->number;
    options.is_durable = journal_.has_store() && policy->durable.value_or(true);
    options.messages_max = limits().queue_messages_max;
    options.bytes_max = limits().queue_bytes_max;
    options.memory_max = limits().queue_memory_bytes;
    return std::make_shared<History>(
        shard_, journal_, output_.counters, topic.canonical(), options
    );
}

// What no policy keeps any more stays in the store, for the next that does.
void Destinations::restore_history(
    const std::string& topic, const storage::RecoveredQueue& recovered
) {
    const auto name = protocol::parse_destination(topic, limits().protocol);
    if (!name || name->kind != protocol::DestinationKind::topic) { return; }
    History* const history = local_topic(Route::Name::of(*name))->history();
    if (history == nullptr || !history->is_durable()) { return; }
    history->restore(recovered);
    histories_ += history->last() != 0 ? 1U : 0U;
}

// On the topic's home: where the replay begins is settled before the RECEIPT (P-SUB-04).
void Destinations::begin_replay(
    Topic& topic,
    const Replay& replay,
    const std::weak_ptr<Subscription>& to,
    unsigned asking,
    Done done
) {
    topic.history()->find_start(
        replay,
        [this, name = topic.name(), to, asking, done = std::move(done)](std::uint64_t start
        ) mutable {
            const unsigned home = shard_.index();
            run_on(
                asking,
                [name, to, home, start, done = std::exchange(done, nullptr)](Destinations&) {
                    if (const auto alive = to.lock()) { alive->begin_at(name, home, start); }
                    done(std::nullopt);
                }
            );
        }
    );
}

void Destinations::read_history(
    unsigned home, const std::string& topic, std::uint64_t from, History::Answer answer
) {
    const unsigned here = shard_.index();
    run_on(home, [topic, from, here, answer = std::move(answer)](Destinations& router) mutable {
        router.shard_.assert_current();
        const auto found = router.topics_.find(topic);
        auto back = [&router, here, answer = std::move(answer)](History::Chunk chunk) mutable {
            router.run_on(
                here,
                [answer = std::exchange(answer, nullptr),
                 chunk = std::move(chunk)](Destinations&) mutable { answer(std::move(chunk)); }
            );
        };
        if (found == router.topics_.end() || found->second->history() == nullptr) {
            return back({{}, from, true});
        }
        found->second->history()->read(from, std::move(back));
    });
}

// A new durable subscription gets what its topics keep as any other does. On a topic's home.
void Destinations::bring_retained(
    const std::string& text, const std::shared_ptr<const Binding>& binding
) {
    retained_.when_loaded([this, text, binding] {
        const auto pattern = protocol::parse_pattern(text, settings_.limits.protocol);
        std::vector<MessageRef> found;
        if (pattern->is_wildcard) {
            found = retained_.find(*pattern);
        } else if (MessageRef message = retained_.find(pattern->destination.canonical())) {
            found.push_back(std::move(message));
        }
        for (const MessageRef& message : found) {
            if (!selects(binding->selector, *message)) { continue; }
            run_on(binding->home, [binding, message](Destinations& home) {
                home.push_bound(*binding, message);
            });
        }
    });
}

}  // namespace engine
