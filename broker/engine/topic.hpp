// A topic on one shard: its local subscribers, and on the home shard also which other shards
// listen. Every local subscription gets a copy; those whose frames are the same octets share one
// block.
#pragma once

#include "broker/engine/block.hpp"
#include "broker/engine/by_selector.hpp"
#include "broker/engine/fanout_group.hpp"
#include "broker/engine/history.hpp"
#include "broker/engine/message.hpp"
#include "broker/engine/meter.hpp"
#include "broker/engine/outbox.hpp"
#include "broker/engine/policy.hpp"
#include "broker/engine/shard.hpp"
#include "broker/engine/subscription_index.hpp"
#include "protocol/version.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace engine {

class Queue;
class Subscription;

/// A durable subscription as topics see it: a queue on shard `home` that gets a copy of each
/// message (P-DUR-03). Immutable; known to every shard that may be a matching topic's home.
struct Binding : std::enable_shared_from_this<Binding> {
    Binding(unsigned home_shard, std::weak_ptr<Queue> bound, SelectorRef wanted)
        : home(home_shard), queue(std::move(bound)), selector(std::move(wanted)) {}

    const unsigned home;
    const std::weak_ptr<Queue> queue;  ///< Locked on its home only.
    const SelectorRef selector;        ///< Of the messages it gets a copy of; null: all.
};

class Topic {
public:
    /// `space` and `key` are the canonical name's parts. `is_literal`: wildcards never match it.
    Topic(
        Shard& shard,
        TurnOutput& output,
        std::string space,
        std::string key,
        SlowConsumerPolicy policy,
        bool is_literal
    );

    [[nodiscard]] std::string name() const { return space_ + key_; }

    [[nodiscard]] const SlowConsumerPolicy& policy() const { return policy_; }

    void add(Subscription& subscription);
    void remove(Subscription& subscription);
    /// Another shard's subscriptions to exactly this name (home shard only); counted.
    void add_shard(unsigned shard);
    void remove_shard(unsigned shard);

    /// A durable subscription to exactly this name (home shard only).
    void bind(std::shared_ptr<const Binding> binding);
    void unbind(const Binding& binding);
    /// The durable subscriptions that get its messages. Valid until the next change.
    [[nodiscard]] const std::vector<const Binding*>& bindings(const SubscriptionIndex& index);
    /// Those of them that get `message`. Valid until the next call.
    [[nodiscard]] const std::vector<const Binding*>& bindings(
        const SubscriptionIndex& index, const Message& message
    );

    /// Gives `message` to every local subscription, wildcard ones of `index` included.
    void fan_out(const MessageRef& message, const SubscriptionIndex& index);
    /// The shards other than this one that must get the message too. Valid until the next change.
    [[nodiscard]] const std::vector<unsigned>& interested_shards(const SubscriptionIndex& index);

    /// On the home shard of a topic that keeps its messages; null: it does not (P-QOS-10).
    [[nodiscard]] History* history() const { return history_.get(); }

    void set_history(std::shared_ptr<History> history) { history_ = std::move(history); }

    /// Nobody listens, durable subscriptions included.
    [[nodiscard]] bool is_unused() const {
        return exact_count_ == 0 && shard_counts_.empty() && bound_.empty();
    }

    /// It can be made anew without anybody noticing.
    [[nodiscard]] bool is_forgettable() const {
        return is_unused() && (!history_ || history_->last() == 0);
    }

    [[nodiscard]] std::size_t exact_subscribers() const { return exact_count_; }

    /// Subscriptions of this shard that get its messages, wildcard ones included.
    [[nodiscard]] std::size_t subscribers(const SubscriptionIndex& index);

    /// Calls visit(const Subscription&) for each of these.
    template <class F>
    void for_each_subscriber(const SubscriptionIndex& index, F visit) {
        shard_.assert_current();
        refresh(index);
        exact_.for_each(visit);
        wildcard_.for_each(visit);
    }

    /// Of this shard: on the home all messages are counted, deliveries where the subscriber is.
    [[nodiscard]] const Meter& meter() const { return meter_; }

    void sample(std::chrono::milliseconds since) { meter_.sample(since); }

private:
    void refresh(const SubscriptionIndex& index);
    void send_to(FanoutGroup& group, const MessageRef& message);
    Block& block_for(FanoutGroup& group, std::size_t size);
    void send_shared(FanoutGroup& group, const MessageRef& message);
    void add_binding(const Binding& binding);

    // Constant after construction.
    Shard& shard_;
    TurnOutput& output_;
    const std::string space_;
    const std::string key_;
    const SlowConsumerPolicy policy_;
    const bool is_literal_;

    // Lives on the shard.
    FanoutGroups exact_ GUARDED_BY(shard_);
    FanoutGroups wildcard_ GUARDED_BY(shard_);  ///< Found under generation_.
    std::uint64_t generation_ = 0;
    Meter meter_;
    std::size_t exact_count_ = 0;
    std::vector<std::uint32_t> shard_counts_;  ///< By shard; empty if there are none.
    std::vector<unsigned> interested_;
    std::vector<std::shared_ptr<const Binding>> bound_;
    std::shared_ptr<History> history_;
    std::vector<const Binding*> bindings_;  ///< bound_, and those found under generation_.
    std::unique_ptr<BySelector<std::vector<const Binding*>>> selective_;  ///< Those with selector.
    std::vector<const Binding*> unselective_;  ///< If there are selective ones: the others.
    std::vector<const Binding*> wanting_;      ///< The last message.
    bool is_fanning_out_ = false;  ///< Nobody may leave meanwhile: cuts are deferred to the flush.
};

}  // namespace engine
