// A queue: each message goes to one of the competing consumers, in order, until one acknowledges
// it. Lives on its home shard; consumers on other shards are reached through Remote. Bounded by
// its settings (messages and octets, those in flight included); what a store holds, by the disk.
#pragma once

#include "broker/engine/backlog.hpp"
#include "broker/engine/counters.hpp"
#include "broker/engine/queue_settings.hpp"
#include "broker/engine/queue_store.hpp"
#include "broker/engine/settled.hpp"
#include "broker/engine/shard.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace engine {

class Destinations;
class Session;
class Subscription;

/// How much one consumer may hold unsettled, and its rank.
struct ConsumerWindow {
    std::size_t messages = 256;
    std::size_t bytes = 4 * 1024 * 1024;
    int priority = 0;
};

/// What becomes of a delivery that comes back.
enum class Return : std::uint8_t {
    unseen,    ///< It never reached the operating system: the delivery does not count (P-ACK-08).
    requeue,   ///< Redeliver; dead-letter once the delivery limit is reached (P-ACK-10).
    rejected,  ///< Dead-letter now (P-ACK-06).
};

/// Whether a queue takes a message (P-SEND-08).
enum class Admission : std::uint8_t { accepted, queue_full, disk_full, storage_failed };

/// A queue's record of one consumer: a handle for the subscription, meaningful on the home shard
/// only.
struct Consumer {
    Subscription* local = nullptr;          ///< On the home shard: called directly.
    Destinations* remote_router = nullptr;  ///< Else: where to post deliveries to,
    std::weak_ptr<Subscription> remote;     ///< and for whom.
    Remote<Session> owner;                  ///< Of a durable subscription's consumer.
    const Session* owner_id = nullptr;      ///< To be compared, not looked into.
    std::string subscription_id;            ///< For what the owner is told.
    ConsumerWindow window;
    std::size_t unsettled = 0;
    std::size_t unsettled_bytes = 0;
    bool is_blocked = false;  ///< Its connection's output is congested.
    bool is_closed = false;   ///< Unsubscribed; stays until all is settled.
    bool is_ready = false;    ///< In the ring of those that may get the next message.
    std::list<Consumer*>::iterator ring_position;
};

class Queue : public std::enable_shared_from_this<Queue> {
public:
    /// Receives messages whose life in this queue ended, and why. The queue has let go of them.
    using DeadLetter =
        std::function<void(const Queue& origin, const Delivery&, std::string_view reason)>;

