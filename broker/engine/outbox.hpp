// What one connection still has to send, in two bounded stages (architecture, section 6):
// encoded octets ahead of the socket, and behind them references to messages that wait.
// Lives on the connection's shard; never touches a socket: the transport takes octets out.
#pragma once

#include "broker/engine/block.hpp"
#include "broker/engine/counters.hpp"
#include "broker/engine/fifo.hpp"
#include "broker/engine/limits.hpp"
#include "broker/engine/message.hpp"
#include "broker/engine/shard.hpp"
#include "protocol/web_socket.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace engine {

class Outbox;
class Subscription;

/// How frames are wrapped: not at all, or one WebSocket message each (P-WS-11).
enum class Framing : std::uint8_t { stream, web_socket };

/// Now, as short as it fits into a message; never 0. It comes round after 71 minutes.
[[nodiscard]] std::uint32_t stamp_of(const Shard& shard);
/// Microseconds since `stamp`.
[[nodiscard]] std::uint64_t time_since(const Shard& shard, std::uint32_t stamp);

/// The output side of one shard: free blocks, and the outboxes to flush at the end of the turn.
struct TurnOutput {
    BlockPool pool;
    std::vector<Outbox*> dirty;
    std::uint64_t turn = 1;        ///< Counts turns; shared blocks are not continued across turns.
    std::size_t bytes = 0;         ///< Octets produced in this turn.
    std::vector<BlockRef> shared;  ///< Keeps the turn's shared blocks until its flush is over.
    Counters counters;
    bool times_message = true;  ///< The next message that is made is timed: one a turn.
    bool times_receipt = true;

    /// `message` was encoded for `receivers`, for the first time if `count` is 1.
    void count_delivered(
        const Shard& shard, const Message& message, std::uint32_t count, std::size_t receivers
    ) {
        counters.policies[message.facts().policy].delivered += receivers;
        if (message.stamp() != 0 && count == 1) [[unlikely]] {
            counters.delivery_time.observe(time_since(shard, message.stamp()), receivers);
        }
    }

    /// Ends the turn: after all dirty outboxes were flushed.
    void next_turn() {
        ++turn;
        times_message = times_receipt = true;
        counters.outbound_bytes += static_cast<std::int64_t>(bytes);
        bytes = 0;
        shared.clear();
    }
};

/// A message that waits for the socket, addressed to a subscription of this connection. `number` is
/// the connection's delivery number in client modes. Without a subscription it was withdrawn and is
/// skipped.
struct Waiting {
    Delivery delivery;
    Subscription* subscription = nullptr;
    std::uint64_t number = 0;
    bool is_from_queue = false;
};

/// A piece of output: octets of a block, or the body of a large message.
struct Segment {
    BlockRef block;
    MessageRef message;  ///< If set, the octets are its body and NUL.
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    [[nodiscard]] const char* data() const {
        return message ? message->body_with_nul().data() + begin : block->data() + begin;
    }

    [[nodiscard]] std::size_t size() const { return end - begin; }
};

class Outbox {
public:
    Outbox(TurnOutput& turn, const Limits& limits) : turn_(turn), limits_(limits) {}

    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    /// Whom the shard asks to flush: set once by the owner of the socket.
    void set_owner(void* owner) { owner_ = owner; }

    [[nodiscard]] void* owner() const { return owner_; }

    void set_framing(Framing framing) { framing_ = framing; }

    [[nodiscard]] Framing framing() const { return framing_; }

    /// Queues one control frame (CONNECTED, RECEIPT, ERROR): always taken, ahead of messages that
    /// wait.
    void push_control(std::string_view frame);
    /// Queues octets that are no STOMP frame: heart-beats, WebSocket control frames.
    void push_raw(std::string_view octets);

    /// True if a frame of `size` octets may be encoded now: nothing waits before it and it fits
    /// ahead of the socket.
    [[nodiscard]] bool can_encode(std::size_t size) const {
        return waiting_.empty() && (ahead_ + size <= limits_.outbound_ahead_max || ahead_ == 0);
    }

    [[nodiscard]] bool has_room() const { return ahead_ < limits_.outbound_ahead_max; }

    /// Room for `size` octets of this connection's own, to be filled by the caller at once.
    [[nodiscard]] char* extend(std::size_t size);
    /// Adds octets [begin, end) of a block that several connections share.
    void append_shared(Block& block, std::uint32_t begin, std::uint32_t end);
    /// Adds the body and NUL of a large message by reference.
    void append_body(const MessageRef& message);

    /// Parks a delivery behind the encoded octets.
    void wait(Waiting waiting);

    [[nodiscard]] bool is_waiting() const { return !waiting_.empty(); }

    /// Takes the oldest waiting delivery, or one without subscription if none is left.
    [[nodiscard]] Waiting take_waiting();

