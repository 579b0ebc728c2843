// What must be true of messages that ask for something: expiry, delay, priority, groups, selectors,
// duplicates, bounds, replay, retained (sections 15 and 16 of docs/protocol.md).
// Knows nothing of the broker: it is told events, so that doctored traces can show that it bites.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sim {

/// One SEND, as its publisher wrote it.
struct Wish {
    unsigned publisher = 0;
    std::string destination;
    std::string kind;          ///< A header that selectors ask for.
    std::int64_t expires = 0;  ///< In the broker's milliseconds; 0: never.
    std::int64_t due = 0;      ///< Not before then; 0: at once.
    int priority = 0;
    std::string group;
    std::string dedup_id;
    bool is_droppable = false;  ///< Its queue drops the oldest when it is full.
    bool is_accepted = false;   ///< By RECEIPT.
};

class WishChecker {
public:
    using Number = std::size_t;
    using Subscriber = unsigned;  ///< Unique over the run.

    Number sent(Wish wish);

    void accepted(Number number) { wishes_[number].is_accepted = true; }

    // What a subscriber of a queue sees. `now`: nothing that was to be handed over earlier is still
    // on its way.

    void subscribed(Subscriber who, std::string kind) { kinds_[who] = std::move(kind); }

    void received(Number number, Subscriber who, std::int64_t now);
    void settled(Number number, Subscriber who);

    void returned(Number number, Subscriber who) { settled_or_not(number, who, false); }

    /// It is gone, with what it held.
    void left(Subscriber who);

    /// Messages of one queue, taken by one consumer when all was at rest; `is_ranked`: by priority.
    void drained(const std::vector<Number>& numbers, bool is_ranked, std::size_t bound);

    // What a subscriber of a topic with history, or with a retained message, sees.

    void replayed(Subscriber who, std::uint64_t offset, Number number);
    /// The subscriber lived to the end, and the newest offset was `last`.
    void replay_ended(Subscriber who, std::uint64_t last);
    /// Bodies of a topic whose every message is retained and which has one publisher count up.
    void counted(Subscriber who, std::uint64_t count, bool is_retained);
    void count_ended(Subscriber who, std::uint64_t last);

    /// The last word: what was accepted is seen, or may be gone. Afterwards `now` is the time.
    void finish(std::int64_t now);

    void fails(const std::string& what) { violations_.push_back(what); }

    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

    [[nodiscard]] const Wish& wish(Number number) const { return wishes_[number]; }

    [[nodiscard]] std::size_t size() const { return wishes_.size(); }

private:
    void settled_or_not(Number number, Subscriber who, bool is_settled);
    void check_duplicate(Number number);
    [[nodiscard]] std::string describe(Number number) const;

    std::vector<Wish> wishes_;
    std::set<Number> seen_;
    std::set<Number> settled_;
    std::map<Subscriber, std::string> kinds_;
    std::map<std::string, std::map<Subscriber, std::multiset<Number>>> held_;  ///< By group.
    std::map<std::pair<std::string, std::string>, Number> firsts_;  ///< By destination, dedup id.
    std::map<std::uint64_t, Number> history_;
    std::map<Subscriber, std::uint64_t> offsets_;
    std::map<Subscriber, std::uint64_t> counts_;
    std::vector<std::string> violations_;
};

}  // namespace sim