    /// Durable if `store` is set, and then with what that found when it was recovered.
    Queue(
        Shard& shard,
        std::string name,
        QueueSettings settings,
        Counters& counters,
        DeadLetter dead_letter,
        std::unique_ptr<QueueStore> store = nullptr
    );
    ~Queue();

    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] Shard& shard() const { return shard_; }

    [[nodiscard]] bool is_durable() const { return store_ != nullptr; }

    /// Where its dead letters come from: the queue's name, or a durable subscription's topic.
    [[nodiscard]] const std::string& origin() const { return origin_; }

    void set_origin(std::string name) { origin_ = std::move(name); }

    [[nodiscard]] const QueueSettings& settings() const { return settings_; }

    /// What it was made with (P-SUB-14).
    [[nodiscard]] const QueueArguments& arguments() const { return arguments_; }

    void set_arguments(QueueArguments arguments) { arguments_ = std::move(arguments); }

    /// Stored by the journal once this returns, if queue and message are durable.
    [[nodiscard]] bool stores(const Message& message) const {
        return store_ != nullptr && message.is_persistent();
    }

    /// Whether push() would take `message`.
    [[nodiscard]] Admission admits(const Message& message) const;
    /// Appends and dispatches, unless it is refused.
    [[nodiscard]] Admission push(const MessageRef& message);
    /// push() of a message that has left another queue, or that others have got already: not
    /// refused for want of disk.
    [[nodiscard]] Admission push_admitted(const MessageRef& message);
    /// Sets room aside for a transaction.
    [[nodiscard]] Admission reserve(const Message& message);
    void cancel_reservation(const std::vector<MessageRef>& messages);
    /// Appends messages that reserve() made room for, together, and dispatches.
    void push_reserved(const std::vector<MessageRef>& messages);

    /// The store forgets it and what is in it: it takes and delivers nothing more. Whoever holds
    /// deliveries may still settle them.
    void drop();

    [[nodiscard]] bool is_dropped() const { return is_dropped_; }

    /// Stores that the queue is there, before its first message.
    void define();
    /// Before a clean stop (D-RUN-03).
    void prepare_stop();

    /// A new consumer; dispatch begins with the next call of dispatch().
    Consumer& attach(Consumer consumer);
    /// No further deliveries. What is unsettled stays with the subscription.
    void close(Consumer& consumer);
    /// Forgets the consumer; everything it held must have been settled or given back.
    void detach(Consumer& consumer);
    void set_blocked(Consumer& consumer, bool blocked);

    /// The consumer's window has room again for `messages` (taken into a transaction, or settled).
    void release(Consumer& consumer, std::size_t messages, std::size_t bytes);
    /// The opposite: an ABORT made deliveries outstanding again.
    void charge(Consumer& consumer, std::size_t messages, std::size_t bytes);
    /// Messages that were acknowledged leave the queue. Call dispatch() afterwards.
    void acknowledged(const Settled& settled);
    /// Deliveries come back, in any order. Call dispatch() afterwards.
    void give_back(std::vector<Delivery> deliveries, Return how);
    /// As give_back(requeue), undeliverable for `delay`.
    void give_back_later(Delivery delivery, std::chrono::milliseconds delay);
    void dispatch();

    /// Messages, those in flight included.
    [[nodiscard]] std::size_t depth() const { return messages_; }

    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    [[nodiscard]] std::size_t waiting() const {
        shard_.assert_current();
        return backlog_.size() + (store_ ? store_->waiting() : 0);
    }

    /// Octets of waiting messages in memory.
    [[nodiscard]] std::size_t memory_bytes() const {
        shard_.assert_current();
        return backlog_.bytes();
    }

    [[nodiscard]] std::size_t consumers() const { return consumers_.size(); }

    /// Calls visit(const Consumer&) for each consumer that still gets messages.
    template <class F>
    void for_each_consumer(F visit) const {
        for (const auto& consumer : consumers_) {
            if (!consumer->is_closed) { visit(*consumer); }
        }
    }

    [[nodiscard]] bool is_unused() const {
        return messages_ == 0 && consumers_.empty() && delayed_ == 0;
    }

    [[nodiscard]] bool is_dead_letter_queue() const;

private:
    void accept(const MessageRef& message);
    void enqueue(const MessageRef& message);
    void count_in(const Message& message);
    void count_out(std::size_t messages, std::size_t bytes, std::size_t stored, std::size_t size);
    void leave(const Delivery& delivery);
    void await_store();
    void note_stored();
    void turn_page();

    [[nodiscard]] std::uint64_t fence() const { return store_ ? store_->fence() : no_fence; }

    [[nodiscard]] bool may_get(const Consumer& consumer, std::size_t size) const;
    void refresh(Consumer& consumer);
    void leave_ring(Consumer& consumer);
    Consumer* next_ready(std::size_t size);
    void deliver(Consumer& consumer, Delivery delivery);
    void take_back(Delivery delivery, Return how);
    [[nodiscard]] bool is_over_limit(const Delivery& delivery) const;

    static constexpr std::uint64_t no_fence = ~std::uint64_t{0};

    // Constant after construction.
    Shard& shard_;
    const std::string name_;
    const QueueSettings settings_;
    Counters& counters_;
    const DeadLetter dead_letter_;
    const std::unique_ptr<QueueStore> store_;
    std::string origin_;
    QueueArguments arguments_;

    // Lives on the shard.
    Backlog backlog_ GUARDED_BY(shard_);
    std::uint64_t last_sequence_ GUARDED_BY(shard_) = 0;  ///< Of a queue without store.
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    std::size_t unstored_ = 0;  ///< Among them: messages that only memory holds.
    std::size_t unstored_bytes_ = 0;
    std::size_t delayed_ = 0;
    std::list<std::unique_ptr<Consumer>> consumers_;
    /// Consumers with window and budget, in turn, by falling priority.
    std::map<int, std::list<Consumer*>, std::greater<>> ready_ GUARDED_BY(shard_);
    bool is_dispatching_ = false;
    bool is_dropped_ = false;
};

}  // namespace engine