    /// The oldest one's size; something must be waiting.
    [[nodiscard]] std::size_t next_waiting_size() {
        return waiting_.front().delivery.message->size();
    }

    /// Withdraws everything that waits for `subscription` and returns it, in order.
    [[nodiscard]] std::vector<Waiting> withdraw(const Subscription& subscription);
    /// Withdraws the oldest delivery that waits for `subscription`; false if there is none.
    bool withdraw_oldest(const Subscription& subscription);
    /// Replaces the message of the delivery that waits for `subscription` and whose header `key`
    /// has the same value; false if there is none, or no budget for a larger one.
    bool conflate(
        const Subscription& subscription, std::string_view key, const MessageRef& message
    );
    /// Removes and returns everything that waits, in order.
    [[nodiscard]] std::vector<Waiting> withdraw_all();

    /// Counts octets that a subscription keeps for this connection outside the outbox (backlogs).
    void charge(std::int64_t octets) {
        charged_ += octets;
        turn_.counters.outbound_bytes += octets;
    }

    /// Octets encoded and waiting, for the budget.
    [[nodiscard]] std::size_t pending() const {
        return ahead_ + waiting_bytes_ + static_cast<std::size_t>(charged_);
    }

    /// Of these, what only the socket can lessen.
    [[nodiscard]] std::size_t queued() const { return ahead_ + waiting_bytes_; }

    [[nodiscard]] bool is_congested() const {
        return pending() >= limits_.outbound_bytes_max / 4 * 3;
    }

    /// Whether `size` more octets of a topic are beyond the budget (P-LIM-03). What queues have put
    /// here does not count: they hold back by themselves, but what is on its way from other shards
    /// comes all the same.
    [[nodiscard]] bool is_over_budget(std::size_t size) const {
        return pending() - waiting_from_queues_ + size > limits_.outbound_bytes_max;
    }

    // For the transport.

    [[nodiscard]] std::size_t ahead() const { return ahead_; }

    [[nodiscard]] bool is_empty() const { return ahead_ == 0 && waiting_.empty(); }

    /// The encoded pieces, oldest first. Valid until the next change.
    [[nodiscard]] std::span<const Segment> segments() const {
        return {segments_.data() + first_, segments_.size() - first_};
    }

    /// The first `octets` were handed to the operating system.
    void sent(std::size_t octets);

    /// All octets ever encoded, and all ever sent: a delivery is out when sent_total() has passed
    /// the encoded_total() at its end.
    [[nodiscard]] std::uint64_t encoded_total() const { return sent_total_ + ahead_; }

    [[nodiscard]] std::uint64_t sent_total() const { return sent_total_; }

    /// MESSAGE frames ever encoded; counted by those who encode them.
    [[nodiscard]] std::uint64_t messages_total() const { return messages_total_; }

    void count_message() { ++messages_total_; }

    /// Octets of what waits for `subscription`. Time linear in what waits for all.
    [[nodiscard]] std::size_t waiting_bytes(const Subscription& subscription) const;

    void mark_dirty() {
        if (is_dirty_) { return; }
        is_dirty_ = true;
        turn_.dirty.push_back(this);
    }

    void clear_dirty() { is_dirty_ = false; }

    /// Gives back memory kept for a busy connection.
    void idle();

    [[nodiscard]] TurnOutput& turn() const { return turn_; }

    [[nodiscard]] const Limits& limits() const { return limits_; }

private:
    [[nodiscard]] bool fits_last(std::size_t size) const;
    bool enlarge_last(std::size_t size);
    void add_waiting(std::int64_t octets);
    void count_out(const Waiting& waiting);
    void skip_withdrawn();
    Waiting withdraw_at(std::size_t index);

    void added(std::size_t size) {
        ahead_ += size;
        turn_.bytes += size;
        mark_dirty();
    }

    // Constant after construction.
    TurnOutput& turn_;
    const Limits& limits_;
    void* owner_ = nullptr;
    Framing framing_ = Framing::stream;

    // Lives on the shard.
    bool is_dirty_ = false;
    std::vector<Segment> segments_;
    std::size_t first_ = 0;
    std::size_t ahead_ = 0;
    std::uint64_t sent_total_ = 0;
    std::uint64_t messages_total_ = 0;
    Fifo<Waiting> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::size_t waiting_from_queues_ = 0;  ///< Octets among them.
    std::int64_t charged_ = 0;
};

inline void Outbox::append_shared(Block& block, std::uint32_t begin, std::uint32_t end) {
    if (!segments_.empty() && segments_.back().block.get() == &block &&
        segments_.back().end == begin) {
        segments_.back().end = end;
    } else {
        segments_.push_back({BlockRef(&block), nullptr, begin, end});
    }
    added(end - begin);
}

}  // namespace engine
