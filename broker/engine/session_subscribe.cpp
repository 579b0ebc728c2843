// Session: SUBSCRIBE and UNSUBSCRIBE.
#include "broker/engine/replay.hpp"
#include "broker/engine/session.hpp"
#include "broker/engine/user_destination.hpp"
#include "protocol/system_event.hpp"

#include <algorithm>

namespace engine {

namespace {

using protocol::DestinationKind;
using protocol::Error;
using protocol::ErrorCode;
using protocol::LimitKey;

bool is_temporary(DestinationKind kind) {
    return kind == DestinationKind::temp_queue || kind == DestinationKind::temp_topic;
}

// Subscriptions without id (1.0) are known by their destination; the first octet keeps the two
// apart.
std::string key_of(std::optional<std::string_view> id, std::string_view destination) {
    return id ? std::string("i").append(*id) : std::string("d").append(destination);
}

Error not_for_subscribers() {
    return {
        ErrorCode::access_denied,
        "A reply queue can be sent to, not subscribed to.",
        "Subscribe to your own /temp-queue/ destination and send with reply-to.",
        "P-TEMP-05"};
}

Error not_for_browsers() {
    return {
        ErrorCode::unsupported,
        "A temporary queue cannot be browsed.",
        "Subscribe to it without browser.",
        "P-SUB-12"};
}

Error needs_id() {
    return {
        ErrorCode::missing_header,
        "A durable subscription needs an id.",
        "Add the header id; its value names the subscription.",
        "P-DUR-01"};
}

Error no_durable_events() {
    return {
        ErrorCode::unsupported,
        "The broker's own events have no durable subscriptions.",
        "Subscribe without durable headers: what happens meanwhile is in the log.",
        "S-ACL-08"};
}

Error private_id(std::string_view id) {
    return {
        ErrorCode::bad_header,
        "The subscription id " + protocol::quoted(id) + " names a temporary destination.",
        "Use another id: such ids belong to replies.",
        "P-TEMP-06"};
}

}  // namespace

void Session::on(const protocol::Subscribe& request) {
    shard_.assert_current();
    const auto pattern = protocol::parse_pattern(request.destination, router_.limits().protocol);
    if (!pattern) { return refuse(pattern.error(), request.receipt); }
    const auto options = wanted_options(request, *pattern);
    if (!options) { return refuse(options.error(), request.receipt); }
    if (const auto error = check_subscribe(*pattern, *options)) {
        return refuse(*error, request.receipt);
    }
    std::string key = key_of(request.id, request.destination);
    const auto found = subscriptions_.find(key);
    if (found == subscriptions_.end()) {
        return subscribe_new(std::move(key), request, *pattern, *options);
    }
    const Subscription& old = *found->second;
    if (old.destination() != request.destination) {
        return refuse(
            {ErrorCode::bad_state,
             "The subscription id " + protocol::quoted(*request.id) +
                 " is in use for another destination.",
             "Use an id of its own for each subscription, or UNSUBSCRIBE first.",
             "P-SUB-02"},
            request.receipt
        );
    }
    if (old.options() == *options && !old.is_implicit) { return grant(request.receipt); }
    subscribe_new(std::move(key), request, *pattern, *options);
}

// What a SUBSCRIBE asks for, if its destination can give it.
protocol::Result<SubscriptionOptions> Session::wanted_options(
    const protocol::Subscribe& request, const protocol::Pattern& pattern
) const {
    const DestinationKind kind = pattern.destination.kind;
    if (kind == DestinationKind::reply_queue) { return not_for_subscribers(); }
    const bool is_queue = kind == DestinationKind::queue || kind == DestinationKind::temp_queue;
    auto options = subscription_options(request, is_queue, router_.limits());
    if (!options) { return options; }
    const bool is_topic = kind == DestinationKind::topic;
    if (!is_topic) { options->durable.reset(); }
    const bool has_history =
        is_topic && !pattern.is_wildcard && router_.keeps_history(pattern.destination);
    if (auto error = check_replay(pattern, has_history, *options)) { return *std::move(error); }
    if (options->is_browser && kind != DestinationKind::queue) { return not_for_browsers(); }
    if (options->durable && protocol::system_event(pattern.destination)) {
        return no_durable_events();
    }
    if (options->durable) {
        if (options->durable->name.empty()) { return needs_id(); }
        options->durable->user = user_;
        if (!options->durable->is_shared) { options->durable->client_id = client_id_; }
    }
    const bool is_private_id = request.id && (request.id->starts_with("/temp-queue/") ||
                                              request.id->starts_with("/temp-topic/"));
    if (is_private_id && *request.id != request.destination) { return private_id(*request.id); }
    return options;
}

bool Session::check_subscription_limits(
    const protocol::Subscribe& request, const protocol::Pattern& pattern, bool is_durable
) {
    const Limits& limits = router_.limits();
    shard_.assert_current();
    const bool too_many = subscriptions_.size() >= limits.subscriptions_max;
    const bool too_wild =
        pattern.is_wildcard && !is_durable && wildcards_ >= limits.wildcard_subscriptions_max;
    if (!too_many && !too_wild) { return true; }
    refuse(
        {ErrorCode::limit_subscriptions,
         "This connection already has " +
             std::to_string(
                 too_many ? limits.subscriptions_max : limits.wildcard_subscriptions_max
             ) +
             (too_many ? " subscriptions." : " wildcard subscriptions."),
         too_many ? "UNSUBSCRIBE some, use wildcards, or raise limits.subscriptions."
                  : "UNSUBSCRIBE some, or raise limits.wildcard_subscriptions.",
         "P-LIM-01",
         too_many ? LimitKey::subscriptions : LimitKey::wildcard_subscriptions},
        request.receipt
    );
    return false;
}

// A new subscription, or one that takes the place of another with the same id and destination.
void Session::subscribe_new(
    std::string key,
    const protocol::Subscribe& request,
    const protocol::Pattern& pattern,
    const SubscriptionOptions& options
) {
    const bool is_replacing = find_replaced(key, request.destination) != nullptr;
    if (!is_replacing &&
        !check_subscription_limits(request, pattern, options.durable.has_value())) {
        return;
    }
    if (is_temporary(pattern.destination.kind)) {
        if (!temporary_) { temporary_ = std::make_unique<TemporaryDestinations>(router_); }
        const auto temporary = temporary_->open(pattern.destination);
        if (!temporary) { return refuse(temporary.error(), request.receipt); }
    }
    const auto subscription = std::make_shared<Subscription>(
        *this, std::string(request.id.value_or("")), std::string(request.destination), options
    );
    if (!options.selector.empty()) {
        auto selector = router_.selector(options.selector);
        if (!selector) { return refuse(selector.error(), request.receipt); }
        subscription->set_selector(std::move(*selector));
    }
    set_access(*subscription, pattern);
    begin_subscribing(std::move(key), subscription, request.receipt);
}

void Session::begin_subscribing(
    std::string key, std::shared_ptr<Subscription> subscription, const Receipt& receipt
) {
    const std::uint64_t ticket = expect(receipt);
    ++waits_;
    if (!receipt || receipts_.size() == 1) { return connect(key, subscription, ticket); }
    starting_ =
        std::make_unique<Starting>(Starting{std::move(key), std::move(subscription), ticket});
}

std::shared_ptr<Subscription> Session::find_replaced(
    const std::string& key, std::string_view destination
) const {
    shard_.assert_current();
    const auto found = subscriptions_.find(key);
    if (found != subscriptions_.end()) { return found->second; }
    if (!temporary_) { return nullptr; }
    for (const auto& [other_key, other] : subscriptions_) {
        if (other->is_implicit && other->destination() == destination) { return other; }
    }
    return nullptr;
}

void Session::connect(
    const std::string& key, const std::shared_ptr<Subscription>& subscription, std::uint64_t ticket
) {
    shard_.assert_current();
    const auto pattern =
        protocol::parse_pattern(subscription->destination(), router_.limits().protocol);
    const DestinationKind kind = pattern->destination.kind;
    if (const auto old = find_replaced(key, subscription->destination())) {
        const bool is_topic = kind != DestinationKind::queue && kind != DestinationKind::temp_queue;
        const bool is_durable = old->options().durable || subscription->options().durable;
        if (is_topic && !is_durable) { return replace(key, subscription, ticket); }
        // What a queue's old consumer has not sent goes back to the queue, and on to the new one.
        forget(*old);
    }
    subscriptions_.emplace(key, subscription);
    ++subscribed_now(*pattern, subscription->options());
    wildcards_ += pattern->is_wildcard && !subscription->options().durable ? 1U : 0U;
    if (subscription->options().is_browser) {
        subscribed(subscription, ticket, std::nullopt);
        if (subscription->is_open()) { subscription->browse(pattern->destination.canonical()); }
        return;
    }
    if (subscription->options().arguments.exclusive == true && !is_temporary(kind)) {
        own(pattern->destination.canonical());
    }
    if (is_temporary(kind)) {
        connect_temporary(subscription, pattern->destination);
        return subscribed(subscription, ticket, std::nullopt);
    }
    if (kind == DestinationKind::user) {
        return connect_to_user(subscription, pattern->destination.key, ticket);
    }
    router_.subscribe(
        *subscription,
        *pattern,
        [weak = weak_from_this(), subscription, ticket](std::optional<Error> error) {
            const auto self = weak.lock();
            if (self) { self->subscribed(subscription, ticket, std::move(error)); }
        }
    );
}

void Session::connect_to_user(
    const std::shared_ptr<Subscription>& subscription, std::string_view key, std::uint64_t ticket
) {
    const auto missing = std::make_shared<std::size_t>(2);
    const UserTopics topics(user_, name_, key);
    for (const protocol::Pattern& topic : topics.patterns()) {
        router_.subscribe(
            *subscription,
            topic,
            [weak = weak_from_this(), subscription, ticket, missing](std::optional<Error> error) {
                const auto self = weak.lock();
                const bool is_last = --*missing == 0;
                if (self && is_last) { self->subscribed(subscription, ticket, std::move(error)); }
            }
        );
    }
}

void Session::connect_temporary(
    const std::shared_ptr<Subscription>& subscription, const protocol::Destination& name
) {
    const Route& route = temporary_->find(name.canonical())->route;
    if (route.topic) { return route.topic->add(*subscription); }
    Consumer consumer;
    consumer.local = subscription.get();
    consumer.window.messages = subscription->options().window_messages;
    consumer.window.bytes = subscription->options().window_bytes;
    consumer.selector = subscription->selector();
    consumer.publisher = number_;
    consumer.no_local = subscription->options().no_local;
    subscription->set_queue({shard_, *route.queue, route.queue->attach(std::move(consumer))});
}

// The subscription is matchable. Its RECEIPT is queued before anything may reach it (P-SUB-04).
void Session::subscribed(
    const std::shared_ptr<Subscription>& subscription,
    std::uint64_t ticket,
    std::optional<Error> error
) {
    if (state_ == State::ended) { return; }
    if (waits_ > 0) { --waits_; }
    outbox_.mark_dirty();
    const bool is_good = !error;
    answered(ticket, std::move(error));
    if (!is_good || !subscription->open()) { return; }
    subscription->begin();
    if (!subscription->queue().is_set()) { return; }
    // A durable subscription's consumer was blocked so far; others only wait for a dispatch.
    subscription->queue().post([](Queue& queue, Consumer& consumer) {
        queue.set_blocked(consumer, false);
    });
}

// The topic's place passes from one subscription to the other at once, with what the old one has
// not sent yet: nothing is missed or doubled (P-SUB-02).
void Session::replace(
    const std::string& key, const std::shared_ptr<Subscription>& subscription, std::uint64_t ticket
) {
    shard_.assert_current();
    const auto old = find_replaced(key, subscription->destination());
    const auto pattern =
        protocol::parse_pattern(subscription->destination(), router_.limits().protocol);
    if (pattern->destination.kind == DestinationKind::temp_topic) {
        const Route& route = temporary_->find(pattern->destination.canonical())->route;
        route.topic->remove(*old);
        route.topic->add(*subscription);
    } else if (pattern->destination.kind == DestinationKind::user) {
        const UserTopics topics(user_, name_, pattern->destination.key);
        for (const protocol::Pattern& topic : topics.patterns()) {
            router_.replace(*old, *subscription, topic);
        }
    } else {
        router_.replace(*old, *subscription, *pattern);
    }
    std::erase_if(subscriptions_, [&](const auto& entry) { return entry.second == old; });
    subscriptions_.emplace(key, subscription);
    prepared_.reset();
    subscribed(subscription, ticket, std::nullopt);
    subscription->succeed(*old);
    bury(old);
}

void Session::on(const protocol::Unsubscribe& request) {
    shard_.assert_current();
    std::string key = key_of(request.id, request.destination.value_or(""));
    if (!request.id && !subscriptions_.contains(key)) {
        const auto is_named = [&](const auto& entry) {
            return entry.second->destination() == *request.destination;
        };
        const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(), is_named);
        if (found != subscriptions_.end()) { key = found->first; }
    }
    const auto durable = deleted_durable(request, key);
    if (!durable) { return refuse(durable.error(), request.receipt); }
    // An unknown id is success: Spring's relay sends such (P-SUB-05).
    if (subscriptions_.contains(key)) { remove_subscription(key)->return_withheld(); }
    forget_settled();
    if (!*durable) { return grant(request.receipt); }
    const std::uint64_t ticket = expect(request.receipt);
    router_.delete_durable(**durable, {Remote<Session>(shard_, shared_from_this()), ticket, true});
}

