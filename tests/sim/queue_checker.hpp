// What must be true of queues and their consumers while they are at work: nobody starves,
// priorities and groups hold, counts and delays are kept, only the oldest is dropped (P-SUB-09,
// P-QOS, P-ACK). Knows nothing of the broker: it is told events, so that doctored traces can show
// that it bites.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sim {

/// One SEND to a queue, as its publisher wrote it.
struct Item {
    unsigned publisher = 0;
    std::string queue;
    std::string kind;          ///< What selectors ask for.
    std::int64_t expires = 0;  ///< In the broker's milliseconds; 0: never.
    int priority = 0;          ///< Of a queue that looks at it.
    std::string group;
    bool is_droppable = false;  ///< Its queue drops the oldest when it is full.
};

class QueueChecker {
public:
    using Number = std::size_t;
    using Consumer = unsigned;  ///< Unique over the run.

    Number sent(Item item);

    void accepted(Number number) { messages_[number].is_accepted = true; }

    /// `kind` empty: it takes everything. Known from the next rest() on.
    void subscribed(Consumer who, std::string queue, std::string kind);
    /// UNSUBSCRIBE: what it holds it can still settle.
    void closed(Consumer who);
    /// Its connection is gone, with what it held.
    void left(Consumer who);

    /// `now` is exact: time passes only at rest().
    void received(Number number, Consumer who, unsigned count, std::int64_t now);
    /// The ACK was written.
    void settled(Number number, Consumer who);
    /// The NACK was written.
    void returned(Number number, Consumer who);
    /// A NACK of delivery `count` was confirmed: it does not come again before `until`.
    void put_off(Number number, unsigned count, std::int64_t until);

    /// Nothing is on its way, and all timers up to `now` have run. `idle`: consumers that hold
    /// nothing and read.
    void rest(std::int64_t now, std::set<Consumer> idle);

    /// Left in its queue when all was over.
    void drained(Number number, std::int64_t now);
    void finish(std::int64_t now);

    void fails(const std::string& what) { violations_.push_back(what); }

    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

    [[nodiscard]] std::size_t size() const { return messages_.size(); }

private:
    struct Message {
        Item item;
        bool is_accepted = false;
        bool is_seen = false;
        bool is_settled = false;
        bool is_drained = false;
        bool has_waited = false;                 ///< It did at the last rest.
        bool is_fresh = false;                   ///< Seen for the first time since then.
        unsigned count = 0;                      ///< Of its last delivery.
        std::uint64_t made = 0;                  ///< Its queue's epoch then,
        std::uint64_t epoch = 0;                 ///< and when it was made or seen last.
        std::map<unsigned, std::int64_t> times;  ///< When delivery `count` came.
        std::map<unsigned, std::int64_t> until;  ///< When it may come.
    };

    struct Member {
        std::string queue;
        std::string kind;
        bool is_closed = false;
        std::set<Number> holds;
        /// By publisher and group, with the epoch then.
        std::map<std::pair<unsigned, std::string>, std::pair<Number, std::uint64_t>> last;
    };

    struct Queue {
        std::uint64_t epoch = 1;
        bool is_disturbed = false;  ///< Since the last rest: something may have come back.
        std::map<std::string, Consumer> owners;  ///< Of groups.
    };

    void disturb(const std::string& queue);
    void check_group(const Message& message, Consumer who);
    void check_order(Number number, Member& member);
    void check_starving(Number number, const std::set<Consumer>& idle);
    void check_priorities(const std::string& queue);
    void check_drops();
    void give_up(Number number, Consumer who);
    [[nodiscard]] bool is_waiting(const Message& message, std::int64_t now) const;
    [[nodiscard]] std::string describe(Number number) const;

    std::vector<Message> messages_;
    std::map<Consumer, Member> members_;
    std::map<std::string, Queue> queues_;
    std::set<Consumer> idle_;  ///< At the last rest.
    std::vector<std::string> violations_;
};

}  // namespace sim
