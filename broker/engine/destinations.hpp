// The router of one shard: names to topics and queues, here or on their home shards.
// One per shard; routers know each other and send each other work. Bounded by Limits.
#pragma once

#include "broker/engine/access.hpp"
#include "broker/engine/arrivals.hpp"
#include "broker/engine/asked.hpp"
#include "broker/engine/destination_figures.hpp"
#include "broker/engine/duplicates.hpp"
#include "broker/engine/durable_name.hpp"
#include "broker/engine/expiry_watch.hpp"
#include "broker/engine/journal.hpp"
#include "broker/engine/limits.hpp"
#include "broker/engine/message.hpp"
#include "broker/engine/outbox.hpp"
#include "broker/engine/policy.hpp"
#include "broker/engine/queue.hpp"
#include "broker/engine/queue_arguments.hpp"
#include "broker/engine/queue_settings.hpp"
#include "broker/engine/retained.hpp"
#include "broker/engine/scheduled_message.hpp"
#include "broker/engine/selector.hpp"
#include "broker/engine/send_options.hpp"
#include "broker/engine/shard.hpp"
#include "broker/engine/subscription_index.hpp"
#include "broker/engine/topic.hpp"
#include "protocol/destination.hpp"
#include "protocol/system_event.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace engine {

class Attendance;
class QueueLink;
class Schedule;
class Authenticator;
class Session;
class Subscription;

/// Who names a queue that may not be there yet.
struct Asker {
    std::uint64_t number = 0;  ///< Session::number(); 0: the broker itself.
    bool may_create = true;    ///< It has the right to (S-ACL-05).
};

/// A destination found: where it lives, and, on its own shard, the thing itself. What a publisher
/// that repeats its head keeps instead of looking names up again.
struct Route {
    struct Name {
        std::string space;
        std::string key;
        bool is_queue = false;
        bool is_literal = false;  ///< Wildcards do not match it.
        bool is_user = false;     ///< A user's, where what nobody gets is counted (P-USER-04).
        QueueArguments arguments = {};
        Asker asker = {};              ///< Who comes with the arguments.
        Retain retain = Retain::none;  ///< Of topics.

        [[nodiscard]] static Name
        of(const protocol::Destination& destination, QueueArguments arguments = {}, Asker asker = {}
        );
    };

    std::shared_ptr<const Name> name;
    unsigned home = 0;
    std::uint16_t policy = 0;  ///< Policy::number, for counting; 0: none matches.
    std::shared_ptr<Topic> topic;
    std::shared_ptr<Queue> queue;
    bool is_gone =
        false;  ///< Nobody is there any more: accepted and discarded (P-TEMP-04, P-USER-04).
    std::shared_ptr<const Asked> asked = {};  ///< Beyond being routed now; mostly nothing.
};

/// Whom to tell how a message fared: a session, by ticket. The answer is posted to its shard.
struct ReplyTo {
    Remote<Session> session;
    std::uint64_t ticket = 0;
    bool wants_success = false;
};

/// What the queues of one policy hold, for metrics.
struct QueueFigures {
    std::uint64_t messages = 0;  ///< Those in flight included.
    std::uint64_t bytes = 0;
    std::uint64_t stored_bytes = 0;    ///< Queue::stored_bytes().
    std::uint64_t unacknowledged = 0;  ///< Queue::unacked().
    Instant oldest{0};                 ///< The greatest Queue::waiting_age().
};

enum class Published : std::uint8_t {
    done,
    stored,   ///< By this shard's journal, once this turn's batch is.
    pending,  ///< Another shard will answer.
};

/// What all routers of one broker share, constant after start.
/// What a declaration came to.
enum class Declared : std::uint8_t {
    unchanged,  ///< It was there, and declared.
    kept,       ///< It was there with its use (P-DEST-10), and stays from now on.
    made,
};

/// What a trial of declarations would have made on one shard so far.
struct DeclarationTrial {
    std::size_t queues = 0;
    std::map<std::string, std::size_t> durables;  ///< By user.
};

struct RouterSettings {
    Limits limits;
    std::vector<Policy> policies;
    storage::MessageStore* store = nullptr;  ///< None: nothing is durable.
    Attendance* attendance = nullptr;        ///< None: users have as many connections as they like.
    /// Told when a durable subscription's owner has lost the right to it, or has it again; any
    /// shard.
    std::function<void(const DurableName&, bool is_revoked)> durable_revoked = {};
};

