// A queue: each message goes to one of the competing consumers, in order, until one acknowledges
// it. Lives on its home shard; consumers on other shards are reached through Remote. Bounded by
// its settings (messages and octets, those in flight included); what a store holds, by the disk.
#pragma once

#include "broker/engine/backlog.hpp"
#include "broker/engine/consumer.hpp"
#include "broker/engine/counters.hpp"
#include "broker/engine/dispatcher.hpp"
#include "broker/engine/expiries.hpp"
#include "broker/engine/meter.hpp"
#include "broker/engine/queue_settings.hpp"
#include "broker/engine/queue_store.hpp"
#include "broker/engine/settled.hpp"
#include "broker/engine/shard.hpp"
#include "broker/engine/waiting_age.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace engine {

class Destinations;
class Session;
class Subscription;

/// What becomes of a delivery that comes back.
enum class Return : std::uint8_t {
    unseen,    ///< It never reached the operating system: the delivery does not count (P-ACK-08).
    requeue,   ///< Redeliver; dead-letter once the delivery limit is reached (P-ACK-10).
    rejected,  ///< Dead-letter now (P-ACK-06).
};

/// Whether a queue takes a message (P-SEND-08).
enum class Admission : std::uint8_t { accepted, queue_full, disk_full, storage_failed };

class Queue : public std::enable_shared_from_this<Queue>, private Backlog::Listener {
public:
    /// What a queue asks of its router.
    class Host {
    public:
        virtual ~Host() = default;
        /// A message's life in `origin` has ended, for `reason`; the queue has let go of it.
        virtual void dead_letter(
            const Queue& origin, const Delivery& delivery, std::string_view reason
        ) = 0;
        /// Nobody needs it any more (auto-delete, idle life). Not called from within a dispatch.
        virtual void remove(Queue& queue) = 0;
    };

    /// Durable if `store` is set, and then with what that found when it was recovered.
    Queue(
        Shard& shard,
        std::string name,
        QueueSettings settings,
        Counters& counters,
        Host& host,
        std::unique_ptr<QueueStore> store = nullptr
    );
    ~Queue() override;

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

    /// For one that came into being with its use: from now on it is kept with `arguments`, which
    /// agree with its settings.
    void declare(const QueueArguments& arguments);

    /// Of an exclusive queue: Session::number() of its owner.
    [[nodiscard]] std::uint64_t owner() const { return owner_; }

    void set_owner(std::uint64_t session) { owner_ = session; }

    /// Stored by the journal once this returns, if queue and message are durable.
    [[nodiscard]] bool stores(const Message& message) const {
        return store_ != nullptr && message.is_persistent();
    }

    /// If it is full: by messages, not by octets.
    [[nodiscard]] bool has_all_messages() const;
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

    /// It is full, and its publishers are to wait (Overflow::block).
    [[nodiscard]] bool wants_to_block() const {
        return settings_.overflow == Overflow::block && is_over_bounds() && !is_dropped_;
    }

    /// Tells `publisher`, by Session::unblock(), once there is room again.
    void block(Remote<Session> publisher) { blocked_.push_back(std::move(publisher)); }

    /// The store forgets it and what is in it: it takes and delivers nothing more. Whoever holds
    /// deliveries may still settle them.
    void drop();

    [[nodiscard]] bool is_dropped() const { return is_dropped_; }

    /// Stores that the queue is there, before its first message.
    void define();
    /// Finds out when the messages that the last run left expire. Once, after construction.
    void scan_expiries();

    /// Reads what the last run left, if it has to be in memory. Once, after construction.
    void load() { dispatch(); }

    /// Its idle life counts from now on. Once, after construction.
    void watch_idleness();
    /// Before a clean stop (D-RUN-03).
    void prepare_stop();

    /// A new consumer; dispatch begins with the next call of dispatch().
    Consumer& attach(Consumer consumer);
    /// No further deliveries. What is unsettled stays with the subscription.
    void close(Consumer& consumer);
    /// Forgets the consumer; everything it held must have been settled or given back.
    void detach(Consumer& consumer);
    void set_access(Consumer& consumer, AccessRef access);
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

    /// A message that waits, and where; `delivery.count` is how often it was delivered.
    struct Shown {
        Delivery delivery;
        Place place;
    };

    /// A part of what waits, for a browser (P-SUB-12): messages behind `after`, in order.
    struct Page {
        std::vector<Shown> messages;
        Place next;  ///< The last one looked at.
        bool is_end = false;
    };

    using Show = std::function<void(Page)>;

    /// How much one page may hold; at least one message.
    struct PageBounds {
        std::size_t bytes = 0;
        std::size_t messages = 256;
    };

    /// Calls `show` with at least one message, unless it is the end; at once, or when the store has
    /// answered.
    void browse(std::optional<Place> after, PageBounds bounds, Show show);

    // What operators do (queue_removal.cpp); what consumers hold stays.

    /// Removes about `most` of the messages that wait, the oldest first; how many. Those that are
    /// on disk only go all at once.
    std::size_t purge(std::size_t most);
    /// Takes out a message that was shown: it is on its way elsewhere, until moved() or
    /// give_back(unseen). False: it does not wait any more.
    [[nodiscard]] bool take(const Shown& shown);
    /// What was taken out is elsewhere.
    void moved(const Settled& settled);

    /// Messages, those in flight included.
    [[nodiscard]] std::size_t depth() const { return messages_; }

    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    /// Octets of those among them that the store has, or is about to have.
    [[nodiscard]] std::size_t stored_bytes() const { return bytes_ - unstored_bytes_; }

