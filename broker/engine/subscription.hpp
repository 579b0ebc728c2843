// One subscription of one connection: addresses messages to it, within its window.
// Lives on the connection's shard. Bounded by its window and by the connection's outbound budget.
#pragma once

#include "broker/engine/backlog.hpp"
#include "broker/engine/feed.hpp"
#include "broker/engine/history.hpp"
#include "broker/engine/message.hpp"
#include "broker/engine/outbox.hpp"
#include "broker/engine/policy.hpp"
#include "broker/engine/queue.hpp"
#include "broker/engine/selector.hpp"
#include "broker/engine/settled.hpp"
#include "broker/engine/subscription_options.hpp"
#include "protocol/destination.hpp"
#include "protocol/version.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engine {

class Session;
class Topic;

/// Where a subscription's queue is. The queue lives at least as long as the consumer is attached to
/// it.
class QueueLink {
public:
    QueueLink() = default;

    QueueLink(Shard& home, Queue& queue, Consumer& consumer)
        : home_(&home), queue_(&queue), consumer_(&consumer) {}

    [[nodiscard]] bool is_set() const { return queue_ != nullptr; }

    [[nodiscard]] bool is_to(const Queue* queue) const { return queue_ == queue; }

    /// The queue's shard.
    [[nodiscard]] unsigned home() const { return home_->index(); }

    /// Runs work(Queue&, Consumer&) on the queue's shard: at once if that is the current one.
    template <class F>
    void post(F work) const {
        if (home_->is_current()) { return work(*queue_, *consumer_); }
        home_->post(bind(std::move(work)));
    }

    /// What post() does, for whoever runs it on the queue's shard.
    template <class F>
    [[nodiscard]] Work bind(F work) const {
        return [queue = queue_, consumer = consumer_, work = std::move(work)]() mutable {
            work(*queue, *consumer);
        };
    }

private:
    Shard* home_ = nullptr;
    Queue* queue_ = nullptr;  ///< Not looked into on other shards.
    Consumer* consumer_ = nullptr;
};

/// Work for the home shards of queues, by home: what a COMMIT does there in one piece (P-TX-04).
using GatheredWork = std::map<unsigned, std::vector<Work>>;

class Subscription : public std::enable_shared_from_this<Subscription> {
public:
    /// `id` is empty only in 1.0, where MESSAGE then has no `subscription`.
    Subscription(
        Session& session, std::string id, std::string destination, SubscriptionOptions options
    );

    [[nodiscard]] const std::string& id() const { return id_; }

    /// As the SUBSCRIBE wrote it.
    [[nodiscard]] const std::string& destination() const { return destination_; }

    [[nodiscard]] const SubscriptionOptions& options() const { return options_; }

    [[nodiscard]] Session& session() const { return session_; }

    [[nodiscard]] Outbox& outbox() const { return outbox_; }

    [[nodiscard]] Framing framing() const { return outbox_.framing(); }

    [[nodiscard]] protocol::Version version() const { return version_; }

    /// `MESSAGE` LF and the `subscription` line.
    [[nodiscard]] const std::string& prefix() const { return prefix_; }

    /// Its frames are the same octets as those of others with the same prefix.
    [[nodiscard]] bool is_shareable() const {
        return options_.ack == protocol::AckMode::automatic && options_.sequence_header.empty();
    }

    /// Which messages it wants (section 16); null: all. Set before it is subscribed.
    [[nodiscard]] const SelectorRef& selector() const { return selector_; }

    void set_selector(SelectorRef selector) { selector_ = std::move(selector); }

    /// Asked for each destination that a wildcard matches; null: all of them are allowed
    /// (S-ACL-06). Takes effect at topics once they are asked anew.
    void set_access(AccessRef access);

    [[nodiscard]] const AccessRef& access() const { return access_; }

    [[nodiscard]] bool may_read(const protocol::Destination& destination) const {
        return !access_ || access_->allows(Action::subscribe, destination);
    }