class Destinations : private Queue::Host {
public:
    /// Runs on the asking shard, with an error or none.
    using Done = std::function<void(std::optional<protocol::Error>)>;

    Destinations(Shard& shard, TurnOutput& output, const RouterSettings& settings);
    ~Destinations() override;
    Destinations(const Destinations&) = delete;
    Destinations& operator=(const Destinations&) = delete;

    /// All routers by shard index, this one included; before the first session.
    void set_peers(std::vector<Destinations*> peers);

    [[nodiscard]] Shard& shard() const { return shard_; }

    [[nodiscard]] TurnOutput& output() const { return output_; }

    [[nodiscard]] const Limits& limits() const { return settings_.limits; }

    [[nodiscard]] Counters& counters() const { return output_.counters; }

    /// Null: users may have as many connections as they like.
    [[nodiscard]] Attendance* attendance() const { return settings_.attendance; }

    [[nodiscard]] Journal& journal() { return journal_; }

    /// A session has connected here; leave() before it goes.
    void join(Session& session);
    void leave(const Session& session);

    template <class F>
    void for_each_session(F visit) const {
        shard_.assert_current();
        for (Session* const session : sessions_) {
            visit(*session);
        }
    }

    /// The access list in force on this shard from now on; null: everything is allowed. Sessions
    /// whose subscriptions it does not allow are refused `revoked`; durable subscriptions whose
    /// owner may not read any more keep nothing more until he may again (S-ACL-11).
    /// `authenticator` outlives the router.
    void set_authorizer(
        std::shared_ptr<const Authorizer> authorizer, const Authenticator& authenticator
    );

    /// Null: everything is allowed.
    [[nodiscard]] AccessRef access_of(const PrincipalRef& principal) const;

    /// The shard where the queue or topic of this canonical name lives.
    [[nodiscard]] unsigned home_of(std::string_view canonical) const;

    /// Brings back what the store holds. On the first shard's router, before any client; the others
    /// get their share as posted work.
    void restore(std::vector<storage::RecoveredQueue> queues);

    /// This shard's ear for the store.
    [[nodiscard]] storage::StoreListener& store_listener() { return journal_; }

    /// Ends a turn: hands what is to be stored to the store. Before connections are flushed.
    void end_turn() {
        journal_.end_turn();
        arrivals_.end_turn(last_message_, shard_);
    }

    /// Before a clean stop, after the last session: only what was delivered will be marked so.
    void prepare_stop();

    [[nodiscard]] bool is_store_congested() const { return journal_.is_congested(); }

    [[nodiscard]] bool is_store_idle() const { return journal_.is_idle(); }

    /// The topic or queue that `destination` names, made if it is new. Refuses `limit-queues`, and
    /// `bad-header` if the queue's arguments are others (P-SUB-14), and `access-denied` for a new
    /// queue if `asker` may not create it.
    [[nodiscard]] protocol::Result<Route> route(
        const protocol::Destination& destination,
        const QueueArguments& arguments = {},
        Asker asker = {},
        Retain retain = Retain::none
    );
    /// The route with the object itself, on its home shard; a new queue, if the route's has gone.
    [[nodiscard]] protocol::Result<Route> complete(const Route& route);
    /// Where nobody is: accepted, discarded and counted.
    [[nodiscard]] Route nowhere() const;
    /// The owner's side of a reply address.
    [[nodiscard]] Route reply_route(std::string_view token);

    /// The answer to a SEND there comes through ReplyTo, not from publish().
    [[nodiscard]] bool is_answered_later(const Route& route);

    /// Stop 4 of 7. Refuses `queue-full`, `disk-full`, `storage-failed`.
    [[nodiscard]] protocol::Result<Published> publish(
        const Route& route, const MessageRef& message, const ReplyTo& reply
    );

    /// publish() on the home shard, for a publisher elsewhere; `reply` is told if it is set.
    void publish_for(const Route& route, const MessageRef& message, const ReplyTo& reply);

    /// Tells `reply` when all that was sent to shard `home` before is stored, if `is_passed_on`
    /// with what that shard has sent on to others (copies for durable subscriptions).
    void await_store(unsigned home, ReplyTo reply, bool is_passed_on = false);

    // For commits, on the home shard.

