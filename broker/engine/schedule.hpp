// Delayed messages of the destinations of one shard: kept until due, then routed (P-QOS-03).
// Lives on the destinations' shard. Bounded by Limits: messages of one destination, octets of all.
// Durable ones are stored beside their destination, and leave the store in the batch in which they
// are routed.
#pragma once

#include "broker/engine/destinations.hpp"
#include "broker/engine/message.hpp"
#include "broker/engine/record_store.hpp"
#include "broker/engine/scheduled_message.hpp"
#include "broker/engine/send_options.hpp"
#include "broker/engine/shard.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace engine {

class Schedule {
public:
    explicit Schedule(Destinations& router);
    ~Schedule();
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;

    /// Whether add() would take `message`. Refuses `queue-full`, `disk-full`, `storage-failed`.
    [[nodiscard]] protocol::Result<void> admits(
        const std::string& name, const Route& route, const Message& message
    );
    /// Keeps `message` for `route` until it is due. `name` tells temporary destinations of
    /// different connections apart.
    [[nodiscard]] protocol::Result<Published> add(
        const std::string& name, const Route& route, const MessageRef& message, const Delay& delay
    );

    // For commits: room set aside is used up by add_reserved(), or given back.

    [[nodiscard]] protocol::Result<void> reserve(
        const std::string& name, const Route& route, const Message& message
    );
    void cancel_reservation(const std::string& name, const Message& message);
    void add_reserved(
        const std::string& name, const Route& route, const MessageRef& message, const Delay& delay
    );

    /// Brings back what the last run stored for `destination`. Nothing becomes due before
    /// release(): durable subscriptions must be there first.
    void restore(const std::string& destination, const storage::RecoveredQueue& recovered);
    void release();

    /// At most `limit` of those for `destination` (in any of its spellings; all if it is empty), by
    /// due time; and how many there are.
    [[nodiscard]] std::vector<ScheduledMessage> list(
        std::string_view destination, std::size_t limit, std::size_t& total
    ) const;
    /// Removes one by its id; false if there is none. It has left the store when this turn's batch
    /// is stored.
    bool cancel(std::string_view id);

    [[nodiscard]] std::size_t size() const { return by_id_.size(); }

private:
    /// When it is looked at: when due, or when it expires before that; and its number.
    using Key = std::pair<std::int64_t, std::uint64_t>;

    struct Entry {
        MessageRef message;
        Delay delay;  ///< `at_ms` is set.
        storage::Sequence stored = 0;
        std::size_t bytes = 0;  ///< Of the record.
    };

    /// What waits for one destination.
    struct Line {
        std::string name;
        std::uint64_t number = 0;
        Route route;
        std::map<Key, Entry> entries;
        std::size_t reserved = 0;
        std::int64_t retry_at = 0;
        std::int64_t wake = 0;  ///< Its place in `wakes_`; 0: none.
        std::unique_ptr<RecordStore> records;
        bool is_loading = false;
        bool has_damaged = false;  ///< Records that stay in the store (D-ROCK-01).
        bool was_empty = false;    ///< At the last sweep.
    };

    struct Place {
        Line* line = nullptr;
        Key key;
    };

    [[nodiscard]] std::int64_t now_ms() const;
    [[nodiscard]] Line& line_of(const std::string& name, const Route& route);
    [[nodiscard]] static bool is_ownerless(const Line& line);
    void keep(Line& line, const Route& route, const MessageRef& message, const Delay& delay);
    void insert(Line& line, Entry entry);
    void store(Line& line, Entry& entry);
    void unstore(Line& line, const Entry& entry);
    void erase(Line& line, std::map<Key, Entry>::iterator entry);
    void take_record(Line& line, storage::Sequence at, std::string_view octets);
    void place(Line& line);
    void wake();
    void fire(Line& line, std::int64_t now);
    void go_on(Line& line, std::map<Key, Entry>::iterator fired, std::int64_t now);
    void sweep();
    void arm();

    // Constant after construction.
    Destinations& router_;
    Shard& shard_;
    const std::shared_ptr<char> alive_;

    // Lives on the shard.
    std::unordered_map<std::string, std::unique_ptr<Line>> lines_ GUARDED_BY(shard_);
    std::map<Key, Line*> wakes_ GUARDED_BY(shard_);      ///< By time and the line's number.
    std::unordered_map<std::string_view, Place> by_id_;  ///< Names lie in the messages.
    std::size_t bytes_ = 0;                              ///< Of messages, reserved ones included.
    std::uint64_t last_number_ = 0;
    std::uint64_t timer_ = 0;  ///< The newest; others that are under way do nothing.
    Instant timer_at_{0};
    bool has_timer_ = false;
    bool is_held_ = false;
    Instant swept_{0};
};

}  // namespace engine