    /// `message` was published on its connection (`no-local`).
    [[nodiscard]] bool has_sent(const Message& message) const {
        return message.publisher() == publisher_;
    }

    /// It would get `message` from a topic.
    [[nodiscard]] bool wants(const Message& message) const;

    [[nodiscard]] bool is_open() const { return is_open_; }

    /// Messages of topics go straight to it: it is open, and nothing comes before them.
    [[nodiscard]] bool is_live() const { return is_live_; }

    /// Deliveries in client modes that are neither settled nor taken into a transaction.
    [[nodiscard]] std::size_t outstanding() const { return outstanding_; }

    // For operators.

    /// MESSAGE frames encoded for it.
    [[nodiscard]] std::uint64_t delivered() const { return delivered_; }

    /// One of them was encoded, by whoever encodes it for several at once.
    void count_delivered() {
        ++delivered_;
        outbox_.count_message();
    }

    /// Messages that it did not get because of the slow-consumer policy.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

    /// Octets that wait to be encoded.
    [[nodiscard]] std::size_t waiting_bytes() const {
        return outbox_.waiting_bytes(*this) + (backlog_ ? backlog_->bytes() : 0);
    }

    /// A message of a topic (stop 6 of 7): encoded now, held back, or treated by `policy`.
    void publish(const MessageRef& message, const SlowConsumerPolicy& policy);
    // Before it is open: what it gets before the messages that come from then on (P-QOS-09).

    /// Of a wildcard: all `shards` will answer.
    void gather(unsigned shards);
    void gathered_from(unsigned shard, std::vector<MessageRef> retained);
    void begin_with(std::vector<MessageRef> retained);
    /// From `offset` on in the history of `topic` (canonical), which lives on `home` (P-QOS-12).
    void begin_at(std::string topic, unsigned home, std::uint64_t offset);
    /// Once it is open and its RECEIPT is queued.
    void begin();

    /// A message of a queue; handed back if the subscription cannot take it.
    void take(Delivery delivery);
    /// Encodes what waited in the outbox.
    void resume(Waiting waiting);

    /// Closes `old`, a topic subscription, and takes over what it has not sent, at once and in
    /// order. Deliveries that a NACK had put off are due now.
    void succeed(Subscription& old);

    /// The last sign that its consumer is at work, for the ack time (P-ACK-09); kept by the
    /// session.
    Instant last_settled{0};
    bool is_watched = false;
    std::size_t unsent = 0;  ///< Automatic deliveries encoded and not sent; kept by the session.
    /// Made by a `reply-to` (P-TEMP-02): an explicit SUBSCRIBE replaces it.
    bool is_implicit = false;
    /// Its user may make the queue or durable subscription that it names.
    bool may_create = true;

    void set_queue(QueueLink link) { queue_ = link; }

    [[nodiscard]] const QueueLink& queue() const { return queue_; }

    /// Messages may come from now on, unless it was closed meanwhile; answers whether they may.
    bool open() {
        is_open_ = !is_closed_;
        return is_open_;
    }

    [[nodiscard]] bool is_closed() const { return is_closed_; }

    /// No further messages; those that wait already are still sent.
    void stop();
    /// No further messages. Waiting ones of a queue are withheld until return_withheld(), so that
    /// older deliveries can go back first; topics' are dropped.
    void close();

    void return_withheld() { give_back({}, {}); }

    /// Nothing is left to be settled or returned, but for what transactions have taken.
    [[nodiscard]] bool is_settled() const {
        return outstanding_ == 0 && unsent == 0 && withheld_.empty();
    }

    /// The connection's output has drained: the queue may deliver again, the backlog be sent.
    void unblock();

    /// Shows what waits in queue `name` (canonical), then the end mark, as far as the output takes
    /// it (P-SUB-12). Once it is open.
    void browse(std::string name);

    // Called by the session as deliveries are settled; `bytes` is the sum of the messages' sizes.
    // What is `gathered` was taken by a transaction before, and its queue is told by the caller.

