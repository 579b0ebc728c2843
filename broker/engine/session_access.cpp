// Session: what its principal may do (S-ACL-05 to -07, -11).
#include "broker/engine/refusals.hpp"
#include "broker/engine/session.hpp"
#include "protocol/system_event.hpp"

namespace engine {

using protocol::DestinationKind;
using protocol::Error;

namespace {

// Whoever knows a reply address has been given it: it is the right (S-ACL-09).
bool is_open_to_all(const protocol::Destination& destination) {
    return destination.kind == DestinationKind::reply_queue;
}

Action reading(const SubscriptionOptions& options) {
    return options.is_browser ? Action::browse : Action::subscribe;
}

}  // namespace

// What the broker tells of itself needs a right that somebody gave (S-ACL-08).
bool Session::may(Action action, const protocol::Pattern& pattern) const {
    if (!access_) { return !protocol::system_event(pattern.destination); }
    return pattern.is_wildcard ? access_->covers(action, pattern)
                               : access_->allows(action, pattern.destination);
}

// A wildcard may match what is denied: that is left out, destination by destination.
void Session::set_access(Subscription& subscription, const protocol::Pattern& pattern) const {
    const bool is_partial =
        pattern.is_wildcard && access_ && access_->has_denials(Action::subscribe);
    const AccessRef wanted = is_partial ? access_ : nullptr;
    if (subscription.access() != wanted) { subscription.set_access(wanted); }
    subscription.may_create = may(Action::create, pattern);
}

std::optional<Error> Session::check_publish(const protocol::Destination& destination) const {
    if (is_open_to_all(destination) || may(Action::publish, destination)) { return std::nullopt; }
    return router_.denied(Action::publish, destination.canonical());
}

// What dies in a queue with these arguments goes there in this user's name, and makes it if it is
// a queue.
std::optional<Error> Session::check_dead_letters(
    const QueueArguments& arguments, const std::string& queue
) const {
    if (!access_) { return std::nullopt; }
    const auto name = dead_letter_destination(arguments, queue);
    if (!name) { return std::nullopt; }
    const auto target = protocol::parse_destination(*name, router_.limits().protocol);
    if (!target) { return std::nullopt; }
    if (!may(Action::publish, *target)) { return router_.denied(Action::publish, *name); }
    const bool is_queue = target->kind == DestinationKind::queue;
    if (is_queue && !may(Action::create, *target)) { return router_.denied(Action::create, *name); }
    return std::nullopt;
}

std::optional<Error> Session::check_subscribe(
    const protocol::Pattern& pattern, const SubscriptionOptions& options
) const {
    const std::string name = pattern.destination.canonical();
    const Action action = reading(options);
    if (!may(action, pattern)) { return router_.denied(action, name); }
    return check_dead_letters(options.arguments, name);
}

// Rights may have changed since the SENDs were taken.
std::optional<Error> Session::check_commit(const Transaction& transaction) const {
    if (!access_) { return std::nullopt; }
    for (const Transaction::BufferedSend& send : transaction.sends) {
        const std::string name = send.route.name->space + send.route.name->key;
        const auto destination = protocol::parse_destination(name, router_.limits().protocol);
        // What has no public name was checked by that which it was sent to.
        if (!destination) { continue; }
        if (auto error = check_publish(*destination)) { return error; }
    }
    return std::nullopt;
}

void Session::access_changed() {
    shard_.assert_current();
    if (state_ != State::connected) { return; }
    PrincipalRef renewed = authenticator_.renewed(principal_);
    if (!renewed) { return fail(login_revoked()); }
    principal_ = std::move(renewed);
    access_ = router_.access_of(principal_);
    // A repeated SEND is looked at anew.
    prepared_.reset();
    for (const auto& [key, subscription] : subscriptions_) {
        const auto pattern =
            protocol::parse_pattern(subscription->destination(), router_.limits().protocol);
        if (!may(reading(subscription->options()), *pattern)) {
            return fail(allowed_no_more(subscription->destination()), {}, subscription->id());
        }
        set_access(*subscription, *pattern);
    }
}

}  // namespace engine