    [[nodiscard]] protocol::Result<std::shared_ptr<Queue>> queue_of(const Route& route);
    /// The refusal that goes with what a queue said; not for `accepted`.
    [[nodiscard]] static protocol::Error refusal(const Queue& queue, Admission admission);
    /// Durable subscriptions of a topic that live on other shards. Refuses as publish().
    [[nodiscard]] protocol::Result<std::vector<std::shared_ptr<const Binding>>> bindings_elsewhere(
        const Route& route, const Message& message
    );
    /// Whether a topic can keep `message` as its publisher wants (P-QOS-08); true: room was set
    /// aside, which release_kept() gives back.
    [[nodiscard]] protocol::Result<bool> reserve_kept(const Route& route, const Message& message);

    void release_kept(std::size_t messages) {
        for (; messages != 0; --messages) {
            retained_.release();
        }
    }

    /// publish() to a topic or reply address but for bindings_elsewhere().
    void publish_committed(const Route& route, const MessageRef& message);
    /// A copy for a durable subscription that lives here.
    void push_bound(const Binding& binding, const MessageRef& message);

    // What a SEND asks beyond being routed (destinations_asked.cpp).

    [[nodiscard]] Schedule& schedule() { return *schedule_; }

    [[nodiscard]] Duplicates& duplicates() { return duplicates_; }

    /// Private to a connection.
    [[nodiscard]] static bool is_temporary(const Route& route);
    /// The canonical name; of temporary destinations one that connections do not share.
    [[nodiscard]] static std::string name_of(const Route& route, const Asked& asked);
    /// On the home shard: whether a store would keep `message` until it is due.
    [[nodiscard]] bool stores_delayed(const Route& route, const Message& message);
    /// Whether a store keeps what is published, or delayed, there.
    [[nodiscard]] bool stores(const Route& route, const Message& message);
    /// On the home shard: publish() of a delayed message that is due.
    [[nodiscard]] protocol::Result<Published> publish_due(
        const Route& route, const MessageRef& message
    );
    /// On the home shard: publish() of `message` in one piece with what this shard's batch of this
    /// turn holds, copies for durable subscriptions elsewhere included.
    [[nodiscard]] protocol::Result<Published> publish_linked(
        const Route& route, const MessageRef& message
    );
    /// The same content under a new id.
    [[nodiscard]] MessageRef renamed(const Message& message);

    [[nodiscard]] ExpiryWatch& expiry_watch() { return expiry_watch_; }

    /// not_allowed(), and counts it.
    [[nodiscard]] protocol::Error denied(Action action, const std::string& destination) const;

    /// A message under a new id. `is_utf8`: the body is known to be valid UTF-8.
    [[nodiscard]] MessageRef make_message(
        const SendHead& head, std::string_view body, bool is_utf8
    );

    /// The selector with this text, parsed once while anybody on this shard holds it. Refuses
    /// `bad-selector` (P-SEL-04).
    [[nodiscard]] protocol::Result<SelectorRef> selector(std::string_view text);

    /// Its policy keeps the messages of this topic (P-QOS-10).
    [[nodiscard]] bool keeps_history(const protocol::Destination& topic) const;
    /// History::read() of the topic (canonical) that lives on `home`; `answer` runs on this shard.
    void read_history(
        unsigned home, const std::string& topic, std::uint64_t from, History::Answer answer
    );

    /// The shard that the message comes from which is being given to subscriptions.
    [[nodiscard]] unsigned fanning_from() const { return fanning_from_; }

    /// Connects `subscription` to what `pattern` names. False: `done` is called later, else it was
    /// called. Call started() once the RECEIPT is queued: only then a queue delivers.
    void subscribe(Subscription& subscription, const protocol::Pattern& pattern, Done done);
    void unsubscribe(Subscription& subscription, const protocol::Pattern& pattern);
    /// Gives the place of `old` in a topic, or under a wildcard, to `subscription`.
    void replace(Subscription& old, Subscription& subscription, const protocol::Pattern& pattern);

    // The broker's own events (destinations_events.cpp).

    /// Somebody, on whichever shard, subscribes to `event`.
    [[nodiscard]] bool has_listeners(protocol::SystemEvent event) const {
        return listeners_[static_cast<std::size_t>(event)] != 0;
    }

    /// Gives `json` to those who subscribe to `event`. Not counted as published: no client sent it.
    void publish_event(protocol::SystemEvent event, std::string_view json);

