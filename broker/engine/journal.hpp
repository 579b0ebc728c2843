// A shard's end of the message store: gathers a turn's changes in one batch, hands it over when the
// turn ends, and tells those who wait when it is stored. Without a store nothing is durable.
// Lives on its shard. Bounded by is_congested(): whoever publishes is not read meanwhile
// (D-COM-05).
#pragma once

#include "broker/engine/fifo.hpp"
#include "broker/engine/shard.hpp"
#include "storage/message_store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace engine {

class Journal final : public storage::StoreListener {
public:
    using Answer = std::function<void(storage::ReadResult)>;

    /// `store` may be null.
    Journal(Shard& shard, storage::MessageStore* store);
    ~Journal() override;

    [[nodiscard]] bool has_store() const { return store_ != nullptr; }

    /// Why the store has failed, or empty. After it nothing is confirmed any more (D-FS-01).
    [[nodiscard]] const std::string& failure() const { return failure_; }

    [[nodiscard]] bool has_failed() const { return !failure_.empty(); }

    /// The store takes new messages: it has not failed, and the disk is not below its floor
    /// (D-FULL-01).
    [[nodiscard]] bool accepts_appends() const {
        return !has_failed() && store_->accepts_appends();
    }

    [[nodiscard]] storage::QueueId new_queue_id() { return store_->new_queue_id(); }

    /// What this turn changes. There must be a store.
    [[nodiscard]] storage::Batch& batch() { return *batch_; }

    /// The number of the batch that holds the last change made so far; numbers rise from 1.
    [[nodiscard]] std::uint64_t position() const {
        return batch_ && !batch_->empty() ? handed_over_ + 1 : handed_over_;
    }

    /// The batch that the next change goes into.
    [[nodiscard]] std::uint64_t next_position() const { return handed_over_ + 1; }

    [[nodiscard]] bool is_stored(std::uint64_t position) const { return position <= stored_; }

    /// Runs `work` once all changes made so far are stored (at once if they are), or the store has
    /// failed: has_failed() tells which.
    void when_stored(Work work);

    /// A number for a transaction whose parts lie in the batches of several shards.
    [[nodiscard]] std::uint64_t new_transaction();

    /// Messages from the store. Not answered once it has failed.
    void read(storage::ReadRequest request, Answer answer);

    /// Hands over what was gathered. Called by the shard's loop before it flushes connections.
    void end_turn();

    /// Too much waits for the disk, or for too long: publishers should not be read (D-COM-05).
    [[nodiscard]] bool is_congested() const {
        return !has_failed() &&
               (pending_bytes_ > pending_bytes_max ||
                (stored_ != handed_over_ && shard_.now() - oldest_ > pending_time_max));
    }

    /// Everything handed over is stored, or never will be.
    [[nodiscard]] bool is_idle() const {
        return has_failed() || (position() == stored_ && waiters_.empty());
    }

    // storage::StoreListener, on the store's threads.

    void stored(std::vector<std::unique_ptr<storage::Batch>> batches) override;
    void read(storage::ReadResult result) override;
    void failed(std::string reason) override;

private:
    struct Waiter {
        std::uint64_t position = 0;
        Work work;
    };

    struct HandedOver {
        Instant at{0};
        std::size_t bytes = 0;
    };

    void take_stored(std::vector<std::unique_ptr<storage::Batch>>& batches);
    void take_failure(std::string reason);
    void run_waiters();

    static constexpr std::size_t pending_bytes_max = 64ULL * 1024 * 1024;
    static constexpr Instant pending_time_max{200};
    static constexpr std::size_t spares_max = 4;

    // Constant after construction.
    Shard& shard_;
    storage::MessageStore* const store_;
    const std::shared_ptr<char> alive_;  ///< What the store's threads post holds it weakly.

    // Lives on the shard.
    std::unique_ptr<storage::Batch> batch_;
    std::vector<std::unique_ptr<storage::Batch>> spares_;
    std::uint64_t handed_over_ = 0;
    std::uint64_t stored_ = 0;
    std::uint64_t last_transaction_ = 0;
    std::size_t pending_bytes_ = 0;
    Instant oldest_{0};  ///< When the oldest batch that is not stored was handed over.
    Fifo<HandedOver> times_;
    Fifo<Waiter> waiters_;
    Fifo<Answer> answers_;
    std::string failure_;
};

}  // namespace engine
