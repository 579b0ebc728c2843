// A queue: each message goes to one of the competing consumers, in order, until one acknowledges
// it. Lives on its home shard; consumers on other shards are reached through Remote. Bounded by
// Limits (messages and octets, those in flight included).
#pragma once

#include "broker/engine/backlog.hpp"
#include "broker/engine/counters.hpp"
#include "broker/engine/limits.hpp"
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

/// A queue's record of one consumer: a handle for the subscription, meaningful on the home shard
/// only.
struct Consumer {
    Subscription* local = nullptr;          ///< On the home shard: called directly.
    Destinations* remote_router = nullptr;  ///< Else: where to post deliveries to,
    std::weak_ptr<Subscription> remote;     ///< and for whom.
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
    /// Receives messages whose life in this queue ended: `reason`, deliveries so far.
    using DeadLetter = std::function<
        void(const Queue& origin, const MessageRef&, std::string_view reason, std::uint32_t count)>;

    Queue(
        Shard& shard,
        std::string name,
        const Limits& limits,
        Counters& counters,
        DeadLetter dead_letter
    );
    ~Queue();

    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] Shard& shard() const { return shard_; }

    /// Appends and dispatches. False if the queue is full: the message was not taken (P-SEND-08).
    [[nodiscard]] bool push(const MessageRef& message);
    /// Sets room aside for a transaction; false if there is none.
    [[nodiscard]] bool reserve(std::size_t messages, std::size_t bytes);
    void cancel_reservation(std::size_t messages, std::size_t bytes);
    /// Appends messages that reserve() made room for, together, and dispatches.
    void push_reserved(const std::vector<MessageRef>& messages);

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
    void acknowledged(std::size_t messages, std::size_t bytes);
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
        return backlog_.size();
    }

    [[nodiscard]] std::size_t consumers() const { return consumers_.size(); }

    [[nodiscard]] bool is_unused() const {
        return messages_ == 0 && consumers_.empty() && delayed_ == 0;
    }

    [[nodiscard]] bool is_dead_letter_queue() const;

private:
    [[nodiscard]] bool has_room(std::size_t messages, std::size_t bytes) const;
    [[nodiscard]] bool may_get(const Consumer& consumer, std::size_t size) const;
    void refresh(Consumer& consumer);
    void leave_ring(Consumer& consumer);
    Consumer* next_ready(std::size_t size);
    void deliver(Consumer& consumer, Delivery delivery);
    void removed(std::size_t messages, std::size_t bytes);
    void take_back(Delivery delivery, Return how);
    [[nodiscard]] bool is_over_limit(const Delivery& delivery) const;

    // Constant after construction.
    Shard& shard_;
    const std::string name_;
    const Limits& limits_;
    Counters& counters_;
    const DeadLetter dead_letter_;

    // Lives on the shard.
    Backlog backlog_ GUARDED_BY(shard_);
    std::uint64_t last_sequence_ GUARDED_BY(shard_) = 0;
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    std::size_t delayed_ = 0;
    std::list<std::unique_ptr<Consumer>> consumers_;
    /// Consumers with window and budget, in turn, by falling priority.
    std::map<int, std::list<Consumer*>, std::greater<>> ready_ GUARDED_BY(shard_);
    bool is_dispatching_ = false;
};

}  // namespace engine
