// Ids of the SENDs that destinations took lately: a repetition is known by its user and id
// (P-QOS-06). Lives on the shard of these destinations. Bounded by Limits: ids of one destination,
// ids of all, and time; ids of stored messages are stored with them.
#pragma once

#include "broker/engine/asked.hpp"
#include "broker/engine/fifo.hpp"
#include "broker/engine/journal.hpp"
#include "broker/engine/limits.hpp"
#include "broker/engine/record_store.hpp"
#include "broker/engine/shard.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace engine {

class Duplicates {
public:
    Duplicates(Shard& shard, Journal& journal, const Limits& limits);
    ~Duplicates();
    Duplicates(const Duplicates&) = delete;
    Duplicates& operator=(const Duplicates&) = delete;

    /// For all shards together; before the first id.
    void set_shards(std::size_t count) { shards_ = count; }

    /// Whether `destination` took a message of this user with this id less than the window ago.
    [[nodiscard]] bool knows(const std::string& destination, const Asked& asked);
    /// It takes one now. `is_stored`: this turn's batch holds the message, and so the id.
    void claim(const std::string& destination, const Asked& asked, bool is_stored);

    /// Brings back what the last run stored about `destination`.
    void restore(const std::string& destination, const storage::RecoveredQueue& recovered);

    [[nodiscard]] bool is_loading() const { return loading_ != 0 && !journal_.has_failed(); }

    /// Runs `work` once all that was stored is known again: at once if it is.
    void when_loaded(Work work);

    /// Ids in memory.
    [[nodiscard]] std::size_t size() const { return ages_.size(); }

private:
    struct Claim {
        Instant at{0};
        std::uint64_t serial = 0;
    };

    /// Of one destination, the oldest first.
    struct Id {
        const std::string* key = nullptr;  ///< Where the map has it.
        std::uint64_t serial = 0;
        storage::Sequence stored = 0;  ///< 0: in memory only.
        std::uint32_t bytes = 0;       ///< Of the record.
    };

    struct Line {
        std::string destination;
        std::unordered_map<std::string, Claim> claims;
        Fifo<Id> order;
        std::uint64_t last_serial = 0;
        Instant newest = Instant::min();
        std::unique_ptr<RecordStore> records;
        bool is_loading = false;
    };

    /// Ids of all destinations, the oldest first; those that their line has forgotten may still be
    /// here.
    struct Age {
        Line* line = nullptr;
        std::uint64_t serial = 0;
        Instant at{0};
    };

    using Lines = std::unordered_map<std::string, std::unique_ptr<Line>>;

    [[nodiscard]] Line& line_of(const std::string& destination);
    void add(Line& line, std::string key, Instant at, storage::Sequence stored, std::size_t bytes);
    void take_record(Line& line, storage::Sequence at, std::string_view octets);
    void loaded();
    void forget_oldest(Line& line);
    void forget_old();
    void pop_age();
    void leave(Line& line);
    void watch();

    // Constant after construction.
    Shard& shard_;
    Journal& journal_;
    const Limits& limits_;
    std::size_t shards_ = 1;
    const std::shared_ptr<char> alive_;

    // Lives on the shard.
    Lines lines_ GUARDED_BY(shard_);
    Fifo<Age> ages_;
    std::size_t loading_ = 0;
    Fifo<Work> waiting_;
    bool is_watching_ = false;
};

}  // namespace engine
