// Destinations: what topics keep for those who subscribe later: retained messages (P-QOS-08, -09).
#include "broker/engine/destinations.hpp"
#include "broker/engine/refusals.hpp"
#include "broker/engine/session.hpp"
#include "broker/engine/subscription.hpp"

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

std::optional<Error> Destinations::keep_refusal(const Route& route, const Message& message) const {
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

// Keeps and routes `message`, but for copies for durable subscriptions; returns it as routed.
MessageRef Destinations::route_kept(const Route& route, const MessageRef& message) {
    if (route.name->retain != Retain::none) {
        const std::string topic = route.name->space + route.name->key;
        const MessageRef copy =
            route.name->retain == Retain::set ? Retained::marked(*message) : nullptr;
        retained_.store(topic, copy);
        retained_.show(topic, copy);
    }
    fan_out_from_home(*route.topic, route.name, message);
    return message;
}

bool Destinations::keeps(const Route& route) const {
    return route.name->retain != Retain::none;
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
            const SelectorRef& selector = binding->selector;
            if (selector && !selector->selects(MessageHeaders(*message))) { continue; }
            run_on(binding->home, [binding, message](Destinations& home) {
                home.push_bound(*binding, message);
            });
        }
    });
}

}  // namespace engine
