#include "broker/engine/destinations.hpp"

#include "broker/engine/send_head.hpp"
#include "broker/engine/session.hpp"
#include "broker/engine/subscription.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstring>

namespace engine {

namespace {

using protocol::DestinationKind;
using protocol::Error;
using protocol::ErrorCode;
using protocol::Result;

constexpr std::string_view alphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view hex = "0123456789abcdef";
constexpr std::size_t reply_token_size = 2 + 32;  // Shard, then 128 random bits.

std::string random_id(Shard& shard, std::size_t size) {
    std::string id;
    while (id.size() < size) {
        std::array<std::byte, 16> octets;
        shard.random(octets);
        for (const std::byte octet : octets) {
            // 248 is the largest multiple of 62 below 256: every character is equally likely.
            const auto value = std::to_integer<unsigned>(octet);
            if (value < 248 && id.size() < size) { id.push_back(alphabet[value % 62]); }
        }
    }
    return id;
}

Error queue_full(const std::string& name) {
    return {
        ErrorCode::queue_full,
        "The queue " + protocol::quoted(name) + " is full.",
        "Let its consumers catch up and send again later, or raise limits.queue_messages or "
        "limits.queue_bytes.",
        "P-SEND-08"};
}

Error too_many_queues(std::size_t limit) {
    return {
        ErrorCode::limit_queues,
        "There are already " + std::to_string(limit) + " queues.",
        "Remove unused queues, or raise limits.queues.",
        "P-LIM-01"};
}

bool is_literal_space(std::string_view space) {
    return space == "/exchange/amq.direct/";
}

}  // namespace

Destinations::Destinations(Shard& shard, TurnOutput& output, const RouterSettings& settings)
    : shard_(shard),
      output_(output),
      settings_(settings),
      peers_{this},
      id_prefix_(random_id(shard, 6)),
      sweep_topics_at_(settings.limits.idle_topics_max),
      alive_(std::make_shared<char>()) {
    // The shard's own character keeps ids of different shards apart.
    id_prefix_.push_back(alphabet[shard.index() % alphabet.size()]);
}

Destinations::~Destinations() = default;

void Destinations::set_peers(std::vector<Destinations*> peers) {
    assert(peers.at(shard_.index()) == this);
    peers_ = std::move(peers);
}

unsigned Destinations::home_of(std::string_view canonical) const {
    if (peers_.size() == 1) { return shard_.index(); }
    return static_cast<unsigned>(std::hash<std::string_view>()(canonical) % peers_.size());
}

MessageRef Destinations::make_message(const SendHead& head, std::string_view body, bool is_utf8) {
    char id[40];
    std::memcpy(id, id_prefix_.data(), id_prefix_.size());
    char* const end = std::to_chars(id + id_prefix_.size(), id + sizeof id, ++last_message_).ptr;
    ++output_.counters.messages_published;
    return Message::make({id, static_cast<std::size_t>(end - id)}, head, body, is_utf8);
}

std::shared_ptr<Queue> Destinations::make_queue(std::string name) {
    return std::make_shared<Queue>(
        shard_,
        std::move(name),
        settings_.limits,
        output_.counters,
        [this](
            const Queue& origin,
            const MessageRef& message,
            std::string_view reason,
            std::uint32_t count
        ) { dead_letter(origin, message, reason, count); }
    );
}

std::shared_ptr<Topic> Destinations::make_topic(
    const protocol::Destination& destination, bool is_literal
) {
    SlowConsumerPolicy policy;
    if (!settings_.policies.empty()) {
        policy = slow_consumer_policy(settings_.policies, destination, settings_.limits.protocol);
    }
    return std::make_shared<Topic>(
        shard_,
        output_,
        std::string(destination.space),
        std::string(destination.key),
        std::move(policy),
        is_literal
    );
}

std::shared_ptr<Queue> Destinations::local_queue(const std::string& name) {
    shard_.assert_current();
    const auto found = queues_.find(name);
    if (found != queues_.end()) { return found->second; }
    if (queues_.size() >= std::max<std::size_t>(1, settings_.limits.queues_max / peers_.size())) {
        return nullptr;
    }
    schedule_sweep();
    return queues_.emplace(name, make_queue(name)).first->second;
}

std::shared_ptr<Topic> Destinations::local_topic(const Route::Name& name) {
    shard_.assert_current();
    std::string canonical = name.space + name.key;
    const auto found = topics_.find(canonical);
    if (found != topics_.end()) { return found->second; }
    if (topics_.size() >= sweep_topics_at_) { sweep_topics(); }
    const protocol::Destination destination{DestinationKind::topic, name.space, name.key};
    return topics_.emplace(std::move(canonical), make_topic(destination, name.is_literal))
        .first->second;
}

// Topics without subscriber are only a cache; those that a publisher's route holds stay.
void Destinations::sweep_topics() {
    shard_.assert_current();
    std::erase_if(topics_, [](const auto& entry) {
        return entry.second.use_count() == 1 && entry.second->is_unused();
    });
    sweep_topics_at_ = std::max(settings_.limits.idle_topics_max, topics_.size() * 2);
}

void Destinations::schedule_sweep() {
    if (is_sweep_scheduled_) { return; }
    is_sweep_scheduled_ = true;
    shard_.after(
        settings_.limits.unused_destination_life,
        [this, alive = std::weak_ptr<char>(alive_)] {
            if (!alive.expired()) { sweep_queues(); }
        }
    );
}

// A queue that was unused at this sweep and at the one before is removed (P-DEST-10).
void Destinations::sweep_queues() {
    shard_.assert_current();
    is_sweep_scheduled_ = false;
    std::vector<std::string> unused;
    std::sort(unused_queues_.begin(), unused_queues_.end());
    for (auto entry = queues_.begin(); entry != queues_.end();) {
        const bool is_unused = entry->second.use_count() == 1 && entry->second->is_unused();
        const bool was_unused =
            std::binary_search(unused_queues_.begin(), unused_queues_.end(), entry->first);
        if (is_unused && was_unused) {
            entry = queues_.erase(entry);
            continue;
        }
        if (is_unused) { unused.push_back(entry->first); }
        ++entry;
    }
    unused_queues_ = std::move(unused);
    if (!queues_.empty()) { schedule_sweep(); }
}

Result<Route> Destinations::route(const protocol::Destination& destination) {
    Route route;
    const bool is_queue = destination.kind == DestinationKind::queue;
    const bool is_literal = is_literal_space(destination.space);
    const std::string canonical = destination.canonical();
    route.home = home_of(canonical);
    route.name = std::make_shared<const Route::Name>(Route::Name{
        std::string(destination.space), std::string(destination.key), is_queue, is_literal});
    if (route.home != shard_.index()) { return route; }
    if (is_queue) {
        route.queue = local_queue(canonical);
        if (!route.queue) { return too_many_queues(settings_.limits.queues_max); }
    } else {
        route.topic = local_topic(*route.name);
    }
    return route;
}

Route Destinations::reply_route(std::string_view token) {
    Route route;
    route.name = std::make_shared<const Route::Name>(Route::Name{
        "/reply-queue/", std::string(token), true, true});
    unsigned home = 0;
    const bool has_shard =
        token.size() == reply_token_size &&
        std::from_chars(token.data(), token.data() + 2, home, 16).ptr == token.data() + 2 &&
        home < peers_.size();
    route.is_gone = !has_shard;
    route.home = has_shard ? home : shard_.index();
    return route;
}

std::string Destinations::add_reply_address(Route route) {
    shard_.assert_current();
    std::string token{hex[(shard_.index() >> 4U) & 15U], hex[shard_.index() & 15U]};
    std::array<std::byte, 16> octets;
    shard_.random(octets);
    for (const std::byte octet : octets) {
        token.push_back(hex[std::to_integer<unsigned>(octet) >> 4U]);
        token.push_back(hex[std::to_integer<unsigned>(octet) & 15U]);
    }
    reply_addresses_.emplace(token, std::move(route));
    return token;
}

void Destinations::remove_reply_address(std::string_view token) {
    shard_.assert_current();
    const auto found = reply_addresses_.find(token);
    if (found != reply_addresses_.end()) { reply_addresses_.erase(found); }
}

// SEND path, stop 4 of 7.
Result<Published> Destinations::publish(
    const Route& route, const MessageRef& message, const ReplyTo& reply
) {
    if (route.home == shard_.index()) {
        if (const auto error = publish_here(route, message)) { return *error; }
        return Published::done;
    }
    run_on(route.home, [route, message, reply](Destinations& home) {
        home.publish_for(route, message, reply);
    });
    return reply.wants_success ? Published::pending : Published::done;
}

std::optional<Error> Destinations::publish_here(const Route& route, const MessageRef& message) {
    if (route.topic) {
        fan_out_from_home(*route.topic, route.name, message);
        return std::nullopt;
    }
    if (route.queue) {
        if (!route.queue->push(message)) { return queue_full(route.queue->name()); }
        return std::nullopt;
    }
    // A reply address, looked up at each SEND: its owner may have left.
    shard_.assert_current();
    const auto address =
        route.is_gone ? reply_addresses_.end() : reply_addresses_.find(route.name->key);
    if (address == reply_addresses_.end()) {
        ++output_.counters.messages_unroutable;
        return std::nullopt;
    }
    return publish_here(address->second, message);
}

// On the home shard, for a publisher elsewhere.
void Destinations::publish_for(
    const Route& route, const MessageRef& message, const ReplyTo& reply
) {
    Route here = route;
    std::optional<Error> error;
    if (route.name->is_queue && !route.name->is_literal) {
        here.queue = local_queue(route.name->space + route.name->key);
        if (!here.queue) { error = too_many_queues(settings_.limits.queues_max); }
    } else if (!route.name->is_queue) {
        here.topic = local_topic(*route.name);
    }
    if (!error) { error = publish_here(here, message); }
    if (!reply.session.is_set()) {
        if (error) { ++output_.counters.messages_discarded; }
        return;
    }
    if (!error && !reply.wants_success) { return; }
    reply.session.post([ticket = reply.ticket, error = std::move(error)](Session& session) mutable {
        session.answered(ticket, std::move(error));
    });
}

void Destinations::fan_out_from_home(
    Topic& topic, const std::shared_ptr<const Route::Name>& name, const MessageRef& message
) {
    shard_.assert_current();
    topic.fan_out(message, index_);
    if (peers_.size() == 1) { return; }
    for (const unsigned shard : topic.interested_shards(index_)) {
        run_on(shard, [name, message](Destinations& router) {
            router.fan_out_here(*name, message);
        });
    }
}

void Destinations::fan_out_here(const Route::Name& name, const MessageRef& message) {
    shard_.assert_current();
    local_topic(name)->fan_out(message, index_);
}

void Destinations::subscribe(
    Subscription& subscription, const protocol::Pattern& pattern, Done done
) {
    if (pattern.destination.kind == DestinationKind::queue) {
        return subscribe_queue(subscription, pattern.destination.canonical(), std::move(done));
    }
    if (pattern.is_wildcard) { return subscribe_wildcard(subscription, pattern, std::move(done)); }
    subscribe_topic(subscription, pattern, std::move(done));
}

void Destinations::subscribe_topic(
    Subscription& subscription, const protocol::Pattern& pattern, Done done
) {
    shard_.assert_current();
    const protocol::Destination& destination = pattern.destination;
    const Route::Name name{
        std::string(destination.space),
        std::string(destination.key),
        false,
        is_literal_space(destination.space)};
    local_topic(name)->add(subscription);
    const unsigned home = home_of(destination.canonical());
    if (home == shard_.index()) { return done(std::nullopt); }
    const unsigned here = shard_.index();
    run_on(home, [name, here, done = std::move(done)](Destinations& router) mutable {
        router.local_topic(name)->add_shard(here);
        router.run_on(here, [done = std::move(done)](Destinations&) { done(std::nullopt); });
    });
}

// Every shard may be the home of a topic that the pattern matches: all of them hear of it.
void Destinations::subscribe_wildcard(
    Subscription& subscription, const protocol::Pattern& pattern, Done done
) {
    shard_.assert_current();
    index_.add(pattern, {&subscription, 0});
    if (peers_.size() == 1) { return done(std::nullopt); }

    struct Wait {
        std::size_t missing;
        Done done;
    };

    const auto wait = std::make_shared<Wait>(Wait{peers_.size() - 1, std::move(done)});
    const unsigned here = shard_.index();
    const auto text = std::make_shared<const std::string>(subscription.destination());
    for (unsigned shard = 0; shard < peers_.size(); ++shard) {
        if (shard == here) { continue; }
        // `wait` moves along: what it holds must not be destroyed on another shard.
        run_on(shard, [text, here, wait](Destinations& router) mutable {
            router.shard_.assert_current();
            const auto parsed = protocol::parse_pattern(*text, router.limits().protocol);
            router.index_.add(*parsed, {nullptr, here});
            router.run_on(here, [wait = std::move(wait)](Destinations&) {
                if (--wait->missing == 0) { wait->done(std::nullopt); }
            });
        });
    }
}

void Destinations::subscribe_queue(Subscription& subscription, const std::string& name, Done done) {
    const SubscriptionOptions& options = subscription.options();
    const bool is_automatic = options.ack == protocol::AckMode::automatic;
    Consumer consumer;
    // In auto mode the connection's outbound budget is the window (P-SUB-08).
    consumer.window.messages =
        is_automatic ? settings_.limits.window_messages_max * 16 : options.window_messages;
    consumer.window.bytes =
        is_automatic ? settings_.limits.outbound_bytes_max / 4 * 3 : options.window_bytes;
    consumer.window.priority = options.priority;
    const unsigned home = home_of(name);
    if (home == shard_.index()) {
        const auto queue = local_queue(name);
        if (!queue) { return done(too_many_queues(settings_.limits.queues_max)); }
        consumer.local = &subscription;
        subscription.set_queue({shard_, *queue, queue->attach(std::move(consumer))});
        return done(std::nullopt);
    }
    const unsigned here = shard_.index();
    consumer.remote_router = this;
    consumer.remote = subscription.weak_from_this();
    const auto shared = std::make_shared<Consumer>(std::move(consumer));
    run_on(home, [name, here, shared, done = std::move(done)](Destinations& router) mutable {
        const auto queue = router.local_queue(name);
        if (!queue) {
            auto error = too_many_queues(router.limits().queues_max);
            return router.run_on(
                here,
                [done = std::move(done), error = std::move(error)](Destinations&) { done(error); }
            );
        }
        const auto to = shared->remote;
        QueueLink link(router.shard_, *queue, queue->attach(std::move(*shared)));
        router.run_on(here, [to, link, done = std::move(done)](Destinations&) {
            const auto alive = to.lock();
            if (!alive || alive->is_closed()) {
                link.post([](Queue& gone_from, Consumer& gone) { gone_from.detach(gone); });
            } else {
                alive->set_queue(link);
            }
            done(std::nullopt);
        });
        queue->dispatch();
    });
}

void Destinations::unsubscribe(Subscription& subscription, const protocol::Pattern& pattern) {
    shard_.assert_current();
    if (pattern.destination.kind == DestinationKind::queue) { return; }
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
    const Route::Name name{
        std::string(destination.space),
        std::string(destination.key),
        false,
        is_literal_space(destination.space)};
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
    const auto topic = local_topic(
        {std::string(destination.space),
         std::string(destination.key),
         false,
         is_literal_space(destination.space)}
    );
    topic->remove(old);
    topic->add(subscription);
}

void Destinations::deliver(
    const std::weak_ptr<Subscription>& to, std::weak_ptr<Queue> queue, Delivery delivery
) {
    const auto subscription = to.lock();
    if (subscription && subscription->queue().is_set()) {
        return subscription->take(std::move(delivery));
    }
    // Gone meanwhile: handed back. Its consumer record is gone too, or will be.
    const auto alive = queue.lock();
    if (!alive) { return; }
    Shard& home = alive->shard();
    home.post([queue = std::move(queue), delivery = std::move(delivery)]() mutable {
        const auto back = queue.lock();
        if (!back) { return; }
        std::vector<Delivery> one;
        one.push_back(std::move(delivery));
        back->give_back(std::move(one), Return::unseen);
        back->dispatch();
    });
}

void Destinations::dead_letter(
    const Queue& origin, const MessageRef& message, std::string_view reason, std::uint32_t count
) {
    constexpr std::string_view queue_space = "/queue/";
    if (origin.is_dead_letter_queue() || !origin.name().starts_with(queue_space)) {
        ++output_.counters.messages_discarded;
        return;
    }
    const std::string key = "DLQ." + origin.name().substr(queue_space.size());
    const std::string deaths = std::to_string(count);
    const std::string time = std::to_string(shard_.wall_clock_ms());
    const std::array<protocol::Header, 4> headers = {
        {{"x-death-reason", reason},
         {"x-death-queue", origin.name()},
         {"x-death-count", deaths},
         {"x-death-time", time}}};
    const MessageRef letter = Message::make(
        message->id(), with_headers(*message, headers), message->body(), message->is_text()
    );
    ++output_.counters.messages_dead_lettered;
    const auto target = route({DestinationKind::queue, queue_space, key});
    const auto published =
        target ? publish(*target, letter, {}) : Result<Published>(target.error());
    if (!published) { ++output_.counters.messages_discarded; }
}

}  // namespace engine
