// A queue's record of one consumer, and of the consumers that take the same messages.
// Live on the queue's shard.
#pragma once

#include "broker/engine/access.hpp"
#include "broker/engine/backlog.hpp"
#include "broker/engine/selector.hpp"
#include "broker/engine/shard.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace engine {

class Destinations;
class Session;
class Subscription;
struct Consumer;

/// How much one consumer may hold unsettled, and its rank.
struct ConsumerWindow {
    std::size_t messages = 256;
    std::size_t bytes = 4 * 1024 * 1024;
    int priority = 0;
};

/// Places of messages that a class may take, in order. Some may be gone already.
class Candidates {
public:
    [[nodiscard]] bool empty() const { return fresh_.empty() && earlier_.empty(); }

    [[nodiscard]] std::size_t size() const { return fresh_.size() + earlier_.size(); }

    [[nodiscard]] Place front() const {
        const bool is_earlier =
            !earlier_.empty() && (fresh_.empty() || *earlier_.begin() < fresh_[0]);
        return is_earlier ? *earlier_.begin() : fresh_[0];
    }

    /// False if it is among them already.
    bool push(Place place) {
        if (!fresh_.empty() && place <= fresh_.back()) { return earlier_.insert(place).second; }
        fresh_.push_back(place);
        return true;
    }

    void pop() {
        if (!earlier_.empty() && (fresh_.empty() || *earlier_.begin() < fresh_[0])) {
            earlier_.erase(earlier_.begin());
        } else {
            (void)fresh_.pop_front();
        }
    }

    /// Forgets those at `place` and behind it; how many.
    std::size_t cut(Place place) {
        const std::size_t before = size();
        while (!fresh_.empty() && fresh_.back() >= place) {
            fresh_.pop_back();
        }
        earlier_.erase(earlier_.lower_bound(place), earlier_.end());
        return before - size();
    }

    void clear() {
        fresh_ = {};
        earlier_.clear();
    }

private:
    Fifo<Place> fresh_;
    std::set<Place> earlier_;
};

struct ConsumerClass;

/// The values of one header among the waiting messages: for classes that want one value each, also
/// for those that are still to come.
struct HeaderIndex {
    std::string name;
    std::size_t classes = 0;
    std::unordered_map<std::string, ConsumerClass*> wanted;
    std::unordered_map<std::string, Candidates> others;  ///< Values that nobody wants now.
    bool is_partial = false;                             ///< There was no room for some others.
    /// From here on the backlog has not been looked through.
    std::optional<Place> unseen_from = Place{};
};

/// Consumers that take the same messages: those of one selector (or none), or a single consumer for
/// the groups that are bound to it.
struct ConsumerClass {
    SelectorRef selector;
    std::optional<std::uint32_t> selector_id;  ///< If it is looked for among all selectors,
    HeaderIndex* header = nullptr;             ///< or, for `header = 'literal'`, by that header.
    std::uint64_t not_from = 0;                ///< A session whose messages it does not take.
    Consumer* owner = nullptr;                 ///< Of a class for bound groups.
    std::size_t consumers = 0;

    /// Those with window and budget, in turn, by falling priority.
    std::map<int, std::list<Consumer*>, std::greater<>> ready;

    Candidates candidates;
    /// From here on the backlog has not been looked through for this class (again).
    std::optional<Place> unseen_from;
    bool is_looking = false;  ///< While look_through() runs: it takes part.

    /// Its rank among classes that can be served: lower is first.
    struct Rank {
        int falling_priority = 0;
        Place place;
        std::uint64_t served = 0;
        ConsumerClass* consumers = nullptr;

        friend auto operator<=>(const Rank&, const Rank&) = default;
    };

    std::optional<Rank> rank;  ///< Set while it is in the order of those that can be served.
    std::uint64_t served = 0;
};

/// A handle for the subscription, meaningful on the home shard only.
struct Consumer {
    Subscription* local = nullptr;          ///< On the home shard: called directly.
    Destinations* remote_router = nullptr;  ///< Else: where to post deliveries to,
    std::weak_ptr<Subscription> remote;     ///< and for whom.
    Remote<Session> owner;                  ///< To be told when the queue goes.
    const Session* owner_id = nullptr;      ///< To be compared, not looked into.
    std::string subscription_id;            ///< For what the owner is told.
    std::string session;                    ///< Session::name(), for operators,
    std::string user;                       ///< as is its user.
    SelectorRef selector;                   ///< Null: takes everything.
    std::uint64_t publisher = 0;            ///< Its session's number.
    bool no_local = false;                  ///< Its own messages stay for others.
    bool discards_own = false;              ///< They leave instead.
    AccessRef access = {};                  ///< If set, asked for each message (S-ACL-06).
    bool may_create = true;                 ///< The queue, if it is not there yet.
    bool wants_all = false;                 ///< Single active consumer (`activemq.exclusive`).
    ConsumerWindow window;
    std::size_t unsettled = 0;
    std::size_t unsettled_bytes = 0;
    bool is_blocked = false;  ///< Its connection's output is congested.
    bool is_closed = false;   ///< Unsubscribed; stays until all is settled.

    // The dispatcher's own.

    bool is_ready = false;  ///< In the ring of those that may get the next message.
    std::list<Consumer*>::iterator ring_position;
    ConsumerClass* type = nullptr;
    std::unique_ptr<ConsumerClass> bound;  ///< Messages of the groups that are bound to it.
    std::size_t groups = 0;
};

}  // namespace engine