    /// A part of what waits in queue `name`, as Queue::browse(); nothing if there is no such queue.
    /// `show` runs on this shard.
    void browse(
        const std::string& name,
        std::optional<Place> after,
        Queue::PageBounds bounds,
        Queue::Show show
    );

    /// Removes a durable subscription with its backlog (P-DUR-04), on any shard; `reply` is told
    /// when that is stored.
    void delete_durable(const DurableName& name, ReplyTo reply);

    /// The queue, or durable subscription, is there from now on, if it is at home here, until it
    /// is asked to go. Refuses `bad-header` if it is there and is another, and what limits forbid.
    /// With a trial it is only said, and noted there.
    [[nodiscard]] protocol::Result<Declared> declare(
        const std::string& name, const QueueArguments& arguments, DeclarationTrial* trial = nullptr
    );
    [[nodiscard]] protocol::Result<Declared> declare(
        const DurableName& name, DeclarationTrial* trial = nullptr
    );
    /// A queue that is at home here goes with its use again, whatever declare() said.
    void undeclare(const std::string& name);
    /// Removes a queue that is at home here, with what is in it; whoever consumes from it is
    /// refused.
    void delete_queue(const std::string& name);
    /// Removes a durable subscription at home here, if it is there.
    void delete_durable(const std::string& canonical);
    /// The durable and shared subscriptions at home here of this user and name, whatever their
    /// client, destination and kind.
    [[nodiscard]] std::vector<DurableName> durables_named(
        std::string_view user, std::string_view name
    ) const;

    /// Removes an exclusive queue whose owner leaves, on any shard.
    void delete_exclusive(const std::string& name, std::uint64_t owner);

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
    /// Durable if `store` is set.
    [[nodiscard]] std::shared_ptr<Queue> make_queue(
        std::string name, QueueSettings settings, std::unique_ptr<QueueStore> store = nullptr
    );
    /// What a queue gets that is no client's: of temporary destinations and subscriptions.
    [[nodiscard]] QueueSettings plain_settings() const;
    [[nodiscard]] std::shared_ptr<Topic> make_topic(
        const protocol::Destination& destination, bool is_literal
    );

    /// The object on its home shard (this one), made if new.
    [[nodiscard]] protocol::Result<std::shared_ptr<Queue>> local_queue(
        const std::string& name, const QueueArguments& arguments = {}, Asker asker = {}
    );
    [[nodiscard]] std::optional<protocol::Error> why_no_queue(
        const std::string& name, const QueueArguments& arguments, std::size_t count
    ) const;
    [[nodiscard]] std::shared_ptr<Topic> local_topic(const Route::Name& name);

    // What operators are shown (destinations_shown.cpp).

    /// What is at home here: a queue, or the backlog of a durable subscription; or null.
    [[nodiscard]] std::shared_ptr<Queue> find_queue(std::string_view name) const;
    /// What this shard knows of a topic; or null.
    [[nodiscard]] std::shared_ptr<Topic> find_topic(std::string_view name) const;

    /// Either a queue or a topic. Valid until the next change.
    struct Seen {
        std::string_view name;
        DestinationType type = DestinationType::queue;
        Queue* queue = nullptr;
        Topic* topic = nullptr;
        const DurableName* durable = nullptr;  ///< Of a durable subscription's backlog.
    };

    using Show = std::function<void(const Seen&)>;
    /// Shows what is here, topics whose home is elsewhere included, for about `most` of them.
    /// False: there are more; what came or went meanwhile may be shown or not. With `rounds`
    /// of the cursor raised, everything is shown once more.
    bool walk(DestinationCursor& cursor, std::size_t most, const Show& show) const;
    [[nodiscard]] DestinationNumbers numbers(const Seen& seen, const Ages& ages);
    /// The policy that decides about a queue or topic (canonical), or null.
    [[nodiscard]] const Policy* policy_of(const std::string& name) const;
    [[nodiscard]] ArrivalTimes arrival_times() const;

    [[nodiscard]] Instant started() const { return started_; }

    /// Those of this shard, at most so many.
    [[nodiscard]] std::vector<ConsumerFigures> subscribers_of(Topic& topic, std::size_t most);
    /// Rates are worth looking at for the next 10 s.
    void watch();

