#include "broker/engine/destinations.hpp"

#include "broker/engine/refusals.hpp"
#include "broker/engine/schedule.hpp"
#include "broker/engine/send_head.hpp"
#include "broker/engine/session.hpp"
#include "broker/engine/subscription.hpp"
#include "broker/engine/user_destination.hpp"

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

Asker asker_of(const Consumer& consumer) {
    return {consumer.publisher, consumer.may_create};
}

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

}  // namespace

Route::Name Route::Name::of(
    const protocol::Destination& destination, QueueArguments arguments, Asker asker
) {
    const bool is_user = destination.space == user_space;
    return {
        std::string(destination.space),
        std::string(destination.key),
        destination.kind == DestinationKind::queue,
        is_user || destination.space == "/exchange/amq.direct/",
        is_user,
        std::move(arguments),
        asker};
}

Destinations::Destinations(Shard& shard, TurnOutput& output, const RouterSettings& settings)
    : shard_(shard),
      output_(output),
      settings_(settings),
      peers_{this},
      id_prefix_(random_id(shard, 6)),
      journal_(shard, settings.store),
      retained_(shard, journal_, output.counters, settings.limits.retained_max),
      duplicates_(shard, journal_, settings.limits),
      expiry_watch_(shard),
      sweep_topics_at_(settings.limits.idle_topics_max),
      alive_(std::make_shared<char>()) {
    output.counters.policies.resize(settings.policies.size() + 1);
    // The shard's own character keeps ids of different shards apart.
    id_prefix_.push_back(alphabet[shard.index() % alphabet.size()]);
    schedule_ = std::make_unique<Schedule>(*this);
}

Destinations::~Destinations() = default;

void Destinations::set_peers(std::vector<Destinations*> peers) {
    assert(peers.at(shard_.index()) == this);
    peers_ = std::move(peers);
    started_ = shard_.now();
    duplicates_.set_shards(peers_.size());
    retained_.set_max(std::max<std::size_t>(1, settings_.limits.retained_max / peers_.size()));
}

void Destinations::join(Session& session) {
    shard_.assert_current();
    session.place = sessions_.size();
    sessions_.push_back(&session);
}

void Destinations::leave(const Session& session) {
    shard_.assert_current();
    Session* const last = sessions_.back();
    sessions_[session.place] = last;
    last->place = session.place;
    sessions_.pop_back();
}

AccessRef Destinations::access_of(const PrincipalRef& principal) const {
    if (principal->voucher == Voucher::admin_token) { return admin_access(); }
    return authorizer_ ? authorizer_->access_of(principal) : nullptr;
}

void Destinations::set_authorizer(
    std::shared_ptr<const Authorizer> authorizer, const Authenticator& authenticator
) {
    shard_.assert_current();
    authorizer_ = std::move(authorizer);
    authenticator_ = &authenticator;
    // What topics know of wildcard subscriptions is asked anew.
    index_.touch();
    std::vector<std::weak_ptr<Session>> sessions;
    for (Session* const session : sessions_) {
        sessions.push_back(session->weak_from_this());
    }
    for (const auto& weak : sessions) {
        if (const auto session = weak.lock()) { session->access_changed(); }
    }
    for (auto& [key, durable] : durables_) {
        review(durable);
    }
}

unsigned Destinations::home_of(std::string_view canonical) const {
    if (peers_.size() == 1) { return shard_.index(); }
    return static_cast<unsigned>(std::hash<std::string_view>()(canonical) % peers_.size());
}

std::string_view Destinations::next_id(std::array<char, 40>& id) {
    std::memcpy(id.data(), id_prefix_.data(), id_prefix_.size());
    char* const begin = id.data() + id_prefix_.size();
    char* const end = std::to_chars(begin, id.data() + id.size(), ++last_message_).ptr;
    return {id.data(), static_cast<std::size_t>(end - id.data())};
}

MessageRef Destinations::renamed(const Message& message) {
    std::array<char, 40> id;
    return remade(message, {}, message.facts().expires, next_id(id));
}

MessageRef Destinations::make_message(const SendHead& head, std::string_view body, bool is_utf8) {
    std::array<char, 40> id;
    std::uint32_t stamp = 0;
    if (output_.times_message) [[unlikely]] {
        output_.times_message = false;
        stamp = stamp_of(shard_);
    }
    return Message::make(next_id(id), head, body, is_utf8, stamp);
}

