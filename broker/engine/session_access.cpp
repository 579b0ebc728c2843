// Session: what its principal may do (S-ACL-05 to -07, -11).
#include "broker/engine/refusals.hpp"
#include "broker/engine/session.hpp"

namespace engine {

using protocol::DestinationKind;
using protocol::Error;

namespace {

// Whoever knows a reply address has been given it: it is the right (S-ACL-09).
bool is_open_to_all(const protocol::Destination& destination) {
    return destination.kind == DestinationKind::reply_queue;
}

}  // namespace

bool Session::may_subscribe(const protocol::Pattern& pattern, bool is_browser) const {
    if (!access_) { return true; }
    const Action action = is_browser ? Action::browse : Action::subscribe;
    return pattern.is_wildcard ? access_->covers(action, pattern)
                               : access_->allows(action, pattern.destination);
}

bool Session::may_create(const protocol::Pattern& pattern) const {
    if (!access_) { return true; }
    return pattern.is_wildcard ? access_->covers(Action::create, pattern)
                               : access_->allows(Action::create, pattern.destination);
}

// A wildcard may match what is denied: that is left out, destination by destination.
void Session::set_access(Subscription& subscription, const protocol::Pattern& pattern) const {
    const bool is_partial =
        pattern.is_wildcard && access_ && access_->has_denials(Action::subscribe);
    const AccessRef wanted = is_partial ? access_ : nullptr;
    if (subscription.access() != wanted) { subscription.set_access(wanted); }
    subscription.may_create = may_create(pattern);
}

// Also where messages go that die in a queue with these arguments: they go there in this user's
// name.
std::optional<Error> Session::check_publish(
    const protocol::Destination& destination, const QueueArguments& arguments
) const {
    if (!access_ || is_open_to_all(destination)) { return std::nullopt; }
    if (!may(Action::publish, destination)) {
        return not_allowed(Action::publish, destination.canonical());
    }
    const auto dead_letters = dead_letter_destination(arguments, destination.canonical());
    if (!dead_letters) { return std::nullopt; }
    const auto target = protocol::parse_destination(*dead_letters, router_.limits().protocol);
    if (!target || may(Action::publish, *target)) { return std::nullopt; }
    return not_allowed(Action::publish, *dead_letters);
}

std::optional<Error> Session::check_subscribe(
    const protocol::Pattern& pattern, const SubscriptionOptions& options
) const {
    if (!access_) { return std::nullopt; }
    const std::string name = pattern.destination.canonical();
    if (!may_subscribe(pattern, options.is_browser)) {
        return not_allowed(options.is_browser ? Action::browse : Action::subscribe, name);
    }
    const auto dead_letters = dead_letter_destination(options.arguments, name);
    if (!dead_letters) { return std::nullopt; }
    const auto target = protocol::parse_destination(*dead_letters, router_.limits().protocol);
    if (!target || may(Action::publish, *target)) { return std::nullopt; }
    return not_allowed(Action::publish, *dead_letters);
}

// Rights may have changed since the SENDs were taken.
std::optional<Error> Session::check_commit(const Transaction& transaction) const {
    if (!access_) { return std::nullopt; }
    for (const Transaction::BufferedSend& send : transaction.sends) {
        const std::string name = send.route.name->space + send.route.name->key;
        const auto destination = protocol::parse_destination(name, router_.limits().protocol);
        // What has no public name was checked by that which it was sent to.
        if (!destination || is_open_to_all(*destination)) { continue; }
        if (!may(Action::publish, *destination)) { return not_allowed(Action::publish, name); }
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
        if (!may_subscribe(*pattern, subscription->options().is_browser)) {
            return fail(allowed_no_more(subscription->destination()), {}, subscription->id());
        }
        set_access(*subscription, *pattern);
    }
}

}  // namespace engine
