// Destinations: topics. Publishing to them, subscribing to them, copies for durable subscriptions.
#include "broker/engine/destinations.hpp"
#include "broker/engine/refusals.hpp"
#include "broker/engine/subscription.hpp"

#include <algorithm>

namespace engine {

using protocol::DestinationKind;
using protocol::Result;

std::shared_ptr<Topic> Destinations::make_topic(
    const protocol::Destination& destination, bool is_literal
) {
    const Policy* const found = policy_of(destination);
    SlowConsumerPolicy policy = found == nullptr ? SlowConsumerPolicy{} : found->slow_consumer;
    return std::make_shared<Topic>(
        shard_,
        output_,
        std::string(destination.space),
        std::string(destination.key),
        std::move(policy),
        is_literal
    );
}

std::shared_ptr<Topic> Destinations::local_topic(const Route::Name& name) {
    shard_.assert_current();
    std::string canonical = name.space + name.key;
    const auto found = topics_.find(canonical);
    if (found != topics_.end()) { return found->second; }
    if (topics_.size() >= sweep_topics_at_) { sweep_topics(); }
    const protocol::Destination destination{DestinationKind::topic, name.space, name.key};
    auto topic = make_topic(destination, name.is_literal);
    if (keeps_history(destination) && home_of(canonical) == shard_.index()) {
        topic->set_history(make_history(destination));
    }
    return topics_.emplace(std::move(canonical), std::move(topic)).first->second;
}

// Topics without subscriber are only a cache; those that a publisher's route holds stay.
void Destinations::sweep_topics() {
    shard_.assert_current();
    std::erase_if(topics_, [](const auto& entry) {
        return entry.second.use_count() == 1 && entry.second->is_forgettable();
    });
    sweep_topics_at_ = std::max(settings_.limits.idle_topics_max, topics_.size() * 2);
}

// What durable subscriptions cannot keep is refused before anyone gets it (D contract 3).
Result<Published> Destinations::publish_to_topic(const Route& route, const MessageRef& message) {
    shard_.assert_current();
    if (keeps(route)) { return publish_kept(route, message); }
    if (route.topic->bindings(index_).empty()) {
        fan_out_from_home(*route.topic, route.name, message);
        return Published::done;
    }
    const auto bindings = bindings_elsewhere(route, *message);
    if (!bindings) { return bindings.error(); }
    fan_out_from_home(*route.topic, route.name, message);
    return copy_to_bindings(*route.topic, message, false) ? Published::stored : Published::done;
}

Result<std::vector<std::shared_ptr<const Binding>>> Destinations::bindings_elsewhere(
    const Route& route, const Message& message
) {
    std::vector<std::shared_ptr<const Binding>> elsewhere;
    if (route.name->is_queue) { return elsewhere; }
    shard_.assert_current();
    const auto topic = route.topic ? route.topic : local_topic(*route.name);
    const auto& bindings = topic->bindings(index_, message);
    if (bindings.empty()) { return elsewhere; }
    const bool is_stored = journal_.has_store() && message.is_persistent();
    if (is_stored && !journal_.accepts_appends()) { return no_appends(journal_); }
    for (const Binding* const binding : bindings) {
        if (binding->home != shard_.index()) { elsewhere.push_back(binding->shared_from_this()); }
    }
    return elsewhere;
}

void Destinations::publish_committed(const Route& route, const MessageRef& message) {
    const auto here = complete(route);
    if (!here || !here->topic) {
        if (here) { (void)publish_here(*here, message); }
        return;
    }
    if (keeps(*here)) { return (void)keep(*here, message, true); }
    fan_out_from_home(*here->topic, here->name, message);
    (void)copy_to_bindings(*here->topic, message, true);
}

// Returns whether a store keeps a copy. In a commit the copies of other shards are their parts.
bool Destinations::copy_to_bindings(Topic& topic, const MessageRef& message, bool is_commit) {
    shard_.assert_current();
    const auto& bindings = topic.bindings(index_, *message);
    for (const Binding* const binding : bindings) {
        if (binding->home == shard_.index()) {
            push_bound(*binding, message);
        } else if (!is_commit) {
            run_on(
                binding->home,
                [binding = binding->shared_from_this(), message](Destinations& home) {
                    home.push_bound(*binding, message);
                }
            );
        }
    }
    return !bindings.empty() && journal_.has_store() && message->is_persistent();
}

// Not refused for want of disk: the topic's home has checked that, and others have got the message.
void Destinations::push_bound(const Binding& binding, const MessageRef& message) {
    const auto queue = binding.queue.lock();
    if (!queue || queue->push_admitted(message) != Admission::accepted) {
        ++output_.counters.messages_discarded;
    }
}

void Destinations::fan_out_from_home(
    Topic& topic, const std::shared_ptr<const Route::Name>& name, const MessageRef& message
) {
    shard_.assert_current();
    if (message->is_expired_by(shard_)) {
        ++output_.counters.messages_expired;
        return;
    }
    if (name->is_user && topic.is_unused()) { ++output_.counters.messages_unroutable; }
    fanning_from_ = shard_.index();
    topic.fan_out(message, index_);
    if (peers_.size() == 1) { return; }
    for (const unsigned shard : topic.interested_shards(index_)) {
        run_on(shard, [name, message, from = shard_.index()](Destinations& router) {
            router.fan_out_here(*name, message, from);
        });
    }
}

void Destinations::fan_out_here(const Route::Name& name, const MessageRef& message, unsigned from) {
    shard_.assert_current();
    fanning_from_ = from;
    local_topic(name)->fan_out(message, index_);
}

// The home's answer brings what the topic keeps: later messages come behind it (P-QOS-09).
void Destinations::subscribe_topic(
    Subscription& subscription, const protocol::Pattern& pattern, Done done
) {
    shard_.assert_current();
    const protocol::Destination& destination = pattern.destination;
    const Route::Name name = Route::Name::of(destination);
    local_topic(name)->add(subscription);
    const unsigned here = shard_.index();
    // `done` moves along: what it holds must not be destroyed on another shard.
    run_on(
        home_of(destination.canonical()),
        [name,
         here,
         replay = subscription.options().replay,
         weak = subscription.weak_from_this(),
         done = std::move(done)](Destinations& home) mutable {
            const auto topic = home.local_topic(name);
            if (home.shard_.index() != here) { topic->add_shard(here); }
            if (replay.from != Replay::From::live && topic->history() != nullptr) {
                return home.begin_replay(*topic, replay, weak, here, std::move(done));
            }
            home.retained_.when_loaded([&home, name, here, weak, done = std::move(done)]() mutable {
                const MessageRef retained = home.retained_.find(name.space + name.key);
                home.run_on(here, [weak, retained, done = std::move(done)](Destinations&) {
                    const auto alive = weak.lock();
                    if (alive && retained) { alive->begin_with({retained}); }
                    done(std::nullopt);
                });
            });
        }
    );
}

// Every shard may be the home of a topic that the pattern matches: all of them hear of it, and
// answer with what their topics keep.
void Destinations::subscribe_wildcard(
    Subscription& subscription, const protocol::Pattern& pattern, Done done
) {
    struct Wait {
        std::size_t missing;
        std::weak_ptr<Subscription> subscription;
        Done done;
    };

    shard_.assert_current();
    index_.add(pattern, {&subscription, 0});
    subscription.gather(static_cast<unsigned>(peers_.size()));
    const auto wait =
        std::make_shared<Wait>(Wait{peers_.size(), subscription.weak_from_this(), std::move(done)});
    const unsigned here = shard_.index();
    const auto text = std::make_shared<const std::string>(subscription.destination());
    for (unsigned shard = 0; shard < peers_.size(); ++shard) {
        // `wait` moves along: what it holds must not be destroyed on another shard.
        run_on(shard, [text, here, shard, wait](Destinations& router) mutable {
            router.shard_.assert_current();
            const auto parsed = protocol::parse_pattern(*text, router.limits().protocol);
            if (shard != here) { router.index_.add(*parsed, {nullptr, here}); }
            router.retained_.when_loaded([&router, text, here, shard, wait = std::move(wait)](
                                         ) mutable {
                const auto again = protocol::parse_pattern(*text, router.limits().protocol);
                auto retained = router.retained_.find(*again);
                router.run_on(
                    here,
                    [wait = std::move(wait),
                     shard,
                     retained = std::move(retained)](Destinations&) mutable {
                        if (const auto alive = wait->subscription.lock()) {
                            alive->gathered_from(shard, std::move(retained));
                        }
                        if (--wait->missing == 0) { wait->done(std::nullopt); }
                    }
                );
            });
        });
    }
}

void Destinations::unsubscribe(Subscription& subscription, const protocol::Pattern& pattern) {
    shard_.assert_current();
    if (pattern.destination.kind == DestinationKind::queue || subscription.options().durable) {
        return;
    }
    const unsigned here = shard_.index();
    if (pattern.is_wildcard) {
        index_.remove(pattern, {&subscription, 0});
        if (peers_.size() == 1) { return; }
        const auto text = std::make_shared<const std::string>(subscription.destination());
        for (unsigned shard = 0; shard < peers_.size(); ++shard) {
            if (shard == here) { continue; }
            run_on(shard, [text, here](Destinations& router) {
                router.shard_.assert_current();
                const auto parsed = protocol::parse_pattern(*text, router.limits().protocol);
                router.index_.remove(*parsed, {nullptr, here});
            });
        }
        return;
    }
    const protocol::Destination& destination = pattern.destination;
    if (const auto event = protocol::system_event(destination)) { unsubscribe_event(*event); }
    const Route::Name name = Route::Name::of(destination);
    local_topic(name)->remove(subscription);
    const unsigned home = home_of(destination.canonical());
    if (home == here) { return; }
    run_on(home, [name, here](Destinations& router) {
        router.local_topic(name)->remove_shard(here);
    });
}

void Destinations::replace(
    Subscription& old, Subscription& subscription, const protocol::Pattern& pattern
) {
    shard_.assert_current();
    if (pattern.is_wildcard) {
        index_.remove(pattern, {&old, 0});
        return index_.add(pattern, {&subscription, 0});
    }
    const protocol::Destination& destination = pattern.destination;
    const auto topic = local_topic(Route::Name::of(destination));
    topic->remove(old);
    topic->add(subscription);
}

}  // namespace engine