// The durable subscription that an UNSUBSCRIBE deletes, if it is one that does (P-DUR-04).
protocol::Result<std::optional<DurableName>> Session::deleted_durable(
    const protocol::Unsubscribe& request, const std::string& key
) {
    shard_.assert_current();
    const auto asked = durable_request(request.headers);
    if (!asked) { return asked.error(); }
    std::optional<DurableName> name;
    if (!*asked) { return name; }
    const auto found = subscriptions_.find(key);
    if (found != subscriptions_.end()) { name = found->second->options().durable; }
    // What several share and is not durable goes with the last of them.
    if (name) { return name->is_durable ? name : std::nullopt; }
    for (const protocol::Header& header : request.headers) {
        if (header.name != "x-queue-name") { continue; }
        return std::optional(DurableName{
            user_,
            {},
            std::string(header.value),
            std::string(request.destination.value_or("")),
            true,
            true});
    }
    const bool is_known = (*asked)->is_by_name || (request.id && request.destination);
    if (!is_known) { return name; }
    return std::optional(DurableName{
        user_,
        client_id_,
        std::string((*asked)->is_by_name ? (*asked)->name : *request.id),
        std::string(request.destination.value_or("")),
        (*asked)->is_by_name});
}

// Followed by return_withheld() or, at the end, by return_outstanding().
std::shared_ptr<Subscription> Session::remove_subscription(const std::string& key) {
    shard_.assert_current();
    const auto found = subscriptions_.find(key);
    const std::shared_ptr<Subscription> subscription = std::move(found->second);
    subscriptions_.erase(found);
    // A repeated SEND looks anew whether its replies have a subscription (P-TEMP-02).
    prepared_.reset();
    const auto pattern =
        protocol::parse_pattern(subscription->destination(), router_.limits().protocol);
    --subscribed_now(*pattern, subscription->options());
    const DestinationKind kind = pattern->destination.kind;
    if (kind == DestinationKind::temp_topic) {
        temporary_->find(pattern->destination.canonical())->route.topic->remove(*subscription);
    } else if (kind == DestinationKind::user) {
        const UserTopics topics(user_, name_, pattern->destination.key);
        for (const protocol::Pattern& topic : topics.patterns()) {
            router_.unsubscribe(*subscription, topic);
        }
    } else if (kind == DestinationKind::topic && !subscription->options().durable) {
        wildcards_ -= pattern->is_wildcard ? 1U : 0U;
        router_.unsubscribe(*subscription, *pattern);
    }
    subscription->close();
    bury(subscription);
    return subscription;
}

