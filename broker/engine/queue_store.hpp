// The stored side of a durable queue: the order of its messages, how far they are stored and may be
// delivered, and which part of them is on disk only. Lives on the queue's shard; what it keeps in
// memory is bounded by `memory_max` and, for messages that are not stored, by the queue.
#pragma once

#include "broker/engine/backlog.hpp"
#include "broker/engine/fifo.hpp"
#include "broker/engine/journal.hpp"
#include "broker/engine/settled.hpp"
#include "storage/message_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace engine {

class QueueStore {
public:
    struct Options {
        std::size_t memory_max = 8 * 1024 * 1024;  ///< Octets of waiting messages in memory.
        bool is_early = false;                     ///< Deliver before the sync (D-COM-04).
        bool is_reordered = false;                 ///< Nothing is delivered while some is on disk.
        std::uint16_t policy = 0;                  ///< Policy::number.
    };

    QueueStore(Journal& journal, storage::QueueDefinition definition, Options options);
    QueueStore(Journal& journal, const storage::RecoveredQueue& recovered, Options options);

    [[nodiscard]] Journal& journal() { return journal_; }

    [[nodiscard]] const storage::QueueDefinition& definition() const { return definition_; }

    /// Stores that the queue is there, if that was not done yet.
    void define();
    /// Writes the definition anew, with these attributes.
    void define(const std::string& attributes);
    /// The queue and its messages leave the store; nothing is stored for it any more.
    void drop();

    /// Stores `message` behind all others; its place. `is_served`: there are consumers.
    [[nodiscard]] std::uint64_t append(const MessageRef& message, bool is_served);
    /// The place of a message that is not stored, behind all others.
    [[nodiscard]] std::uint64_t next_unstored();
    void remove(const Settled& settled);
    void remove(const Delivery& delivery);
    /// The message is back in the queue after `delivery.count` deliveries.
    void set_deliveries(const Delivery& delivery);

    /// Whether the queue must ask journal().when_stored() for this turn's changes; true once a
    /// turn.
    [[nodiscard]] bool wants_notice();
    /// What was handed over is stored, at least in part.
    void note_stored();

    /// Messages from this place on must not be delivered yet.
    [[nodiscard]] std::uint64_t fence() const { return fence_; }

    /// Lets the message at `sequence` and some after it be delivered, once that is stored
    /// (D-LSM-06).
    void allow_dispatch(std::uint64_t sequence);
    /// The message at `sequence` goes to a consumer.
    void note_dispatch(std::uint64_t sequence);
    /// Before a clean stop: only what was delivered will be marked as such.
    void lower_bound();

    // Paging. What waits is, in order: the backlog, the page (on disk only), the tail.

    /// Keeps a new message, in `backlog` or elsewhere.
    void keep(Delivery delivery, Backlog& backlog);

    [[nodiscard]] bool has_page() const { return page_.first <= page_.last; }

    /// Waiting messages outside the backlog.
    [[nodiscard]] std::size_t waiting() const { return page_messages_ + tail_.size() - tail_gaps_; }

    /// The place of the first of these; there must be some.
    [[nodiscard]] std::uint64_t front_outside() const {
        return has_page() ? page_.first << unstored_bits : tail_[0].sequence;
    }

    /// Of all messages that ever came.
    [[nodiscard]] std::uint64_t last_place() const { return (last_ << unstored_bits) + unstored_; }

    /// Octets of these.
    [[nodiscard]] std::size_t waiting_bytes() const { return page_bytes_ + tail_bytes_; }

    /// Octets of those on disk only.
    [[nodiscard]] std::size_t page_bytes() const { return page_bytes_; }

    /// The page begins with what was there when the broker started.
    [[nodiscard]] bool is_page_recovered() const {
        return has_page() && page_.first <= recovered_last_;
    }

    /// The next messages should be read now; then the caller asks for page_request().
    [[nodiscard]] bool wants_page(Backlog& backlog) const;
    /// page_request() may be called: some of the page is stored, and nothing is being read.
    [[nodiscard]] bool may_read_page() const;
    [[nodiscard]] storage::ReadRequest page_request();

    /// What is on disk only comes before `delivery`.
    [[nodiscard]] bool is_behind_page(const Delivery& delivery) const {
        return has_page() && delivery.sequence >= page_.first << unstored_bits;
    }