    [[nodiscard]] std::size_t queue_count() const {
        shard_.assert_current();
        return queues_.size();
    }

    /// What the queues here hold, those of durable subscriptions included, by Policy::number. Time
    /// linear in the queues.
    void survey(std::vector<QueueFigures>& by_policy);

    /// visit(const Queue&) for each queue that lives here, but those of durable subscriptions.
    template <class F>
    void for_each_queue(F visit) const {
        shard_.assert_current();
        for (const auto& [name, queue] : queues_) {
            visit(std::as_const(*queue));
        }
    }

    /// visit(const DurableName&, const Queue&) for each durable or shared subscription that lives
    /// here.
    template <class F>
    void for_each_durable(F visit) const {
        shard_.assert_current();
        for (const auto& [key, durable] : durables_) {
            visit(durable.name, std::as_const(*durable.queue));
        }
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

    struct Durable {
        DurableName name;
        std::shared_ptr<Queue> queue;
        std::shared_ptr<const Binding> binding;
        PrincipalRef owner = {};  ///< Who attached last; null: nobody since the start.
        bool is_revoked = false;  ///< Its owner may not read: it is not bound (S-ACL-11).
    };

    struct Attachment;

    /// Of a new message, written to `id`.
    [[nodiscard]] std::string_view next_id(std::array<char, 40>& id);
    [[nodiscard]] QueueStore::Options store_options(const QueueSettings& settings) const;
    [[nodiscard]] const Policy* policy_of(const protocol::Destination& destination) const;
    const std::shared_ptr<Queue>& add_queue(
        const std::string& name, const QueueArguments& arguments, std::uint64_t owner = 0
    );
    [[nodiscard]] protocol::Result<Published> publish_here(
        const Route& route, const MessageRef& message
    );
    [[nodiscard]] protocol::Result<Published> publish_asked(
        const Route& route, const MessageRef& message
    );
    [[nodiscard]] Consumer make_consumer(Subscription& subscription);
    static void link_to(const std::weak_ptr<Subscription>& to, const QueueLink& link);
    void confirm(const ReplyTo& reply, const std::vector<unsigned>& homes);

    void subscribe_queue(Subscription& subscription, const std::string& name, Done done);
    [[nodiscard]] protocol::Result<std::shared_ptr<Queue>> queue_to_consume(
        const std::string& name, const QueueArguments& arguments, Asker asker
    );
    void remove(Queue& queue) override;
    void remove_queue(const std::string& name, const protocol::Error& error);

    // destinations_topics.cpp
    [[nodiscard]] protocol::Result<Published> publish_to_topic(
        const Route& route, const MessageRef& message
    );
    [[nodiscard]] bool copy_to_bindings(Topic& topic, const MessageRef& message, bool is_commit);
    void fan_out_from_home(
        Topic& topic, const std::shared_ptr<const Route::Name>& name, const MessageRef& message
    );
    void fan_out_here(const Route::Name& name, const MessageRef& message, unsigned from);
    void subscribe_topic(Subscription& subscription, const protocol::Pattern& pattern, Done done);
    void subscribe_wildcard(
        Subscription& subscription, const protocol::Pattern& pattern, Done done
    );
    void sweep_topics();

    // destinations_events.cpp
    void subscribe_event(
        Subscription& subscription,
        const protocol::Pattern& pattern,
        protocol::SystemEvent event,
        Done done
    );
    void unsubscribe_event(protocol::SystemEvent event);

    // destinations_dead.cpp
    void dead_letter(const Queue& origin, const Delivery& delivery, std::string_view reason)
        override;
    [[nodiscard]] std::optional<Route> dead_letter_route(
        const Queue& origin, const Message& message, std::string_view reason
    ) const;
    void bury(const Route& route, const MessageRef& letter, std::uint64_t transaction);

    // destinations_kept.cpp
    [[nodiscard]] std::shared_ptr<History> make_history(const protocol::Destination& topic);
    void show(const Route& route, const MessageRef& message, const MessageRef& copy);
    void begin_replay(
        Topic& topic,
        const Replay& replay,
        const std::weak_ptr<Subscription>& to,
        unsigned asking,
        Done done
    );
    void restore_history(const std::string& topic, const storage::RecoveredQueue& recovered);
    [[nodiscard]] protocol::Result<Published> publish_kept(
        const Route& route, const MessageRef& message
    );
    [[nodiscard]] std::optional<protocol::Error> keep_refusal(
        const Route& route, const Message& message
    );
    [[nodiscard]] static bool keeps(const Route& route);
    [[nodiscard]] MessageRef route_kept(const Route& route, const MessageRef& message);
    [[nodiscard]] bool keep(const Route& route, const MessageRef& message, bool is_commit);
    void bring_retained(const std::string& text, const std::shared_ptr<const Binding>& binding);

    // destinations_shown.cpp
    void sample(DestinationCursor cursor, std::chrono::milliseconds since);

    // destinations_durable.cpp
    void subscribe_durable(Subscription& subscription, Done done);
    void attach(std::shared_ptr<Attachment> attachment);
    static void finish(Attachment& attachment, bool has_failed);
    static void expel(const Queue& queue, const Session* spared, const protocol::Error& error);
    [[nodiscard]] QueueSettings settings_of(const DurableName& name) const;
    [[nodiscard]] SelectorRef selector_of(const DurableName& name);
    [[nodiscard]] bool remove_durable(const Queue& queue);
    [[nodiscard]] protocol::Result<Durable*> find_durable(
        const DurableName& name, bool may_create, bool& is_new
    );
    [[nodiscard]] std::optional<protocol::Error> why_no_durable(
        const std::string& user, std::size_t more
    ) const;
    Durable& add_durable(const DurableName& name, std::shared_ptr<Queue> queue);
    void restore_here(const storage::RecoveredQueue& recovered);
    void end_restoring();
    [[nodiscard]] std::vector<unsigned> topic_homes(const DurableName& name) const;
    void bind_here(const std::string& pattern, const std::shared_ptr<const Binding>& binding);
    void unbind_here(const std::string& pattern, const std::shared_ptr<const Binding>& binding);
    void bind_everywhere(const Durable& durable);
    void unbind_everywhere(const Durable& durable);
    [[nodiscard]] bool may_keep(const Durable& durable) const;
    void review(Durable& durable);
    void tell_revoked(const Durable& durable) const;
    void retire(Durable& durable);
    void sweep_queues();
    void schedule_sweep();

    // Constant after construction.
    Shard& shard_;
    TurnOutput& output_;
    const RouterSettings& settings_;
    std::vector<Destinations*> peers_;
    std::string id_prefix_;
    Journal journal_;

    // Lives on the shard.
    std::shared_ptr<const Authorizer> authorizer_;
    const Authenticator* authenticator_ = nullptr;
    std::vector<Session*> sessions_ GUARDED_BY(shard_);
    ByName<std::shared_ptr<Topic>> topics_ GUARDED_BY(shard_);
    ByName<std::shared_ptr<Queue>> queues_ GUARDED_BY(shard_);
    ByName<Route> reply_addresses_ GUARDED_BY(shard_);
    SubscriptionIndex index_ GUARDED_BY(shard_);
    ByName<Durable> durables_ GUARDED_BY(shard_);
    std::unordered_map<std::string, std::size_t> durables_of_;  ///< By user.
    /// Deleted queues that consumers are still attached to.
    std::vector<std::shared_ptr<Queue>> retired_;
    /// What the index points to.
    std::vector<std::shared_ptr<const Binding>> bound_;
    Retained retained_;
    std::size_t histories_ = 0;  ///< Topics that have one.
    unsigned fanning_from_ = 0;
    ByName<std::weak_ptr<const Selector>> selectors_ GUARDED_BY(shard_);
    std::size_t sweep_selectors_at_ = 1024;
    std::uint64_t last_message_ = 0;
    Arrivals arrivals_;
    Instant started_{0};
    Instant watched_until_{0};
    Instant sampled_at_{0};
    bool is_sampling_ = false;
    std::array<std::uint32_t, protocol::system_event_count> listeners_{};  ///< Of all shards.
    Duplicates duplicates_;
    std::unique_ptr<Schedule> schedule_;
    ExpiryWatch expiry_watch_;
    std::size_t restored_ = 0;  ///< Shards that have sent what they restored.
    std::size_t sweep_topics_at_ = 0;
    bool is_sweep_scheduled_ = false;
    std::vector<std::string> unused_queues_;  ///< At the last sweep.
    std::shared_ptr<char> alive_;             ///< Timers outlive nothing: they hold it weakly.
};

}  // namespace engine
