// All queues of the store: applies batches to them and writes what that changes.
// Pure; lives on the committer's thread.
#pragma once

#include "storage/batch.hpp"
#include "storage/message_store.hpp"
#include "storage/queue_state.hpp"
#include "storage/record.hpp"
#include "storage/writes.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace storage {

class QueueTable {
public:
    /// The numbers of so many of the last groups are kept on disk (D-ROCK-02).
    static constexpr std::uint64_t group_ring = 1024;

    /// Applies `batch`, kind by kind, and writes its messages, definitions and counts to `out`.
    void apply(const Batch& batch, Writes& out);
    /// Ends a group: one cursor record per touched queue, and the group's number.
    void finish_group(Writes& out, QueueState::Time now);

    // Recovery: every record of the state family in the order of keys, then settle().

    void restore(std::string_view key, std::string_view value);
    void settle();

    /// What restore() and settle() found wrong, each a sentence.
    [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }

    /// Rising by id.
    [[nodiscard]] std::vector<RecoveredQueue> describe() const;
    [[nodiscard]] const QueueState* find(QueueId queue) const;
    /// The name of a queue that restore() found, or its id in words.
    [[nodiscard]] std::string name_of(QueueId queue) const;

    /// Higher than any id that was ever stored.
    [[nodiscard]] QueueId next_queue() const { return next_queue_; }

    [[nodiscard]] std::uint64_t groups() const { return groups_; }

private:
    void define(const Batch::Define& change, Writes& out);
    void drop(const Batch::Drop& change, Writes& out);
    [[nodiscard]] QueueState& touch(QueueId queue);
    [[nodiscard]] QueueState& restored(QueueId queue);
    void restore_payload(const StateKey& key, std::string_view payload);
    void restore_cursor(QueueId queue, std::string_view payload);
    void restore_mark(const StateKey& key, std::string_view payload);
    void restore_definition(QueueId queue, std::string_view payload);
    void restore_number(const StateKey& key, std::string_view payload);
    void settle_queue(QueueId queue, QueueState& state);
    void settle_groups();

    void fault(std::string sentence) { faults_.push_back(std::move(sentence)); }

    std::unordered_map<QueueId, std::unique_ptr<QueueState>> queues_;
    std::vector<QueueState*> touched_;
    QueueState* latest_ = nullptr;  ///< The queue touched last.
    QueueId next_queue_ = 1;
    std::uint64_t groups_ = 0;
    std::string payload_;  ///< Scratch.
    std::string value_;    ///< Scratch.

    // Filled by recovery only.
    std::unordered_map<QueueId, QueueDefinition> definitions_;
    std::vector<std::uint64_t> numbers_;  ///< Of groups, as found.
    std::vector<std::string> faults_;
};

}  // namespace storage
