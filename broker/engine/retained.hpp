// The retained messages of the topics that live on this shard: one each, for whoever subscribes
// later (P-QOS-08, P-QOS-09). Bounded by Limits::retained_max; what is stored is loaded at start.
#pragma once

#include "broker/engine/counters.hpp"
#include "broker/engine/journal.hpp"
#include "broker/engine/message.hpp"
#include "broker/engine/send_options.hpp"
#include "broker/engine/shard.hpp"
#include "protocol/destination.hpp"
#include "protocol/error.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

/// What the SEND of `message` said about keeping it; it was valid then.
[[nodiscard]] Retain retain_asked_by(const Message& message);

class Retained {
public:
    /// Keeps at most `messages_max`.
    Retained(Shard& shard, Journal& journal, Counters& counters, std::size_t messages_max);

    void set_max(std::size_t messages) { messages_max_ = messages; }

    /// Why `topic` (canonical) cannot keep `message`, if it cannot.
    [[nodiscard]] std::optional<protocol::Error> refusal(
        const std::string& topic, const Message& message
    ) const;

    /// Sets room aside for a message that refusal() has nothing against.
    void reserve() { ++reserved_; }

    void release() { --reserved_; }

    /// As subscribers get it.
    [[nodiscard]] static MessageRef marked(const Message& message);

    /// Tells the store that `topic` keeps `copy`, which is marked(), or, if null, nothing.
    void store(const std::string& topic, const MessageRef& copy);
    /// Lets subscribers see what store() was told.
    void show(const std::string& topic, const MessageRef& copy);

    /// What `topic` keeps, or null.
    [[nodiscard]] MessageRef find(const std::string& topic);
    /// What the topics that match a wildcard keep.
    [[nodiscard]] std::vector<MessageRef> find(const protocol::Pattern& pattern);

    /// What the last run left of `topic`.
    void restore(const std::string& topic, const storage::RecoveredQueue& recovered);
    /// Runs `work` once all of them are there.
    void when_loaded(Work work);

    [[nodiscard]] std::size_t size() const {
        shard_.assert_current();
        return kept_.size();
    }

private:
    struct Kept {
        MessageRef message;          ///< Null: not shown, or not loaded yet.
        MessageRef stored;           ///< Usually the same; newer until it is shown.
        storage::QueueId queue = 0;  ///< 0: not stored.
        storage::Sequence last = 0;  ///< Its one message there,
        std::size_t bytes = 0;       ///< and its octets.
    };

    using ByTopic = std::map<std::string, Kept, std::less<>>;

    void forget(ByTopic::iterator entry);
    void loaded(const std::string& topic, const storage::ReadResult& result);
    void schedule_sweep();
    void sweep();

    // Constant after construction.
    Shard& shard_;
    Journal& journal_;
    Counters& counters_;
    const std::shared_ptr<char> alive_;  ///< Timers hold it weakly.

    // Lives on the shard.
    std::size_t messages_max_;
    ByTopic kept_ GUARDED_BY(shard_);
    std::size_t reserved_ = 0;
    std::size_t loading_ = 0;
    std::vector<Work> waiting_;
    bool is_sweep_scheduled_ = false;
};

}  // namespace engine