    /// Takes the message at `sequence` out of the tail, if it is there.
    [[nodiscard]] std::optional<Delivery> take_from_tail(std::uint64_t sequence);

    /// The message at `sequence` waits outside the backlog.
    [[nodiscard]] bool has_outside(std::uint64_t sequence) const {
        return find_in_tail(sequence) < tail_.size() || is_on_page(sequence);
    }

    /// The message at `sequence` is on disk only.
    [[nodiscard]] bool is_on_page(std::uint64_t sequence) const;
    /// It leaves, unread.
    void discard_from_page(std::uint64_t sequence, std::size_t size);
    /// It goes into somebody's hands, unread; the store keeps it.
    void take_from_page(std::uint64_t sequence, std::size_t size);

    struct Purged {
        std::size_t messages = 0;
        std::size_t bytes = 0;
    };

    /// All of the page leaves, unread; the tail joins `backlog`. There must be a page.
    [[nodiscard]] Purged purge_page(Backlog& backlog);
    /// For reading it before, or any other part of the queue.
    [[nodiscard]] storage::ReadRequest read_request(storage::Sequence from, storage::Sequence to)
        const;

    /// How often a message that was read has been delivered, at least as far as is known.
    [[nodiscard]] std::uint32_t deliveries_of(const storage::ReadResult::Stored& stored) const;

    /// The first and the last message that the store may have.
    [[nodiscard]] storage::SequenceRange page() const { return page_; }

    /// Messages in the tail, in order. Those without message are gone.
    template <class F>
    void for_each_in_tail(F visit) const {
        for (std::size_t i = 0; i < tail_.size(); ++i) {
            if (tail_[i].message) { visit(tail_[i]); }
        }
    }

    /// There are messages that expire: said in the definition, so that the next run looks for them.
    void note_expiring();

    [[nodiscard]] bool has_expiring() const { return has_expiring_; }

    /// What was read joins `backlog`; returns how many of its messages are
    /// damaged or missing.
    std::size_t take_page(const storage::ReadResult& result, Backlog& backlog);

private:
    struct Pending {
        std::uint64_t position = 0;
        storage::Sequence last = 0;
        storage::Sequence bound = 0;
    };

    void note_change();
    void raise_bound(storage::Sequence sequence);
    [[nodiscard]] storage::Sequence last_of_earlier_turns();
    void update_fence();
    [[nodiscard]] std::size_t find_in_tail(std::uint64_t sequence) const;
    void spill_tail(Backlog& backlog);
    void add_hole(storage::SequenceRange hole);
    void end_page(Backlog& backlog);
    [[nodiscard]] std::size_t holes_between(storage::Sequence from, storage::Sequence to) const;

    // Constant after construction.
    Journal& journal_;
    storage::QueueDefinition definition_;
    const Options options_;
    const storage::Sequence recovered_last_ = 0;
    const storage::Sequence recovered_bound_ = 0;  ///< Up to here messages may have been seen.

    storage::QueueId id_ = 0;
    bool is_defined_ = false;
    bool is_dropped_ = false;
    storage::Sequence last_ = 0;    ///< Appended.
    std::uint64_t unstored_ = 0;    ///< Messages not stored since then.
    storage::Sequence stored_ = 0;  ///< All up to here are stored.
    storage::Sequence bound_ = 0;   ///< Stored: messages up to here may be delivered.
    storage::Sequence bound_asked_ = 0;
    storage::Sequence before_asked_ = 0;  ///< Appended in batches before the one that asked.
    storage::Sequence dispatched_ = 0;
    Fifo<Pending> pending_;
    std::uint64_t noticed_ = 0;
    std::uint64_t fence_ = 0;

    storage::SequenceRange page_{1, 0};
    std::size_t page_messages_ = 0;
    std::size_t page_bytes_ = 0;
    bool is_reading_ = false;
    bool is_read_void_ = false;  ///< What is being read has been purged.
    Fifo<Delivery> tail_;
    std::size_t tail_bytes_ = 0;
    std::size_t tail_gaps_ = 0;
    bool has_expiring_ = false;
    /// Of the page and behind it: messages that have left. Rising.
    std::vector<storage::SequenceRange> holes_;
};

}  // namespace engine
