// Destinations: queues as they are made, declared, counted and removed (P-DEST-10).
#include "broker/engine/destinations.hpp"
#include "broker/engine/refusals.hpp"

#include <algorithm>

namespace engine {

namespace {

using protocol::Error;
using protocol::Result;

}  // namespace

QueueSettings Destinations::plain_settings() const {
    return queue_settings({}, settings_.limits, nullptr, {}, false);
}

std::shared_ptr<Queue> Destinations::make_queue(
    std::string name, QueueSettings settings, std::unique_ptr<QueueStore> store
) {
    Queue::Host& host = *this;
    return std::make_shared<Queue>(
        shard_, std::move(name), std::move(settings), output_.counters, host, std::move(store)
    );
}

QueueStore::Options Destinations::store_options(const QueueSettings& settings) const {
    constexpr std::size_t everything = ~std::size_t{0} / 2;
    const std::size_t memory =
        settings.is_reordered() ? everything : settings_.limits.queue_memory_bytes;
    return {memory, settings_.limits.early_delivery, settings.is_reordered(), settings.policy};
}

const Policy* Destinations::policy_of(const std::string& name) const {
    if (settings_.policies.empty()) { return nullptr; }
    const auto& limits = settings_.limits.protocol;
    const auto destination = protocol::parse_destination(name, limits);
    return destination ? policy_of(*destination) : nullptr;
}

const Policy* Destinations::policy_of(const protocol::Destination& destination) const {
    return find_policy(settings_.policies, destination, settings_.limits.protocol);
}

Result<std::shared_ptr<Queue>> Destinations::local_queue(
    const std::string& name, const QueueArguments& arguments, Asker asker
) {
    shard_.assert_current();
    const auto found = queues_.find(name);
    if (found != queues_.end()) {
        const Queue& queue = *found->second;
        if (arguments == QueueArguments{}) { return found->second; }
        const auto agrees = check_arguments(
            name,
            arguments,
            queue.settings(),
            queue.arguments(),
            policy_of(name),
            journal_.has_store()
        );
        if (!agrees) { return agrees.error(); }
        return found->second;
    }
    if (!asker.may_create) { return denied(Action::create, name); }
    if (const auto error = why_no_queue(name, arguments, queues_.size())) { return *error; }
    return add_queue(name, arguments, asker.number);
}

// Why a queue cannot be made where so many are.
std::optional<Error> Destinations::why_no_queue(
    const std::string& name, const QueueArguments& arguments, std::size_t count
) const {
    if (count >= std::max<std::size_t>(1, settings_.limits.queues_max / peers_.size())) {
        return too_many_queues(settings_.limits.queues_max);
    }
    const auto target = dead_letter_destination(arguments, name);
    if (target && !protocol::parse_destination(*target, settings_.limits.protocol)) {
        return no_dead_letter_destination(*target);
    }
    return std::nullopt;
}

const std::shared_ptr<Queue>& Destinations::add_queue(
    const std::string& name, const QueueArguments& arguments, std::uint64_t owner
) {
    shard_.assert_current();
    schedule_sweep();
    QueueSettings settings =
        queue_settings(name, settings_.limits, policy_of(name), arguments, journal_.has_store());
    std::unique_ptr<QueueStore> store;
    if (settings.is_durable) {
        store = std::make_unique<QueueStore>(
            journal_,
            storage::QueueDefinition{name, arguments.attributes()},
            store_options(settings)
        );
    }
    auto queue = make_queue(name, std::move(settings), std::move(store));
    queue->set_arguments(arguments);
    if (arguments != QueueArguments{}) { queue->define(); }
    if (queue->settings().is_exclusive) { queue->set_owner(owner); }
    queue->watch_idleness();
    return queues_.emplace(name, std::move(queue)).first->second;
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
        // What a client has asked for stays until it is asked to go (P-DEST-10).
        const bool is_plain = entry->second->arguments() == QueueArguments{};
        const bool is_unused =
            is_plain && entry->second.use_count() == 1 && entry->second->is_unused();
        const bool was_unused =
            std::binary_search(unused_queues_.begin(), unused_queues_.end(), entry->first);
        if (is_unused && was_unused) {
            entry->second->drop();
            entry = queues_.erase(entry);
            continue;
        }
        if (is_unused) { unused.push_back(entry->first); }
        ++entry;
    }
    unused_queues_ = std::move(unused);
    std::erase_if(retired_, [](const std::shared_ptr<Queue>& queue) {
        return queue->consumers() == 0;
    });
    if (!queues_.empty() || !retired_.empty()) { schedule_sweep(); }
}

Result<Declared> Destinations::declare(
    const std::string& name, const QueueArguments& arguments, DeclarationTrial* trial
) {
    shard_.assert_current();
    const bool is_new = !queues_.contains(name);
    if (is_new && trial != nullptr) {
        const std::size_t count = queues_.size() + trial->queues++;
        if (const auto error = why_no_queue(name, arguments, count)) { return *error; }
        return Declared::made;
    }
    const auto queue = local_queue(name, arguments);
    if (!queue) { return queue.error(); }
    if (is_new) { return Declared::made; }
    if ((*queue)->arguments() != QueueArguments{}) { return Declared::unchanged; }
    if (trial == nullptr) { (*queue)->declare(arguments); }
    return Declared::kept;
}

void Destinations::undeclare(const std::string& name) {
    shard_.assert_current();
    const auto found = queues_.find(name);
    if (found != queues_.end()) { found->second->declare({}); }
}

void Destinations::remove(Queue& queue) {
    shard_.assert_current();
    if (remove_durable(queue)) { return; }
    // Another one may have its name by now.
    const auto found = queues_.find(queue.name());
    const bool is_it = found != queues_.end() && found->second.get() == &queue;
    if (is_it) { remove_queue(queue.name(), queue_removed(queue.name())); }
}

// With all that is in it. Whoever consumes from it is refused with `error` (P-SUB-13).
void Destinations::remove_queue(const std::string& name, const Error& error) {
    shard_.assert_current();
    const auto found = queues_.find(name);
    if (found == queues_.end()) { return; }
    const std::shared_ptr<Queue> queue = found->second;
    queues_.erase(found);
    queue->drop();
    expel(*queue, nullptr, error);
    retired_.push_back(queue);
    schedule_sweep();
}

void Destinations::delete_queue(const std::string& name) {
    remove_queue(name, queue_removed(name));
}

void Destinations::delete_exclusive(const std::string& name, std::uint64_t owner) {
    run_on(home_of(name), [name, owner](Destinations& home) {
        home.shard_.assert_current();
        const auto found = home.queues_.find(name);
        if (found == home.queues_.end() || found->second->owner() != owner) { return; }
        home.remove_queue(name, queue_removed(name));
    });
}

void Destinations::survey(std::vector<QueueFigures>& by_policy) {
    shard_.assert_current();
    by_policy.assign(settings_.policies.size() + 1, {});
    const auto add = [&by_policy](Queue& queue) {
        QueueFigures& figures = by_policy[queue.settings().policy];
        figures.messages += queue.depth();
        figures.bytes += queue.bytes();
        figures.stored_bytes += queue.stored_bytes();
        figures.unacknowledged += queue.unacked();
        figures.oldest = std::max(figures.oldest, queue.waiting_age());
    };
    for (const auto& entry : queues_) {
        add(*entry.second);
    }
    for (const auto& entry : durables_) {
        add(*entry.second.queue);
    }
}

}  // namespace engine
