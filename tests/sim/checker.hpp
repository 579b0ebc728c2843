// What must be true of everything that clients published and received, whatever happened between.
// Knows nothing of the broker: it is told events, so that a doctored trace can show that it bites.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace sim {

using MessageNumber = std::size_t;

/// What is known of one message.
struct Published {
    enum class Fate : std::uint8_t {
        unknown,   ///< No answer came.
        accepted,  ///< By RECEIPT, or because its sender lived on without ERROR.
        refused,   ///< By ERROR, ABORT or because its transaction never was committed.
    };

    unsigned publisher = 0;  ///< The connection.
    std::string destination;
    bool is_queue = false;
    unsigned transaction = 0;  ///< 0 for none.
    Fate fate = Fate::unknown;
    std::uint64_t stamp = 0;  ///< When it took effect on its connection; 0: not yet.
    std::uint64_t epoch = 0;  ///< Of its queue then; 0: order is not checked.
    bool is_seen = false;
    unsigned seen_in = ~0U;     ///< The broker's life when it was seen first.
    bool is_settled = false;    ///< Somebody may have settled it.
    bool is_definite = false;   ///< And has been told so.
    unsigned settled_in = ~0U;  ///< The broker's life when somebody was told so.
    bool is_gone = false;       ///< Only memory had it, and the broker died.
    std::size_t drained = 0;
    /// Copies received, by the broker's life and delivery count (queues).
    std::map<std::pair<unsigned, unsigned>, unsigned> counts;
};

class Checker {
public:
    // What publishers do.

    MessageNumber publish(
        unsigned publisher, std::string destination, bool is_queue, unsigned transaction
    );
    /// The SEND, or its COMMIT, was written: from now on its place in the order is fixed.
    void takes_effect(MessageNumber number);
    void accepted(MessageNumber number);
    void refused(MessageNumber number);

    // What subscribers see. `subscription` is unique over the run.

    void received(MessageNumber number, unsigned subscription, unsigned count, bool is_automatic);
    void settled(MessageNumber number, bool is_definite);

    /// Only memory has it: it does not outlive the broker (P-SEND-09).
    void not_persistent(MessageNumber number) { in_memory_.push_back(number); }

    /// The broker has died or stopped, and a new one has started on its store.
    void restarted();
    /// Left in a queue, or its dead-letter queue, when all was over.
    void drained(MessageNumber number);
    /// Those that were sent after `since` to a destination of `subscription`, which lived to the
    /// end, must have reached it.
    void must_have_received(MessageNumber number, unsigned subscription);

    /// Consumers of `queue` leave: until the next rest() its order is not checked, since what they
    /// had not seen comes back.
    void disturbed(const std::string& queue);
    void rests();

    /// A RECEIPT came; `expected` is the oldest that was asked for and not answered.
    void receipt(const std::string& got, const std::string& expected);
    void fails(const std::string& what);

    /// The last word: what was accepted must be somewhere.
    void finish();

    [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

    [[nodiscard]] const Published& message(MessageNumber number) const { return messages_[number]; }

    [[nodiscard]] std::size_t size() const { return messages_.size(); }

    [[nodiscard]] std::uint64_t now() const { return last_stamp_; }

private:
    struct Seen {
        std::uint64_t last_stamp = 0;
        MessageNumber last = 0;
    };

    using Stream = std::tuple<unsigned, unsigned, std::string>;

    void check_order(MessageNumber number, unsigned subscription);
    void check_loss(MessageNumber number);
    void check_transactions();
    void check_total_order();
    [[nodiscard]] std::string describe(MessageNumber number) const;

    std::vector<Published> messages_;
    std::map<Stream, Seen> seen_;  ///< By subscription, publisher, destination.
    std::map<std::string, std::uint64_t> epochs_;
    /// First copies from topics, by subscription and topic, in the order received.
    std::map<std::string, std::map<unsigned, std::vector<MessageNumber>>> topics_;
    std::vector<MessageNumber> in_memory_;
    std::uint64_t last_stamp_ = 0;
    std::uint64_t last_epoch_ = 1;
    unsigned life_ = 0;
    std::vector<std::string> violations_;
};

}  // namespace sim
