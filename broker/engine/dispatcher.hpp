// Who of a queue's consumers gets which of the waiting messages: windows and budgets, priority and
// turns (P-SUB-09), selectors (P-SEL-05), groups (P-QOS-05), single active consumer.
// Lives on the queue's shard. As long as no consumer is choosy and no message has a group, it only
// looks at the front of the backlog; else it keeps, for each class of consumers, which messages
// they may take: every message is looked at once for each, and what is kept is bounded by
// index_max.
#pragma once

#include "broker/engine/backlog.hpp"
#include "broker/engine/consumer.hpp"
#include "broker/engine/selector_index.hpp"
#include "broker/engine/shard.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace engine {

/// What a dispatcher keeps and does at most.
struct DispatchBounds {
    std::size_t index_max = 2'000'000;  ///< Candidates of all classes, but for a first few of each:
    std::size_t index_each = 1024;
    std::size_t looks_max = 100'000;  ///< Messages looked at in one go.
    std::size_t values_max = 65'536;  ///< Values of one header kept although nobody wants them.
    std::size_t groups_max = 1024;    ///< Bound to consumers (P-QOS-05).
    std::size_t prune_min =
        16'384;  ///< Candidates from which on those that are gone are forgotten.
};

class Dispatcher {
public:
    /// `is_single`: one consumer gets all, until it leaves.
    Dispatcher(Shard& shard, Backlog& backlog, bool is_single, DispatchBounds bounds = {});
    ~Dispatcher();
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    Consumer& attach(Consumer consumer);
    void detach(Consumer& consumer);
    /// Window, budget or being there have changed.
    void refresh(Consumer& consumer);

    [[nodiscard]] std::size_t consumers() const { return consumers_.size(); }

    template <class F>
    void for_each_consumer(F visit) const {
        for (const auto& consumer : consumers_) {
            if (!consumer->is_closed) { visit(*consumer); }
        }
    }

    /// `message` may go straight to next_ready(), if nothing waits.
    [[nodiscard]] bool is_plain(const Message& message) const {
        return !is_matching_ && !message.facts().has_group;
    }

    /// The consumer whose turn it is for a message of `size` octets, if all take the same ones.
    [[nodiscard]] Consumer* next_ready(std::size_t size) { return next_ready(all_, size); }

    /// What is next is always at the front of the backlog.
    [[nodiscard]] bool is_plain() const { return !is_matching_; }

    /// A message has joined the backlog.
    void joined(const Delivery& delivery, Place place) {
        if (is_matching_) { return index(delivery, place); }
        if (delivery.message->facts().has_group) { start_matching(); }
    }

    struct Turn {
        Consumer* consumer = nullptr;
        Place place;
    };

    /// Who gets which message next, of those before `fence`. The caller delivers it, then calls
    /// refresh().
    [[nodiscard]] std::optional<Turn> next(std::uint64_t fence);

    /// The message that next() would have chosen, had it not been behind the fence.
    [[nodiscard]] std::optional<std::uint64_t> held_back() const { return held_back_; }

    /// next() has not looked through everything: it is to be called again, in another turn.
    [[nodiscard]] bool is_unfinished() const { return is_unfinished_; }

    /// There are consumers that could take more, were there any for them.
    [[nodiscard]] bool is_hungry() const { return ready_ != 0; }

    /// For tests: what is wrong with the bookkeeping, or nothing.
    [[nodiscard]] std::string fault() const;

private:
    struct Group {
        Consumer* consumer = nullptr;
        std::list<std::string>::iterator use;
    };

    [[nodiscard]] bool may_get(const Consumer& consumer, std::size_t size) const;
    [[nodiscard]] Consumer* next_ready(ConsumerClass& consumers, std::size_t size);
    void leave_ring(Consumer& consumer);
    void elect();
    void choose_active(bool is_any_exclusive);
    [[nodiscard]] ConsumerClass& class_for(const Consumer& consumer);
    void join_selectors(ConsumerClass& made);
    void join_header(ConsumerClass& made);
    void leave_class(ConsumerClass& consumers);
    void start_matching();
    void stop_matching();
    void prune();
    void index(const Delivery& delivery, Place place);
    void offer(ConsumerClass& consumers, const Delivery& delivery, Place place);
    void take_up(ConsumerClass& consumers, Place place);
    void cut(ConsumerClass& consumers, Place place);
    [[nodiscard]] bool is_full(const ConsumerClass& consumers) const;
    void push(ConsumerClass& consumers, Place place);
    [[nodiscard]] HeaderIndex& header_for(const std::string& name);
    void index_header(HeaderIndex& header, const MessageHeaders& headers, Place place);
    void leave_header(ConsumerClass& consumers);
    /// Nothing is left that look() could find for it.
    [[nodiscard]] static bool has_seen_all(const ConsumerClass& consumers);
    void look(ConsumerClass& consumers);
    void look_through_header(ConsumerClass& consumers);
    void look_through(ConsumerClass& consumers);
    [[nodiscard]] Place frontier(const ConsumerClass& but) const;
    void rank(ConsumerClass& consumers);
    void unrank(ConsumerClass& consumers);
    [[nodiscard]] std::optional<Turn> next_matched(std::uint64_t fence);
    [[nodiscard]] static bool is_ahead_of_its_type(const ConsumerClass& bound);
    [[nodiscard]] bool is_for_group(
        ConsumerClass& consumers, const Delivery& delivery, Place place
    );
    void note_group(Consumer& consumer, const Message& message);
    void release_group(std::string_view name);
    void release_groups(Consumer& consumer);
    void return_bound(Consumer& consumer);

    template <class F>
    void for_each_class(F visit);

    // Constant after construction.
    Shard& shard_;
    Backlog& backlog_;
    const bool is_always_single_;
    const DispatchBounds bounds_;

    // Lives on the shard.
    std::list<std::unique_ptr<Consumer>> consumers_;
    std::size_t ready_ = 0;  ///< Consumers in a ring.
    ConsumerClass all_;
    std::list<ConsumerClass> choosy_;  ///< Classes with selector or no-local.
    std::list<HeaderIndex> headers_;
    SelectorIndex selectors_;
    std::vector<std::vector<ConsumerClass*>> by_selector_;  ///< By SelectorIndex::Id.
    std::set<ConsumerClass::Rank> order_;                   ///< Of classes that can be served.
    bool is_matching_ = false;
    std::size_t entries_ = 0;  ///< Candidates of all classes, and of values that nobody wants.
    std::size_t prune_at_;
    std::uint64_t served_ = 0;
    std::optional<std::uint64_t> held_back_;
    bool is_unfinished_ = false;
    std::vector<SelectorIndex::Id> matched_;

    std::unordered_map<std::string, Group> groups_;
    std::list<std::string> group_uses_;  ///< The least recently used first.

    Consumer* active_ = nullptr;  ///< The one that gets all, if there is to be one.
    bool is_single_ = false;
};

}  // namespace engine