// How many subscriptions of this kind there are.
std::int64_t& Session::subscribed_now(
    const protocol::Pattern& pattern, const SubscriptionOptions& options
) {
    SubscriptionKind kind = SubscriptionKind::topic;
    if (options.durable) {
        kind = SubscriptionKind::durable;
    } else if (options.is_browser) {
        kind = SubscriptionKind::browser;
    } else if (is_temporary(pattern.destination.kind)) {
        kind = SubscriptionKind::temporary;
    } else if (pattern.is_wildcard) {
        kind = SubscriptionKind::wildcard;
    } else if (pattern.destination.kind == DestinationKind::queue) {
        kind = SubscriptionKind::queue;
    }
    return router_.counters().subscriptions[static_cast<std::size_t>(kind)];
}

void Session::forget(const Subscription& subscription) {
    shard_.assert_current();
    const auto is_it = [&](const auto& entry) { return entry.second.get() == &subscription; };
    const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(), is_it);
    remove_subscription(std::string(found->first))->return_withheld();
    forget_settled();
}

// Deliveries outstanding can still be settled until the connection ends (P-SUB-06): until then it
// is kept.
void Session::bury(std::shared_ptr<Subscription> subscription) {
    buried_.push_back(std::move(subscription));
    forget_settled();
}

void Session::forget_settled() {
    if (buried_.empty() || state_ == State::ended || commits_ != 0) { return; }
    std::erase_if(buried_, [this](const std::shared_ptr<Subscription>& subscription) {
        shard_.assert_current();
        const bool is_idle = subscription->is_settled() && !deliveries_.has(*subscription);
        if (is_idle) { subscription->detach(); }
        return is_idle;
    });
}

}  // namespace engine