    /// Octets of those among them that are in memory.
    [[nodiscard]] std::size_t resident_bytes() const {
        return bytes_ - std::min(bytes_, store_ ? store_->page_bytes() : 0);
    }

    [[nodiscard]] std::size_t waiting() const {
        shard_.assert_current();
        return backlog_.size() + (store_ ? store_->waiting() : 0);
    }

    /// Octets of waiting messages in memory.
    [[nodiscard]] std::size_t memory_bytes() const {
        shard_.assert_current();
        return backlog_.bytes();
    }

    /// Octets of all waiting messages.
    [[nodiscard]] std::size_t waiting_bytes() const {
        return memory_bytes() + (store_ ? store_->waiting_bytes() : 0);
    }

    /// With consumers, or to be delivered again after a while.
    [[nodiscard]] std::size_t unacked() const { return messages_ - std::min(messages_, waiting()); }

    /// The message that leaves next, if it is in memory.
    [[nodiscard]] MessageRef front() const;
    /// The message that leaves next is on disk, and was there when the broker started.
    [[nodiscard]] bool is_front_recovered() const;

    [[nodiscard]] const Meter& meter() const { return meter_; }

    void sample(std::chrono::milliseconds since) { meter_.sample(since); }

    [[nodiscard]] std::size_t consumers() const { return dispatcher_.consumers(); }

    /// Calls visit(const Consumer&) for each consumer that still gets messages.
    template <class F>
    void for_each_consumer(F visit) const {
        dispatcher_.for_each_consumer(visit);
    }

    /// How long the message that is next to be delivered has waited, as far as earlier calls tell.
    [[nodiscard]] Instant waiting_age();

    [[nodiscard]] bool is_unused() const {
        return messages_ == 0 && consumers() == 0 && delayed_ == 0;
    }

    [[nodiscard]] bool is_dead_letter_queue() const;

private:
    void joined(const Delivery& delivery, Place place) override;
    [[nodiscard]] bool is_over_bounds() const;
    [[nodiscard]] bool is_full_for(const Message& message) const;
    void accept(const MessageRef& message);
    [[nodiscard]] MessageRef stamped(const MessageRef& message) const;
    void enqueue(const MessageRef& message);
    void count_in(const Message& message);
    void count_out(std::size_t messages, std::size_t bytes, std::size_t stored, std::size_t size);
    void settle(const Settled& settled);
    void leave(const Delivery& delivery);
    void discard(const Delivery& delivery, std::string_view reason);
    void drop_heads();
    void let_publishers_go();
    void release_publishers();
    void await_store();
    void note_stored();
    void turn_page();
    void read_page();

    [[nodiscard]] std::uint64_t fence() const { return store_ ? store_->fence() : no_fence; }

    void take_in(const MessageRef& message);
    void let_wait(Delivery delivery);
    [[nodiscard]] Delivery take_from_backlog(Place place);
    void deliver(Consumer& consumer, Delivery delivery);
    void take_back(Delivery delivery, Return how);
    [[nodiscard]] bool is_over_limit(const Delivery& delivery) const;
    [[nodiscard]] std::chrono::milliseconds redelivery_delay(const Delivery& delivery) const;
    void drop_superseded();
    void consumer_left();

    // queue_expiry.cpp
    void note_expiry(const Delivery& delivery);
    void arm_expiry();
    void expire_due();
    void expire_on_disk(const Expiries::Entry& entry);
    void bury_from_disk(Place place, const storage::ReadResult& result);
    void leave_page(std::uint64_t sequence, std::size_t size);
    void scan_from(storage::Sequence from);

    // queue_browse.cpp
    void browse_memory(std::optional<Place> after, PageBounds bounds, const Show& show);
    void show_page(
        const storage::ReadResult& result,
        std::uint64_t from,
        storage::Sequence last,
        PageBounds bounds,
        const Show& show
    );

    static constexpr std::uint64_t no_fence = ~std::uint64_t{0};

    // Constant after construction.
    Shard& shard_;
    const std::string name_;
    const QueueSettings settings_;
    Counters& counters_;
    Host& host_;
    const std::unique_ptr<QueueStore> store_;
    std::string origin_;
    QueueArguments arguments_;
    std::uint64_t owner_ = 0;

    // Lives on the shard.
    Backlog backlog_ GUARDED_BY(shard_);
    Dispatcher dispatcher_;
    std::uint64_t last_sequence_ GUARDED_BY(shard_) = 0;  ///< Of a queue without store.
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    std::size_t unstored_ = 0;  ///< Among them: messages that only memory holds.
    std::size_t unstored_bytes_ = 0;
    std::size_t delayed_ = 0;
    Meter meter_;
    WaitingAge waiting_age_;
    bool is_dispatching_ = false;
    bool is_dropped_ = false;
    bool is_going_on_ = false;  ///< A further dispatch() is posted.
    Expiries expiries_;
    std::int64_t expiry_armed_ = 0;  ///< When the earliest timer is due; 0: none.
    std::unordered_map<std::string, Place> last_values_;  ///< The newest message of each value.
    std::vector<Place> superseded_;
    std::vector<Remote<Session>> blocked_;
    std::vector<std::function<void()>> when_loaded_;  ///< Browsers.
    bool is_idle_watched_ = false;
    Instant unused_since_{0};
};

}  // namespace engine
