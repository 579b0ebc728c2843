#include "broker/engine/queue.hpp"

#include "broker/engine/destinations.hpp"
#include "broker/engine/subscription.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace engine {

namespace {

constexpr std::string_view dead_letter_prefix = "/queue/DLQ.";

}  // namespace

Queue::Queue(
    Shard& shard,
    std::string name,
    QueueSettings settings,
    Counters& counters,
    DeadLetter dead_letter,
    std::unique_ptr<QueueStore> store
)
    : shard_(shard),
      name_(std::move(name)),
      settings_(std::move(settings)),
      counters_(counters),
      dead_letter_(std::move(dead_letter)),
      store_(std::move(store)),
      origin_(name_),
      messages_(store_ ? store_->waiting() : 0),
      bytes_(store_ ? store_->page_bytes() : 0) {}

Queue::~Queue() = default;

bool Queue::is_dead_letter_queue() const {
    return name_.starts_with(dead_letter_prefix);
}

// What the store holds is bounded by the disk, all else by the queue's limits.
Admission Queue::admits(const Message& message) const {
    if (stores(message)) {
        if (store_->journal().accepts_appends()) { return Admission::accepted; }
        return store_->journal().has_failed() ? Admission::storage_failed : Admission::disk_full;
    }
    const bool has_room = unstored_ < settings_.messages_max &&
                          unstored_bytes_ + message.size() <= settings_.bytes_max;
    return has_room ? Admission::accepted : Admission::queue_full;
}

void Queue::count_in(const Message& message) {
    ++messages_;
    bytes_ += message.size();
    if (stores(message)) { return; }
    ++unstored_;
    unstored_bytes_ += message.size();
}

// `stored` messages of `size` octets are among them.
void Queue::count_out(
    std::size_t messages, std::size_t bytes, std::size_t stored, std::size_t size
) {
    assert(messages_ >= messages && bytes_ >= bytes);
    assert(unstored_ >= messages - stored && unstored_bytes_ >= bytes - size);
    messages_ -= messages;
    bytes_ -= bytes;
    unstored_ -= messages - stored;
    unstored_bytes_ -= bytes - size;
}

// SEND path, stop 5 of 7 (queues).
Admission Queue::push(const MessageRef& message) {
    shard_.assert_current();
    if (is_dropped_) { return Admission::accepted; }
    if (const Admission admission = admits(*message); admission != Admission::accepted) {
        return admission;
    }
    accept(message);
    return Admission::accepted;
}

Admission Queue::push_admitted(const MessageRef& message) {
    shard_.assert_current();
    const Admission admission = admits(*message);
    const bool is_accepted = admission == Admission::accepted || admission == Admission::disk_full;
    if (is_accepted && !is_dropped_) { accept(message); }
    return is_accepted ? Admission::accepted : admission;
}

void Queue::accept(const MessageRef& message) {
    shard_.assert_current();
    count_in(*message);
    if (!store_ && backlog_.empty() && !is_dispatching_) {
        // The usual case: a consumer is waiting, and the message never enters the backlog.
        if (Consumer* const consumer = next_ready(message->size())) {
            is_dispatching_ = true;
            deliver(*consumer, {message, ++last_sequence_, 0});
            is_dispatching_ = false;
            if (!backlog_.empty()) { dispatch(); }
            return;
        }
    }
    enqueue(message);
    dispatch();
}

void Queue::enqueue(const MessageRef& message) {
    shard_.assert_current();
    if (!store_) { return backlog_.push({message, ++last_sequence_, 0}); }
    const bool is_stored = message->is_persistent();
    const std::uint64_t sequence =
        is_stored ? store_->append(message, !consumers_.empty()) : store_->next_unstored();
    store_->keep({message, sequence, 0, is_stored}, backlog_);
    await_store();
}

// Asks, once a turn, to be told when the turn's changes are stored.
void Queue::await_store() {
    if (!store_->wants_notice()) { return; }
    store_->journal().when_stored([weak = weak_from_this()] {
        if (const auto self = weak.lock()) { self->note_stored(); }
    });
}

void Queue::note_stored() {
    store_->note_stored();
    dispatch();
}