Error Destinations::denied(Action action, const std::string& destination) const {
    ++counters().denied[static_cast<std::size_t>(action)];
    return not_allowed(action, destination);
}

Result<Route> Destinations::route(
    const protocol::Destination& destination,
    const QueueArguments& arguments,
    Asker asker,
    Retain retain
) {
    Route route;
    route.home = home_of(destination.canonical());
    Route::Name name = Route::Name::of(destination, arguments, asker);
    name.retain = retain;
    route.name = std::make_shared<const Route::Name>(std::move(name));
    const Policy* const policy = policy_of(destination);
    route.policy = policy == nullptr ? std::uint16_t{0} : policy->number;
    if (route.home != shard_.index()) { return route; }
    return complete(route);
}

// The route with the object itself, on its home shard.
Result<Route> Destinations::complete(const Route& route) {
    Route here = route;
    if (route.topic || (route.queue && !route.queue->is_dropped())) { return here; }
    if (!route.name->is_queue) {
        here.topic = local_topic(*route.name);
    } else if (!route.name->is_literal) {
        const auto queue = queue_of(route);
        if (!queue) { return queue.error(); }
        here.queue = *queue;
    }
    return here;
}

Result<std::shared_ptr<Queue>> Destinations::queue_of(const Route& route) {
    if (route.queue && !route.queue->is_dropped()) { return route.queue; }
    return local_queue(
        route.name->space + route.name->key, route.name->arguments, route.name->asker
    );
}

