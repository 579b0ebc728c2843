#include "broker/engine/queue.hpp"

#include "broker/engine/destinations.hpp"
#include "broker/engine/subscription.hpp"

#include <algorithm>
#include <utility>

namespace engine {

namespace {

constexpr std::string_view dead_letter_prefix = "/queue/DLQ.";

}  // namespace

Queue::Queue(
    Shard& shard, std::string name, const Limits& limits, Counters& counters, DeadLetter dead_letter
)
    : shard_(shard),
      name_(std::move(name)),
      limits_(limits),
      counters_(counters),
      dead_letter_(std::move(dead_letter)) {}

Queue::~Queue() = default;

bool Queue::is_dead_letter_queue() const {
    return name_.starts_with(dead_letter_prefix);
}

bool Queue::has_room(std::size_t messages, std::size_t bytes) const {
    return messages_ + messages <= limits_.queue_messages_max &&
           bytes_ + bytes <= limits_.queue_bytes_max;
}

// SEND path, stop 5 of 7 (queues).
bool Queue::push(const MessageRef& message) {
    shard_.assert_current();
    if (!has_room(1, message->size())) { return false; }
    ++messages_;
    bytes_ += message->size();
    Delivery delivery{message, ++last_sequence_, 0};
    if (backlog_.empty() && !is_dispatching_) {
        // The usual case: a consumer is waiting, and the message never enters the backlog.
        if (Consumer* const consumer = next_ready(message->size())) {
            is_dispatching_ = true;
            deliver(*consumer, std::move(delivery));
            is_dispatching_ = false;
            if (!backlog_.empty()) { dispatch(); }
            return true;
        }
    }
    backlog_.push(std::move(delivery));
    dispatch();
    return true;
}

bool Queue::reserve(std::size_t messages, std::size_t bytes) {
    shard_.assert_current();
    if (!has_room(messages, bytes)) { return false; }
    messages_ += messages;
    bytes_ += bytes;
    return true;
}

void Queue::cancel_reservation(std::size_t messages, std::size_t bytes) {
    removed(messages, bytes);
}

void Queue::push_reserved(const std::vector<MessageRef>& messages) {
    shard_.assert_current();
    for (const MessageRef& message : messages) {
        backlog_.push({message, ++last_sequence_, 0});
    }
    dispatch();
}

Consumer& Queue::attach(Consumer consumer) {
    shard_.assert_current();
    consumers_.push_back(std::make_unique<Consumer>(std::move(consumer)));
    Consumer& attached = *consumers_.back();
    refresh(attached);
    return attached;
}

void Queue::close(Consumer& consumer) {
    shard_.assert_current();
    consumer.is_closed = true;
    refresh(consumer);
}

void Queue::detach(Consumer& consumer) {
    shard_.assert_current();
    leave_ring(consumer);
    std::erase_if(consumers_, [&](const auto& other) { return other.get() == &consumer; });
}

void Queue::set_blocked(Consumer& consumer, bool blocked) {
    shard_.assert_current();
    consumer.is_blocked = blocked;
    refresh(consumer);
    if (!blocked) { dispatch(); }
}

void Queue::release(Consumer& consumer, std::size_t messages, std::size_t bytes) {
    shard_.assert_current();
    assert(consumer.unsettled >= messages && consumer.unsettled_bytes >= bytes);
    consumer.unsettled -= messages;
    consumer.unsettled_bytes -= bytes;
    refresh(consumer);
}

void Queue::charge(Consumer& consumer, std::size_t messages, std::size_t bytes) {
    shard_.assert_current();
    consumer.unsettled += messages;
    consumer.unsettled_bytes += bytes;
    refresh(consumer);
}

void Queue::removed(std::size_t messages, std::size_t bytes) {
    assert(messages_ >= messages && bytes_ >= bytes);
    messages_ -= messages;
    bytes_ -= bytes;
}

void Queue::acknowledged(std::size_t messages, std::size_t bytes) {
    shard_.assert_current();
    removed(messages, bytes);
}

void Queue::give_back(std::vector<Delivery> deliveries, Return how) {
    shard_.assert_current();
    for (Delivery& delivery : deliveries) {
        take_back(std::move(delivery), how);
    }
}

bool Queue::is_over_limit(const Delivery& delivery) const {
    return delivery.count >= limits_.delivery_limit && !is_dead_letter_queue();
}

void Queue::take_back(Delivery delivery, Return how) {
    if (how == Return::unseen) {
        --delivery.count;
    } else {
        const bool is_over = is_over_limit(delivery);
        if (how == Return::rejected || is_over) {
            removed(1, delivery.message->size());
            dead_letter_(
                *this, delivery.message, is_over ? "delivery-limit" : "rejected", delivery.count
            );
            return;
        }
    }
    shard_.assert_current();
    backlog_.give_back(std::move(delivery));
}

void Queue::give_back_later(Delivery delivery, std::chrono::milliseconds delay) {
    shard_.assert_current();
    // The limit is reached now, not when the delay is over (P-ACK-10).
    if (is_over_limit(delivery)) { return take_back(std::move(delivery), Return::requeue); }
    ++delayed_;
    shard_.after(delay, [weak = weak_from_this(), delivery = std::move(delivery)]() mutable {
        const auto self = weak.lock();
        if (!self) { return; }
        --self->delayed_;
        std::vector<Delivery> one;
        one.push_back(std::move(delivery));
        self->give_back(std::move(one), Return::requeue);
        self->dispatch();
    });
}

bool Queue::may_get(const Consumer& consumer, std::size_t size) const {
    if (consumer.is_closed || consumer.is_blocked ||
        consumer.unsettled >= consumer.window.messages) {
        return false;
    }
    // One message larger than the window is sent alone (P-SUB-07).
    return consumer.unsettled == 0 || consumer.unsettled_bytes + size <= consumer.window.bytes;
}

void Queue::refresh(Consumer& consumer) {
    shard_.assert_current();
    const bool ready = may_get(consumer, 0);
    if (ready == consumer.is_ready) { return; }
    if (!ready) { return leave_ring(consumer); }
    std::list<Consumer*>& ring = ready_[consumer.window.priority];
    consumer.ring_position = ring.insert(ring.end(), &consumer);
    consumer.is_ready = true;
}

void Queue::leave_ring(Consumer& consumer) {
    shard_.assert_current();
    if (!consumer.is_ready) { return; }
    const auto ring = ready_.find(consumer.window.priority);
    ring->second.erase(consumer.ring_position);
    consumer.is_ready = false;
    if (ring->second.empty() && consumer.window.priority != 0) { ready_.erase(ring); }
}

// The consumer whose turn it is for a message of `size` octets: higher priority first, then in turn
// (P-SUB-09).
Consumer* Queue::next_ready(std::size_t size) {
    shard_.assert_current();
    for (auto& [priority, ring] : ready_) {
        for (std::size_t tries = ring.size(); tries > 0; --tries) {
            Consumer* const consumer = ring.front();
            ring.splice(ring.end(), ring, ring.begin());
            if (may_get(*consumer, size)) { return consumer; }
        }
    }
    return nullptr;
}

// Guarded against itself: a delivery may be settled, and the queue asked for more, before it
// returns.
void Queue::dispatch() {
    shard_.assert_current();
    if (is_dispatching_) { return; }
    is_dispatching_ = true;
    while (!backlog_.empty()) {
        Consumer* const consumer = next_ready(backlog_.front().message->size());
        if (consumer == nullptr) { break; }
        deliver(*consumer, backlog_.pop());
    }
    is_dispatching_ = false;
}

void Queue::deliver(Consumer& consumer, Delivery delivery) {
    ++consumer.unsettled;
    consumer.unsettled_bytes += delivery.message->size();
    refresh(consumer);
    ++delivery.count;
    if (delivery.count > 1) { ++counters_.messages_redelivered; }
    if (consumer.local != nullptr) { return consumer.local->take(std::move(delivery)); }
    consumer.remote_router->shard().post([router = consumer.remote_router,
                                          to = consumer.remote,
                                          queue = weak_from_this(),
                                          delivery = std::move(delivery)]() mutable {
        router->deliver(to, std::move(queue), std::move(delivery));
    });
}

}  // namespace engine
