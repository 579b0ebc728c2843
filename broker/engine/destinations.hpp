// The router of one shard: names to topics and queues, here or on their home shards.
// One per shard; routers know each other and send each other work. Bounded by Limits.
#pragma once

#include "broker/engine/limits.hpp"
#include "broker/engine/message.hpp"
#include "broker/engine/outbox.hpp"
#include "broker/engine/policy.hpp"
#include "broker/engine/queue.hpp"
#include "broker/engine/shard.hpp"
#include "broker/engine/subscription_index.hpp"
#include "broker/engine/topic.hpp"
#include "protocol/destination.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace engine {

class Session;
class Subscription;

/// A destination found: where it lives, and, on its own shard, the thing itself. What a publisher
/// that repeats its head keeps instead of looking names up again.
struct Route {
    struct Name {
        std::string space;
        std::string key;
        bool is_queue = false;
        bool is_literal = false;  ///< Wildcards do not match it.
    };

    std::shared_ptr<const Name> name;
    unsigned home = 0;
    std::shared_ptr<Topic> topic;
    std::shared_ptr<Queue> queue;
    bool is_gone =
        false;  ///< A reply address whose owner left: accepted and discarded (P-TEMP-04).
};

/// Whom to tell how a message fared: a session, by ticket. The answer is posted to its shard.
struct ReplyTo {
    Remote<Session> session;
    std::uint64_t ticket = 0;
    bool wants_success = false;
};

enum class Published : std::uint8_t { done, pending };

/// What all routers of one broker share, constant after start.
struct RouterSettings {
    Limits limits;
    std::vector<Policy> policies;
};

class Destinations {
public:
    /// Runs on the asking shard, with an error or none.
    using Done = std::function<void(std::optional<protocol::Error>)>;

    Destinations(Shard& shard, TurnOutput& output, const RouterSettings& settings);
    ~Destinations();
    Destinations(const Destinations&) = delete;
    Destinations& operator=(const Destinations&) = delete;

    /// All routers by shard index, this one included; before the first session.
    void set_peers(std::vector<Destinations*> peers);

    [[nodiscard]] Shard& shard() const { return shard_; }

    [[nodiscard]] TurnOutput& output() const { return output_; }

    [[nodiscard]] const Limits& limits() const { return settings_.limits; }

    [[nodiscard]] Counters& counters() const { return output_.counters; }

    /// The topic or queue that `destination` names, made if it is new. Refuses `limit-queues`.
    [[nodiscard]] protocol::Result<Route> route(const protocol::Destination& destination);
    /// The owner's side of a reply address.
    [[nodiscard]] Route reply_route(std::string_view token);

    /// Stop 4 of 7. Refuses `queue-full`. `pending`: the home shard will answer `reply`.
    [[nodiscard]] protocol::Result<Published> publish(
        const Route& route, const MessageRef& message, const ReplyTo& reply
    );

    /// publish() on the home shard, for a publisher elsewhere; `reply` is told if it is set.
    void publish_for(const Route& route, const MessageRef& message, const ReplyTo& reply);

    /// A message under a new id. `is_utf8`: the body is known to be valid UTF-8.
    [[nodiscard]] MessageRef make_message(
        const SendHead& head, std::string_view body, bool is_utf8
    );

    /// Connects `subscription` to what `pattern` names. False: `done` is called later, else it was
    /// called. Call started() once the RECEIPT is queued: only then a queue delivers.
    void subscribe(Subscription& subscription, const protocol::Pattern& pattern, Done done);
    void unsubscribe(Subscription& subscription, const protocol::Pattern& pattern);
    /// Gives the place of `old` in a topic, or under a wildcard, to `subscription`.
    void replace(Subscription& old, Subscription& subscription, const protocol::Pattern& pattern);

    /// A queue on another shard delivers to a subscription of this one, or gets the message back.
    void deliver(
        const std::weak_ptr<Subscription>& to, std::weak_ptr<Queue> queue, Delivery delivery
    );

    /// Runs work(Destinations&) on shard `index`: at once if it is this one.
    template <class F>
    void run_on(unsigned index, F work) {
        Destinations* const router = peers_[index];
        if (router == this) { return work(*this); }
        router->shard_.post([router, work = std::move(work)]() mutable { work(*router); });
    }

    /// Temporary destinations of this shard's connections, by reply token.
    [[nodiscard]] std::string add_reply_address(Route route);
    void remove_reply_address(std::string_view token);
    [[nodiscard]] std::shared_ptr<Queue> make_queue(std::string name);
    [[nodiscard]] std::shared_ptr<Topic> make_topic(
        const protocol::Destination& destination, bool is_literal
    );

    /// The object on its home shard (this one), made if new; null if there are too many queues.
    [[nodiscard]] std::shared_ptr<Queue> local_queue(const std::string& name);
    [[nodiscard]] std::shared_ptr<Topic> local_topic(const Route::Name& name);

    [[nodiscard]] std::size_t queue_count() const {
        shard_.assert_current();
        return queues_.size();
    }

    [[nodiscard]] std::size_t topic_count() const {
        shard_.assert_current();
        return topics_.size();
    }

private:
    struct NameHash {
        using is_transparent = void;

        std::size_t operator()(std::string_view name) const {
            return std::hash<std::string_view>()(name);
        }
    };
    template <class T>
    using ByName = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

    [[nodiscard]] unsigned home_of(std::string_view canonical) const;
    [[nodiscard]] std::optional<protocol::Error> publish_here(
        const Route& route, const MessageRef& message
    );
    void fan_out_from_home(
        Topic& topic, const std::shared_ptr<const Route::Name>& name, const MessageRef& message
    );
    void fan_out_here(const Route::Name& name, const MessageRef& message);
    void subscribe_queue(Subscription& subscription, const std::string& name, Done done);
    void subscribe_topic(Subscription& subscription, const protocol::Pattern& pattern, Done done);
    void subscribe_wildcard(
        Subscription& subscription, const protocol::Pattern& pattern, Done done
    );
    void dead_letter(
        const Queue& origin, const MessageRef& message, std::string_view reason, std::uint32_t count
    );
    void sweep_topics();
    void sweep_queues();
    void schedule_sweep();

    // Constant after construction.
    Shard& shard_;
    TurnOutput& output_;
    const RouterSettings& settings_;
    std::vector<Destinations*> peers_;
    std::string id_prefix_;

    // Lives on the shard.
    ByName<std::shared_ptr<Topic>> topics_ GUARDED_BY(shard_);
    ByName<std::shared_ptr<Queue>> queues_ GUARDED_BY(shard_);
    ByName<Route> reply_addresses_ GUARDED_BY(shard_);
    SubscriptionIndex index_ GUARDED_BY(shard_);
    std::uint64_t last_message_ = 0;
    std::size_t sweep_topics_at_ = 0;
    bool is_sweep_scheduled_ = false;
    std::vector<std::string> unused_queues_;  ///< At the last sweep.
    std::shared_ptr<char> alive_;             ///< Timers outlive nothing: they hold it weakly.
};

}  // namespace engine