Admission Queue::reserve(const Message& message) {
    shard_.assert_current();
    const Admission admission = admits(message);
    if (admission == Admission::accepted) { count_in(message); }
    return admission;
}

void Queue::cancel_reservation(const std::vector<MessageRef>& messages) {
    for (const MessageRef& message : messages) {
        const bool is_stored = stores(*message);
        const std::size_t size = message->size();
        count_out(1, size, is_stored ? 1 : 0, is_stored ? size : 0);
    }
}

void Queue::push_reserved(const std::vector<MessageRef>& messages) {
    shard_.assert_current();
    if (is_dropped_) { return; }
    for (const MessageRef& message : messages) {
        enqueue(message);
    }
    dispatch();
}

void Queue::drop() {
    is_dropped_ = true;
    if (store_) { store_->drop(); }
}

void Queue::define() {
    if (store_) { store_->define(); }
}

void Queue::prepare_stop() {
    if (store_) { store_->lower_bound(); }
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

void Queue::acknowledged(const Settled& settled) {
    shard_.assert_current();
    std::size_t stored = 0;
    std::size_t size = 0;
    for (const StoredRange& range : settled.stored) {
        stored += range.messages.last - range.messages.first + 1;
        size += range.bytes;
    }
    count_out(settled.messages, settled.bytes, stored, size);
    if (store_) { store_->remove(settled); }
}

void Queue::leave(const Delivery& delivery) {
    const std::size_t size = delivery.message->size();
    count_out(1, size, delivery.is_stored ? 1 : 0, delivery.is_stored ? size : 0);
    if (store_) { store_->remove(delivery); }
}

void Queue::give_back(std::vector<Delivery> deliveries, Return how) {
    shard_.assert_current();
    for (Delivery& delivery : deliveries) {
        take_back(std::move(delivery), how);
    }
}

bool Queue::is_over_limit(const Delivery& delivery) const {
    return delivery.count >= settings_.delivery_limit && !is_dead_letter_queue();
}

void Queue::take_back(Delivery delivery, Return how) {
    if (how == Return::unseen) {
        --delivery.count;
    } else {
        const bool is_over = is_over_limit(delivery);
        if (how == Return::rejected || is_over) {
            leave(delivery);
            return dead_letter_(*this, delivery, is_over ? "delivery-limit" : "rejected");
        }
        if (store_) { store_->set_deliveries(delivery); }
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
    if (is_dispatching_ || is_dropped_) { return; }
    is_dispatching_ = true;
    while (!backlog_.empty()) {
        const Delivery& front = backlog_.front();
        if (front.sequence >= fence()) { break; }
        Consumer* const consumer = next_ready(front.message->size());
        if (consumer == nullptr) { break; }
        deliver(*consumer, backlog_.pop());
    }
    if (store_) { turn_page(); }
    is_dispatching_ = false;
}

// What the store may have to do before more can be delivered.
void Queue::turn_page() {
    shard_.assert_current();
    if (consumers_.empty()) { return; }
    if (!backlog_.empty() && backlog_.front().sequence >= fence()) {
        store_->allow_dispatch(backlog_.front().sequence);
    }
    if (store_->wants_page(backlog_)) {
        store_->journal().read(
            store_->page_request(),
            [weak = weak_from_this()](const storage::ReadResult& result) {
                const auto self = weak.lock();
                if (!self) { return; }
                self->shard_.assert_current();
                self->counters_.messages_damaged += self->store_->take_page(result, self->backlog_);
                self->dispatch();
            }
        );
    }
    await_store();
}

void Queue::deliver(Consumer& consumer, Delivery delivery) {
    ++consumer.unsettled;
    consumer.unsettled_bytes += delivery.message->size();
    refresh(consumer);
    ++delivery.count;
    if (delivery.count > 1) { ++counters_.messages_redelivered; }
    if (store_) { store_->note_dispatch(delivery.sequence); }
    if (consumer.local != nullptr) { return consumer.local->take(std::move(delivery)); }
    consumer.remote_router->shard().post([router = consumer.remote_router,
                                          to = consumer.remote,
                                          queue = weak_from_this(),
                                          delivery = std::move(delivery)]() mutable {
        router->deliver(to, std::move(queue), std::move(delivery));
    });
}

}  // namespace engine
