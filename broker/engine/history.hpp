// The history of one topic, on its home shard: messages numbered from 1 without holes, as many as
// its policy keeps (P-QOS-10), in memory or, durable, in the store with the newest in memory.
// Bounded by the policy, without a store by `messages_max` and `bytes_max`, too; what is on disk
// only costs some 32 octets a message until the next start.
#pragma once

#include "broker/engine/counters.hpp"
#include "broker/engine/fifo.hpp"
#include "broker/engine/journal.hpp"
#include "broker/engine/message.hpp"
#include "broker/engine/policy.hpp"
#include "broker/engine/shard.hpp"
#include "broker/engine/subscription_options.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

class History : public std::enable_shared_from_this<History> {
public:
    struct Options {
        HistoryPolicy policy;
        bool is_durable = false;
        std::uint64_t messages_max = 0;  ///< Of one that is not durable.
        std::uint64_t bytes_max = 0;     ///< The same.
        std::uint64_t memory_max = 0;    ///< Octets that a durable one keeps in memory.
        std::uint16_t number = 0;        ///< Policy::number.
    };

    /// A part of it, in order.
    struct Chunk {
        std::vector<MessageRef> messages;
        std::uint64_t next = 0;  ///< The offset behind it.
        bool is_head = false;    ///< There is nothing behind it now.
    };

    using Start = std::function<void(std::uint64_t)>;
    using Answer = std::function<void(Chunk)>;

    History(Shard& shard, Journal& journal, Counters& counters, std::string topic, Options options);

    /// Goes on where the last run stopped. Once, before anything else.
    void restore(const storage::RecoveredQueue& recovered);

    [[nodiscard]] bool is_durable() const { return options_.is_durable; }

    /// The newest message's number; 0: there never was one.
    [[nodiscard]] std::uint64_t last() const { return last_; }

    /// Messages kept.
    [[nodiscard]] std::uint64_t size() const { return last_ + 1 - first_; }

    /// Octets of these.
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    /// Octets of those that are in memory.
    [[nodiscard]] std::uint64_t memory_bytes() const { return memory_bytes_; }

    /// `message` under the next number, as subscribers get it. Durable: nobody may see it before
    /// it is stored and shown.
    [[nodiscard]] MessageRef append(const MessageRef& message);

    /// The message numbered `offset` is stored, and all before it.
    void show(std::uint64_t offset) { shown_ = offset; }

    /// Calls `start` with the number where a replay begins, at once or when the store has answered.
    void find_start(const Replay& replay, Start start);
    /// Calls `answer` with what follows from `from` on, at once or when the store has answered: at
    /// most some hundred messages and octets, but for one message.
    void read(std::uint64_t from, Answer answer);

private:
    struct Entry {
        MessageRef message;  ///< Null: on disk only.
        std::uint64_t time = 0;
        std::uint64_t bytes = 0;
    };

    [[nodiscard]] std::uint64_t entries_begin() const { return last_ + 1 - entries_.size(); }

    [[nodiscard]] Entry& entry_at(std::uint64_t offset) {
        return entries_[static_cast<std::size_t>(offset - entries_begin())];
    }

    void define();
    [[nodiscard]] std::size_t store(const MessageRef& message, std::uint64_t time);
    void spill();
    void trim();
    [[nodiscard]] bool is_over_bounds() const;
    [[nodiscard]] const Entry* oldest() const;
    void remove_oldest();
    void read_front();
    void take_front(const storage::ReadResult& result);
    void watch_age();
    void search(std::uint64_t low, std::uint64_t high, std::uint64_t time, Start start);
    void read_disk(std::uint64_t from, std::uint64_t to, Answer answer);

    // Constant after construction.
    Shard& shard_;
    Journal& journal_;
    Counters& counters_;
    const std::string topic_;
    const Options options_;

    // Lives on the shard.
    storage::QueueId queue_ = 0;
    std::uint64_t first_ = 1;
    std::uint64_t last_ = 0;
    std::uint64_t shown_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t last_time_ = 0;
    Fifo<Entry> entries_;         ///< The newest ones: those of this run.
    std::uint64_t resident_ = 1;  ///< From here on messages are in memory.
    std::uint64_t memory_bytes_ = 0;
    Fifo<Entry> front_;  ///< The oldest ones of earlier runs, as far as read.
    bool is_reading_front_ = false;
    bool is_age_watched_ = false;
};

}  // namespace engine