Route Destinations::nowhere() const {
    Route route;
    route.name = std::make_shared<const Route::Name>(Route::Name{
        std::string(user_space), std::string(), true, true});
    route.home = shard_.index();
    route.is_gone = true;
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

bool Destinations::is_answered_later(const Route& route) {
    if (route.home != shard_.index() || route.asked) { return true; }
    if (!route.topic || peers_.size() == 1) { return false; }
    shard_.assert_current();
    const auto& bindings = route.topic->bindings(index_);
    return std::any_of(bindings.begin(), bindings.end(), [this](const Binding* binding) {
        return binding->home != shard_.index();
    });
}

// SEND path, stop 4 of 7.
Result<Published> Destinations::publish(
    const Route& route, const MessageRef& message, const ReplyTo& reply
) {
    if (route.home == shard_.index()) {
        if (!reply.session.is_set()) { return publish_here(route, message); }
        publish_for(route, message, reply);
        return Published::pending;
    }
    run_on(route.home, [route, message, reply](Destinations& home) {
        home.publish_for(route, message, reply);
    });
    return Published::pending;
}

Error Destinations::refusal(const Queue& queue, Admission admission) {
    switch (admission) {
        case Admission::disk_full:
            return disk_full();
        case Admission::storage_failed:
            return storage_failed();
        case Admission::accepted:
        case Admission::queue_full:
            break;
    }
    using protocol::LimitKey;
    return queue_full(
        queue.name(), queue.has_all_messages() ? LimitKey::queue_messages : LimitKey::queue_bytes
    );
}

Result<Published> Destinations::publish_here(const Route& route, const MessageRef& message) {
    if (route.asked) { return publish_asked(route, message); }
    if (route.topic) { return publish_to_topic(route, message); }
    if (route.queue) {
        // Removed since the publisher found it (auto-delete, idle life): a new one.
        if (route.queue->is_dropped()) {
            const auto anew = complete(route);
            return anew ? publish_here(*anew, message) : Result<Published>(anew.error());
        }
        const Admission admission = route.queue->push(message);
        if (admission != Admission::accepted) { return refusal(*route.queue, admission); }
        return route.queue->stores(*message) ? Published::stored : Published::done;
    }
    // A reply address, looked up at each SEND: its owner may have left.
    shard_.assert_current();
    const auto address =
        route.is_gone ? reply_addresses_.end() : reply_addresses_.find(route.name->key);
    if (address == reply_addresses_.end()) {
        ++output_.counters.messages_unroutable;
        return Published::done;
    }
    return publish_here(address->second, message);
}

// On the home shard, for a publisher elsewhere, or where others have to answer too.
void Destinations::publish_for(
    const Route& route, const MessageRef& message, const ReplyTo& reply
) {
    if (route.asked && duplicates_.is_loading()) {
        return duplicates_.when_loaded([this, route, message, reply] {
            publish_for(route, message, reply);
        });
    }
    const auto here = complete(route);
    auto published = here ? publish_here(*here, message) : Result<Published>(here.error());
    if (!reply.session.is_set()) {
        if (!published) { ++output_.counters.messages_discarded; }
        return;
    }
    if (here && here->queue && here->queue->wants_to_block()) {
        here->queue->block(reply.session);
        reply.session.post([](Session& session) { session.block(); });
    }
    if (!published) {
        reply.session.post([ticket = reply.ticket, error = published.error()](Session& session) {
            session.answered(ticket, error);
        });
        return;
    }
    if (!reply.wants_success) { return; }
    if (*published == Published::done) {
        return reply.session.post([ticket = reply.ticket](Session& session) {
            session.answered(ticket, std::nullopt);
        });
    }
    std::vector<unsigned> homes;
    // What is asked for is stored together, and in part here.
    if (here->topic && !route.asked) {
        shard_.assert_current();
        for (const Binding* const binding : here->topic->bindings(index_, *message)) {
            if (binding->home != shard_.index()) { homes.push_back(binding->home); }
        }
    }
    confirm(reply, homes);
}

// Tells `reply` when what went to the stores of this shard and of `homes` is stored.
void Destinations::confirm(const ReplyTo& reply, const std::vector<unsigned>& homes) {
    struct Wait {
        ReplyTo reply;
        std::size_t missing;
        bool has_store;
        bool has_failed = false;
    };

    const auto wait = std::make_shared<Wait>(Wait{reply, homes.size() + 1, journal_.has_store()});
    const auto finish = [](Wait& waiting, bool has_failed) {
        waiting.has_failed = waiting.has_failed || has_failed;
        if (--waiting.missing != 0) { return; }
        waiting.reply.session.post([ticket = waiting.reply.ticket,
                                    failed = waiting.has_failed,
                                    is_stored = waiting.has_store](Session& session) {
            session.answered(
                ticket, failed ? std::optional(storage_failed()) : std::nullopt, is_stored
            );
        });
    };
    const unsigned here = shard_.index();
    for (const unsigned home : homes) {
        run_on(home, [wait, finish, here](Destinations& router) mutable {
            router.journal_.when_stored([&router, wait = std::move(wait), finish, here]() mutable {
                const bool has_failed = router.journal_.has_failed();
                router.run_on(here, [wait = std::move(wait), finish, has_failed](Destinations&) {
                    finish(*wait, has_failed);
                });
            });
        });
    }
    journal_.when_stored([this, wait, finish] { finish(*wait, journal_.has_failed()); });
}

void Destinations::await_store(unsigned home, ReplyTo reply, bool is_passed_on) {
    std::vector<unsigned> others;
    for (unsigned shard = 0; is_passed_on && shard < peers_.size(); ++shard) {
        if (shard != home) { others.push_back(shard); }
    }
    run_on(home, [reply = std::move(reply), others = std::move(others)](Destinations& router) {
        // SENDs may have had to wait there.
        router.duplicates_.when_loaded([&router, reply, others] { router.confirm(reply, others); });
    });
}

Result<SelectorRef> Destinations::selector(std::string_view text) {
    shard_.assert_current();
    const auto found = selectors_.find(text);
    if (found != selectors_.end()) {
        if (SelectorRef known = found->second.lock()) { return known; }
    }
    const Limits& limits = settings_.limits;
    auto parsed = Selector::parse(
        text, {limits.selector_bytes_max, limits.selector_nodes_max, limits.selector_depth_max}
    );
    if (!parsed) { return parsed; }
    if (selectors_.size() >= sweep_selectors_at_) {
        std::erase_if(selectors_, [](const auto& entry) { return entry.second.expired(); });
        sweep_selectors_at_ = std::max<std::size_t>(1024, selectors_.size() * 2);
    }
    selectors_.insert_or_assign(std::string(text), *parsed);
    return parsed;
}

void Destinations::subscribe(
    Subscription& subscription, const protocol::Pattern& pattern, Done done
) {
    if (subscription.options().durable) { return subscribe_durable(subscription, std::move(done)); }
    if (pattern.destination.kind == DestinationKind::queue) {
        return subscribe_queue(subscription, pattern.destination.canonical(), std::move(done));
    }
    if (pattern.is_wildcard) { return subscribe_wildcard(subscription, pattern, std::move(done)); }
    if (const auto event = protocol::system_event(pattern.destination)) {
        return subscribe_event(subscription, pattern, *event, std::move(done));
    }
    subscribe_topic(subscription, pattern, std::move(done));
}

Consumer Destinations::make_consumer(Subscription& subscription) {
    const SubscriptionOptions& options = subscription.options();
    const bool is_automatic = options.ack == protocol::AckMode::automatic;
    Consumer consumer;
    // In auto mode the connection's outbound budget is the window (P-SUB-08).
    consumer.window.messages =
        is_automatic ? settings_.limits.window_messages_max * 16 : options.window_messages;
    consumer.window.bytes =
        is_automatic ? settings_.limits.outbound_bytes_max / 4 * 3 : options.window_bytes;
    consumer.window.priority = options.priority;
    Session& session = subscription.session();
    consumer.owner = Remote<Session>(shard_, session.shared_from_this());
    consumer.owner_id = &session;
    consumer.subscription_id = subscription.id();
    consumer.session = session.name();
    consumer.user = session.user();
    consumer.publisher = session.number();
    // A durable subscription is one client's: its own messages are not kept for others.
    consumer.no_local = options.no_local && !options.durable;
    consumer.discards_own = options.no_local && options.durable;
    if (!options.durable) { consumer.selector = subscription.selector(); }
    consumer.wants_all = options.is_single_active;
    consumer.may_create = subscription.may_create;
    consumer.access = options.durable ? subscription.access() : nullptr;
    return consumer;
}

// An exclusive queue belongs to one connection (P-SUB-10).
Result<std::shared_ptr<Queue>> Destinations::queue_to_consume(
    const std::string& name, const QueueArguments& arguments, Asker asker
) {
    auto queue = local_queue(name, arguments, asker);
    if (queue && (*queue)->settings().is_exclusive && (*queue)->owner() != asker.number) {
        return queue_exclusive(name);
    }
    return queue;
}

void Destinations::browse(
    const std::string& name, std::optional<Place> after, Queue::PageBounds bounds, Queue::Show show
) {
    const unsigned here = shard_.index();
    const unsigned home = home_of(name);
    run_on(home, [name, after, bounds, here, show = std::move(show)](Destinations& router) {
        router.shard_.assert_current();
        const auto queue = router.find_queue(name);
        const auto back = [&router, here, show](Queue::Page page) {
            router.run_on(here, [show, page = std::move(page)](Destinations&) { show(page); });
        };
        if (!queue) { return back({{}, {}, true}); }
        queue->browse(after, bounds, back);
    });
}

void Destinations::subscribe_queue(Subscription& subscription, const std::string& name, Done done) {
    Consumer consumer = make_consumer(subscription);
    const QueueArguments& arguments = subscription.options().arguments;
    const unsigned home = home_of(name);
    if (home == shard_.index()) {
        const auto queue = queue_to_consume(name, arguments, asker_of(consumer));
        if (!queue) { return done(queue.error()); }
        consumer.local = &subscription;
        subscription.set_queue({shard_, **queue, (*queue)->attach(std::move(consumer))});
        return done(std::nullopt);
    }
    const unsigned here = shard_.index();
    consumer.remote_router = this;
    consumer.remote = subscription.weak_from_this();
    const auto shared = std::make_shared<Consumer>(std::move(consumer));
    run_on(
        home,
        [name, here, arguments, shared, done = std::move(done)](Destinations& router) mutable {
            const auto queue = router.queue_to_consume(name, arguments, asker_of(*shared));
            if (!queue) {
                return router.run_on(
                    here,
                    [done = std::move(done), error = queue.error()](Destinations&) { done(error); }
                );
            }
            const auto to = shared->remote;
            QueueLink link(router.shard_, **queue, (*queue)->attach(std::move(*shared)));
            router.run_on(here, [to, link, done = std::move(done)](Destinations&) {
                link_to(to, link);
                done(std::nullopt);
            });
            (*queue)->dispatch();
        }
    );
}

// The subscription may be gone by the time its queue has been found.
void Destinations::link_to(const std::weak_ptr<Subscription>& to, const QueueLink& link) {
    const auto alive = to.lock();
    if (alive && !alive->is_closed()) { return alive->set_queue(link); }
    link.post([](Queue& queue, Consumer& consumer) { queue.detach(consumer); });
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

void Destinations::prepare_stop() {
    shard_.assert_current();
    for (const auto& entry : queues_) {
        entry.second->prepare_stop();
    }
    for (const auto& entry : durables_) {
        entry.second.queue->prepare_stop();
    }
    journal_.end_turn();
}

}  // namespace engine
