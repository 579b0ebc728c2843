// The message store in the life of the broker: opened before all else, watched, closed last.
// One per run; but for opening and closing it is used on the first shard only.
#pragma once

#include "broker/admin/figures.hpp"
#include "broker/admin/health.hpp"
#include "broker/server/config.hpp"
#include "storage/message_store.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace server {

/// Makes the store of a run; null for none.
using StoreFactory = std::function<std::unique_ptr<storage::MessageStore>(const Config&)>;

/// Opens what `[storage]` names and recovers it, telling the log; null without a directory or with
/// durability "memory". Throws storage::StoreError.
[[nodiscard]] std::unique_ptr<storage::MessageStore> open_store(const Config& config);

/// The store of a run, which may be none.
class StoreKeeper : private storage::StoreMeter {
public:
    /// `opened_in`: how long opening it took, for metrics.
    StoreKeeper(
        std::unique_ptr<storage::MessageStore> store,
        const StorageOptions& options,
        std::chrono::milliseconds opened_in = {}
    );
    ~StoreKeeper() override;
    StoreKeeper(const StoreKeeper&) = delete;
    StoreKeeper& operator=(const StoreKeeper&) = delete;

    [[nodiscard]] storage::MessageStore* get() const { return store_.get(); }

    /// The mode in force: `sync`, `relaxed` or `memory`.
    [[nodiscard]] const std::string& durability() const { return durability_; }

    /// The queues that the last run left. Logs how many.
    [[nodiscard]] std::vector<storage::RecoveredQueue> take_recovered();

    /// From here on the store calls `listeners`, until close().
    void start(std::vector<storage::StoreListener*> listeners);

    /// To be called again and again: logs what is new about the store. True once, when it has
    /// failed.
    [[nodiscard]] bool watch();

    [[nodiscard]] bool has_failed() const { return !failure_.empty(); }

    /// What /readyz shows of it.
    void add_checks(std::vector<admin::Check>& checks) const;

    /// For metrics; nothing without a store.
    [[nodiscard]] std::optional<admin::StoreFigures> figures() const;

    /// MessageStore::back_up(), told in the log.
    void back_up(std::string directory, std::function<void(std::string error)> done);

    /// Stores what was handed over and closes; after it no listener is called. Only the first call
    /// counts.
    void close();

private:
    void stored(const storage::GroupCost& cost) override;
    void synced(std::chrono::microseconds time) override;
    void report_damage(std::uint64_t damaged);

    const StorageOptions options_;
    const std::chrono::milliseconds opened_in_;
    mutable std::mutex mutex_;
    admin::StoreTimes times_;  ///< Under mutex_: the store's thread writes it.
    const std::unique_ptr<storage::MessageStore> store_;
    std::string durability_;
    std::string failure_;
    std::uint64_t damaged_ = 0;  ///< Records that the log knows of.
    bool is_started_ = false;
};

}  // namespace server
