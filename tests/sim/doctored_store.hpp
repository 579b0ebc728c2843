// A store that breaks one promise, as a negative control: the checker must find what comes of it.
// Behind it is a storage::MemoryStore, which a simulation commits and crashes.
#pragma once

#include "storage/memory_store.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace sim {

enum class Fault : std::uint8_t {
    none,
    confirms_early,       ///< Says that batches are stored when they are handed over.
    loses_acks,           ///< Messages do not leave.
    splits_transactions,  ///< Stores the parts of shards one by one.
    cursor_first,         ///< A crash finds the last messages counted, but not there.
    loses_bounds,         ///< Does not know after a crash what may have been delivered.
};

class DoctoredStore : public storage::MessageStore {
public:
    DoctoredStore(Fault fault, std::unique_ptr<storage::MemoryStore> store);
    ~DoctoredStore() override;

    [[nodiscard]] storage::MemoryStore& real() { return *store_; }

    /// What a new start finds after a crash at this moment.
    [[nodiscard]] std::unique_ptr<DoctoredStore> crash();

    std::vector<storage::RecoveredQueue> take_recovered() override;
    void start(std::vector<storage::StoreListener*> listeners) override;

    storage::QueueId new_queue_id() override { return store_->new_queue_id(); }

    void store(unsigned shard, std::unique_ptr<storage::Batch> batch) override;
    void read(unsigned shard, storage::ReadRequest request) override;

    [[nodiscard]] storage::StoreState state() const override { return store_->state(); }

    [[nodiscard]] bool accepts_appends() const override { return store_->accepts_appends(); }

    bool close() override { return store_->close(); }

private:
    class Ear;

    [[nodiscard]] std::unique_ptr<storage::Batch> doctored(const storage::Batch& batch) const;
    void note_stored(const storage::Batch& batch);
    [[nodiscard]] std::unique_ptr<storage::MemoryStore> without_last(
        std::unique_ptr<storage::MemoryStore> survivor
    ) const;

    const Fault fault_;
    std::unique_ptr<storage::MemoryStore> store_;
    std::vector<storage::StoreListener*> listeners_;
    std::vector<std::unique_ptr<Ear>> ears_;
    std::vector<storage::Batch::Remove> last_;  ///< What takes the last stored messages away.
};

}  // namespace sim