    void settled_automatically(Settled settled);
    void acknowledged(Settled settled, GatheredWork* gathered = nullptr);
    void taken(std::size_t messages, std::size_t bytes);
    void untaken(std::size_t messages, std::size_t bytes);
    void returned(
        std::vector<Delivery> deliveries, Return how, std::int64_t delay_ms, GatheredWork* gathered
    );
    /// Deliveries go back that the client will not settle, all at once: `counted` ones were made,
    /// `unseen` ones never left. What is withheld goes with them.
    void give_back(std::vector<Delivery> counted, std::vector<Delivery> unseen);
    /// Takes deliveries off the window.
    void outstanding_no_more(const std::vector<Delivery>& deliveries);
    /// Removes what waits in the outbox and is not settled, outstanding no more.
    [[nodiscard]] std::vector<Delivery> withdraw_waiting();
    /// The time of the deliveries that were delayed first has passed.
    void delay_is_over();
    /// Last call: the queue forgets this consumer.
    void detach();

private:
    void publish_early(const MessageRef& message, const SlowConsumerPolicy& policy);
    void publish_now(const MessageRef& message);
    void hold(const MessageRef& message);
    [[nodiscard]] MessageRef take_fed();
    [[nodiscard]] bool may_feed(std::size_t size);
    [[nodiscard]] bool has_fed();
    void take_past(History::Chunk chunk);
    void feed_on();
    void drop_feed();
    void browse_on();
    void show(const Queue::Page& page);
    void send_copy(const MessageRef& message);
    void send(Delivery delivery);
    void expire(Waiting waiting);
    void drop_expired();
    void encode(const MessageRef& message, std::uint32_t count, std::uint64_t number);
    void encode_plain(const MessageRef& message, std::uint32_t count, std::uint64_t number);
    void encoded(Delivery&& delivery, std::uint64_t number);
    void hand_back(Delivery delivery);
    [[nodiscard]] std::vector<Delivery> surrender();
    void publish_tracked(const MessageRef& message, const SlowConsumerPolicy& policy);
    [[nodiscard]] bool make_room(std::size_t size, const SlowConsumerPolicy& policy);
    [[nodiscard]] bool drop_oldest();
    void keep(Delivery delivery);
    void pump();
    [[nodiscard]] bool has_window(std::size_t size) const;
    void check_congestion();
    void discard_or_keep(std::vector<Delivery> deliveries, Return how);
    void put_off(std::vector<Delivery> deliveries, std::chrono::milliseconds delay);
    template <class F>
    void tell_queue(F work, GatheredWork* gathered);

    // Constant after construction.
    Session& session_;
    Outbox& outbox_;
    const std::string id_;
    const std::string destination_;
    const SubscriptionOptions options_;
    const protocol::Version version_;
    const std::uint64_t publisher_;
    std::string prefix_;
    SelectorRef selector_;
    AccessRef access_;

    // Lives on the shard.
    bool is_open_ = false;
    bool is_live_ = false;
    bool is_closed_ = false;
    bool is_blocking_ = false;  ///< The queue was told to hold back, or the backlog waits.
    std::uint64_t delivered_ = 0;
    std::uint64_t dropped_ = 0;
    QueueLink queue_;
    std::size_t outstanding_ = 0;
    std::size_t outstanding_bytes_ = 0;
    std::unique_ptr<Backlog> backlog_;  ///< Topic messages beyond the window, in client modes.
    /// Topic messages that a NACK keeps back, by the time when they are due.
    std::unique_ptr<std::multimap<Instant, Delivery>> put_off_;
    std::uint64_t last_sequence_ = 0;
    std::vector<Delivery> withheld_;

    struct Browsing {
        std::string queue;
        std::optional<Place> after = {};
        bool is_asking = false;
        bool is_done = false;
    };

    std::unique_ptr<Browsing> browsing_;
    std::unique_ptr<Feed> feed_;
    std::unique_ptr<Gathering> gathering_;
    bool is_feeding_ = false;
};

}  // namespace engine
