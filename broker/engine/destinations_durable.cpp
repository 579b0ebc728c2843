// Destinations: durable subscriptions of topics (P-DUR-01 to -08), and what the last run left.
#include "broker/engine/destinations.hpp"
#include "broker/engine/record_store.hpp"
#include "broker/engine/refusals.hpp"
#include "broker/engine/schedule.hpp"
#include "broker/engine/session.hpp"
#include "broker/engine/subscription.hpp"

#include <algorithm>

namespace engine {

namespace {

using protocol::Error;
using protocol::ErrorCode;
using protocol::Result;

Error too_many_durables(std::size_t limit) {
    return {
        ErrorCode::limit_queues,
        "You already have " + std::to_string(limit) + " durable subscriptions.",
        "Delete some by UNSUBSCRIBE with the header that made them, or raise "
        "limits.durable_subscriptions.",
        "P-LIM-01",
        protocol::LimitKey::durable_subscriptions};
}

Error taken_over(const DurableName& name) {
    return {
        ErrorCode::replaced,
        "Another connection of this client-id took over the durable subscription " +
            protocol::quoted(name.name) + ".",
        "Give each connection a client-id of its own.",
        "P-DUR-06"};
}

Error redefined(const DurableName& name) {
    return {
        ErrorCode::revoked,
        "The durable subscription " + protocol::quoted(name.name) +
            " was given another destination or selector.",
        "Use a name of its own for each durable subscription.",
        "P-SUB-13"};
}

Error defined_otherwise(const DurableName& has, const DurableName& asked) {
    const bool is_selector = has.destination == asked.destination;
    const std::string& first = is_selector ? has.selector : has.destination;
    const std::string& second = is_selector ? asked.selector : asked.destination;
    return {
        ErrorCode::bad_header,
        "The durable or shared subscription " + protocol::quoted(has.name) + " has the " +
            (is_selector ? "selector " : "destination ") + protocol::quoted(first) + ", not " +
            protocol::quoted(second) + ".",
        "Subscribe as those do who share it, or under another name.",
        "P-DUR-07"};
}

Error deleted() {
    return {
        ErrorCode::revoked,
        "The durable subscription was deleted by another connection.",
        "Subscribe again if you still need it.",
        "P-SUB-13"};
}

}  // namespace

// One SUBSCRIBE on its way: to the durable subscription's home, to the homes of its topics, back.
// Touched by one shard at a time, destroyed on the one that asked.
struct Destinations::Attachment {
    DurableName name;
    PrincipalRef owner;
    Consumer consumer;
    std::weak_ptr<Subscription> to;
    unsigned asking = 0;
    Done done;
    std::size_t missing = 0;  ///< Counted on the asking shard.
};

// The shards where topics that it listens to may live.
std::vector<unsigned> Destinations::topic_homes(const DurableName& name) const {
    const auto pattern = protocol::parse_pattern(name.destination, settings_.limits.protocol);
    if (!pattern) { return {}; }
    if (!pattern->is_wildcard) { return {home_of(pattern->destination.canonical())}; }
    std::vector<unsigned> homes;
    for (unsigned shard = 0; shard < peers_.size(); ++shard) {
        homes.push_back(shard);
    }
    return homes;
}

void Destinations::bind_here(
    const std::string& text, const std::shared_ptr<const Binding>& binding
) {
    shard_.assert_current();
    const auto pattern = protocol::parse_pattern(text, settings_.limits.protocol);
    if (pattern->is_wildcard) {
        bound_.push_back(binding);
        return index_.add(*pattern, {nullptr, binding->home, binding.get()});
    }
    local_topic(Route::Name::of(pattern->destination))->bind(binding);
}

void Destinations::unbind_here(
    const std::string& text, const std::shared_ptr<const Binding>& binding
) {
    shard_.assert_current();
    const auto pattern = protocol::parse_pattern(text, settings_.limits.protocol);
    if (pattern->is_wildcard) {
        index_.remove(*pattern, {nullptr, binding->home, binding.get()});
        std::erase(bound_, binding);
        return;
    }
    local_topic(Route::Name::of(pattern->destination))->unbind(*binding);
}

void Destinations::subscribe_durable(Subscription& subscription, Done done) {
    const DurableName& name = *subscription.options().durable;
    const unsigned home = home_of(name.canonical());
    auto attachment = std::make_shared<Attachment>(Attachment{
        name,
        subscription.session().principal(),
        make_consumer(subscription),
        subscription.weak_from_this(),
        shard_.index(),
        std::move(done)});
    Consumer& consumer = attachment->consumer;
    // Until its RECEIPT is queued nothing may reach it (P-SUB-04).
    consumer.is_blocked = true;
    if (home == shard_.index()) {
        consumer.local = &subscription;
    } else {
        consumer.remote_router = this;
        consumer.remote = subscription.weak_from_this();
    }
    run_on(home, [attachment = std::move(attachment)](Destinations& router) mutable {
        router.attach(std::move(attachment));
    });
}

// On the home shard: finds or makes the subscription, and attaches the consumer to its queue.
// It moves along: what it holds must not be destroyed on another shard than the one that asked.
void Destinations::attach(std::shared_ptr<Attachment> attachment) {
    shard_.assert_current();
    const unsigned asking = attachment->asking;
    bool is_new = false;
    const auto found = find_durable(attachment->name, attachment->consumer.may_create, is_new);
    if (!found) {
        return run_on(
            asking,
            [attachment = std::move(attachment), error = found.error()](Destinations&) {
                attachment->done(error);
            }
        );
    }
    Durable& durable = **found;
    // The same client on another connection: the newer one takes over (P-DUR-06).
    if (!attachment->name.client_id.empty()) {
        expel(*durable.queue, attachment->consumer.owner_id, taken_over(attachment->name));
    }
    const bool is_bound = !is_new && !durable.is_revoked;
    durable.owner = attachment->owner;
    if (std::exchange(durable.is_revoked, false)) { tell_revoked(durable); }
    const auto to = attachment->to;
    // Also for one that is there already: word of it may still be on its way (P-SUB-04).
    const std::vector<unsigned> homes = topic_homes(durable.name);
    attachment->missing = homes.size() + 1;
    QueueLink link(shard_, *durable.queue, durable.queue->attach(std::move(attachment->consumer)));
    run_on(asking, [to, link](Destinations&) { link_to(to, link); });
    for (const unsigned shard : homes) {
        run_on(
            shard,
            [attachment,
             asking,
             is_new,
             is_bound,
             text = durable.name.destination,
             binding = durable.binding](Destinations& router) mutable {
                if (!is_bound) { router.bind_here(text, binding); }
                if (is_new) { router.bring_retained(text, binding); }
                router.run_on(asking, [attachment = std::move(attachment)](Destinations&) {
                    finish(*attachment, false);
                });
            }
        );
    }
    // The right was asked before; rights may have changed on this shard since.
    review(durable);
    // The RECEIPT says that it is there after a crash.
    journal_.when_stored([this, attachment = std::move(attachment), asking]() mutable {
        const bool has_failed = journal_.has_failed();
        run_on(asking, [attachment = std::move(attachment), has_failed](Destinations&) {
            finish(*attachment, has_failed);
        });
    });
}

void Destinations::finish(Attachment& attachment, bool has_failed) {
    if (has_failed) {
        attachment.missing = 0;
        return attachment.done(storage_failed());
    }
    if (attachment.missing == 0 || --attachment.missing != 0) { return; }
    attachment.done(std::nullopt);
}

// Refuses all who consume from `queue`, but for `spared`.
void Destinations::expel(const Queue& queue, const Session* spared, const Error& error) {
    struct Owner {
        Remote<Session> session;
        std::string subscription;
    };

    // A session of this shard detaches its consumers at once: the list must not be walked then.
    std::vector<Owner> owners;
    queue.for_each_consumer([&](const Consumer& consumer) {
        if (consumer.owner_id == spared) { return; }
        owners.push_back({consumer.owner, consumer.subscription_id});
    });
    for (const Owner& owner : owners) {
        owner.session.post([id = owner.subscription, error](Session& session) {
            session.fail(error, {}, id);
        });
    }
}

// A new one has to be made known to the homes of its topics by bind_here().
Result<Destinations::Durable*> Destinations::find_durable(
    const DurableName& name, bool may_create, bool& is_new
) {
    shard_.assert_current();
    std::string canonical = name.canonical();
    const auto found = durables_.find(canonical);
    if (found != durables_.end()) {
        const Durable& known = found->second;
        if (known.name.has_same_definition(name)) { return &found->second; }
        if (!may_create) { return denied(Action::create, name.destination); }
        bool is_in_use = false;
        known.queue->for_each_consumer([&](const Consumer&) { is_in_use = true; });
        if (name.is_shared && is_in_use) { return defined_otherwise(known.name, name); }
        // Another destination: a new definition without the old one's backlog (P-DUR-05).
        expel(
            *found->second.queue,
            nullptr,
            name.client_id.empty() ? redefined(name) : taken_over(name)
        );
        retire(found->second);
        durables_.erase(found);
    }
    if (!may_create) { return denied(Action::create, name.destination); }
    if (const auto error = why_no_durable(name.user, 0)) { return *error; }
    const bool is_stored = journal_.has_store() && name.is_durable;
    if (is_stored && !journal_.accepts_appends()) { return no_appends(journal_); }
    std::unique_ptr<QueueStore> store;
    if (is_stored) {
        store = std::make_unique<QueueStore>(
            journal_,
            storage::QueueDefinition{canonical, name.attributes()},
            store_options(settings_of(name))
        );
    }
    auto queue = make_queue(canonical, settings_of(name), std::move(store));
    is_new = true;
    return &add_durable(name, std::move(queue));
}

// Why the user can have no more of them than he has and `more`.
std::optional<Error> Destinations::why_no_durable(const std::string& user, std::size_t more) const {
    const auto count = durables_of_.find(user);
    const std::size_t has = more + (count != durables_of_.end() ? count->second : 0);
    const std::size_t limit = settings_.limits.durable_subscriptions_max;
    if (has < std::max<std::size_t>(1, limit / peers_.size())) { return std::nullopt; }
    return too_many_durables(limit);
}

Destinations::Durable& Destinations::add_durable(
    const DurableName& name, std::shared_ptr<Queue> queue
) {
    shard_.assert_current();
    ++durables_of_[name.user];
    queue->define();
    queue->set_origin(name.destination);
    auto binding = std::make_shared<const Binding>(shard_.index(), queue, selector_of(name));
    return durables_.emplace(name.canonical(), Durable{name, std::move(queue), std::move(binding)})
        .first->second;
}

QueueSettings Destinations::settings_of(const DurableName& name) const {
    QueueSettings settings = plain_settings();
    settings.is_auto_delete = !name.is_durable;
    settings.idle_life = name.idle_life;
    return settings;
}

// It was parsed when it was subscribed with; the limits may have been larger then.
SelectorRef Destinations::selector_of(const DurableName& name) {
    if (name.selector.empty()) { return nullptr; }
    auto parsed = selector(name.selector);
    if (!parsed) { parsed = Selector::parse(name.selector, selector_limits_max); }
    return parsed ? *parsed : nullptr;
}

// Nobody was attached to it for too long, or the last one has left what was not durable (P-DUR-07).
bool Destinations::remove_durable(const Queue& queue) {
    shard_.assert_current();
    const auto found = durables_.find(queue.name());
    if (found == durables_.end() || found->second.queue.get() != &queue) { return false; }
    retire(found->second);
    durables_.erase(found);
    return true;
}

// Its topics send it nothing more, and the store forgets it.
void Destinations::retire(Durable& durable) {
    shard_.assert_current();
    const auto count = durables_of_.find(durable.name.user);
    if (--count->second == 0) { durables_of_.erase(count); }
    if (!durable.is_revoked) { unbind_everywhere(durable); }
    durable.queue->drop();
    retired_.push_back(std::move(durable.queue));
    schedule_sweep();
}

void Destinations::delete_durable(const DurableName& name, ReplyTo reply) {
    const unsigned home = home_of(name.canonical());
    if (home != shard_.index()) {
        return run_on(home, [name, reply = std::move(reply)](Destinations& router) {
            router.delete_durable(name, reply);
        });
    }
    shard_.assert_current();
    delete_durable(name.canonical());
    confirm(reply, {});
}

Result<Declared> Destinations::declare(const DurableName& name, DeclarationTrial* trial) {
    shard_.assert_current();
    const auto found = durables_.find(name.canonical());
    if (found != durables_.end()) {
        const DurableName& has = found->second.name;
        if (!has.has_same_definition(name)) { return defined_otherwise(has, name); }
        return Declared::unchanged;
    }
    if (trial != nullptr) {
        if (const auto error = why_no_durable(name.user, trial->durables[name.user]++)) {
            return *error;
        }
        return Declared::made;
    }
    bool is_new = false;
    const auto made = find_durable(name, true, is_new);
    if (!made) { return made.error(); }
    bind_everywhere(**made);
    review(**made);
    return Declared::made;
}

// Its topics' homes are told.
void Destinations::bind_everywhere(const Durable& durable) {
    const std::string& text = durable.name.destination;
    for (const unsigned shard : topic_homes(durable.name)) {
        run_on(shard, [text, binding = durable.binding](Destinations& router) {
            router.bind_here(text, binding);
        });
    }
}

void Destinations::unbind_everywhere(const Durable& durable) {
    const std::string& text = durable.name.destination;
    for (const unsigned shard : topic_homes(durable.name)) {
        run_on(shard, [text, binding = durable.binding](Destinations& router) {
            router.unbind_here(text, binding);
        });
    }
}

// What its owner may read is kept for him, whether he is there or not; what only a login can tell
// is asked when he comes (S-ACL-11).
bool Destinations::may_keep(const Durable& durable) const {
    if (authenticator_ == nullptr) { return true; }
    const auto owner = authenticator_->absent(durable.name.user, durable.owner);
    if (!owner) { return true; }
    if (!*owner) { return false; }
    const AccessRef access = access_of(*owner);
    const auto pattern =
        protocol::parse_pattern(durable.name.destination, settings_.limits.protocol);
    if (!access || !pattern) { return true; }
    return pattern->is_wildcard ? access->covers(Action::subscribe, *pattern)
                                : access->allows(Action::subscribe, pattern->destination);
}

void Destinations::review(Durable& durable) {
    shard_.assert_current();
    if (may_keep(durable) != durable.is_revoked) { return; }
    durable.is_revoked = !durable.is_revoked;
    durable.is_revoked ? unbind_everywhere(durable) : bind_everywhere(durable);
    tell_revoked(durable);
}

void Destinations::tell_revoked(const Durable& durable) const {
    if (settings_.durable_revoked) { settings_.durable_revoked(durable.name, durable.is_revoked); }
}

std::vector<DurableName> Destinations::durables_named(std::string_view user, std::string_view name)
    const {
    shard_.assert_current();
    std::vector<DurableName> found;
    for (const auto& [canonical, durable] : durables_) {
        const DurableName& it = durable.name;
        if (it.user == user && it.name == name) { found.push_back(it); }
    }
    return found;
}

void Destinations::delete_durable(const std::string& canonical) {
    shard_.assert_current();
    const auto found = durables_.find(canonical);
    if (found == durables_.end()) { return; }
    // Whoever deletes it has left it before.
    expel(*found->second.queue, nullptr, deleted());
    retire(found->second);
    durables_.erase(found);
}

void Destinations::restore(std::vector<storage::RecoveredQueue> queues) {
    for (storage::RecoveredQueue& queue : queues) {
        const unsigned home = home_of(home_name(queue.definition));
        run_on(home, [queue = std::move(queue)](Destinations& router) {
            router.restore_here(queue);
        });
    }
    // Behind what the shards tell each other about it: nothing delayed goes to a topic before its
    // durable subscriptions are known there.
    for (Destinations* const source : peers_) {
        run_on(source->shard_.index(), [](Destinations& router) {
            for (const Destinations* const target : router.peers_) {
                router.run_on(target->shard_.index(), [](Destinations& told) {
                    told.end_restoring();
                });
            }
        });
    }
}

void Destinations::end_restoring() {
    if (++restored_ == peers_.size()) { schedule_->release(); }
}

void Destinations::restore_here(const storage::RecoveredQueue& recovered) {
    shard_.assert_current();
    if (const auto subject = subject_of(recovered.definition, delayed_kind)) {
        return schedule_->restore(*subject, recovered);
    }
    if (const auto subject = subject_of(recovered.definition, duplicates_kind)) {
        return duplicates_.restore(*subject, recovered);
    }
    if (const auto subject = subject_of(recovered.definition, retained_kind)) {
        return retained_.restore(*subject, recovered);
    }
    if (const auto subject = subject_of(recovered.definition, history_kind)) {
        return restore_history(*subject, recovered);
    }
    const std::string& canonical = recovered.definition.name;
    const auto name = DurableName::from_attributes(recovered.definition.attributes);
    const auto arguments = QueueArguments::from_attributes(recovered.definition.attributes);
    QueueSettings settings =
        name ? settings_of(*name)
             : queue_settings(canonical, settings_.limits, policy_of(canonical), arguments, true);
    auto store = std::make_unique<QueueStore>(journal_, recovered, store_options(settings));
    auto queue = make_queue(canonical, std::move(settings), std::move(store));
    if (!name) {
        queue->set_arguments(arguments);
        queue->scan_expiries();
        queue->load();
        queue->watch_idleness();
        queues_.emplace(canonical, std::move(queue));
        return schedule_sweep();
    }
    queue->scan_expiries();
    queue->watch_idleness();
    Durable& durable = add_durable(*name, std::move(queue));
    bind_everywhere(durable);
    review(durable);
}

}  // namespace engine
