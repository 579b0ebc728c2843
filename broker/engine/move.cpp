#include "broker/engine/move.hpp"

#include "broker/engine/message_headers.hpp"
#include "broker/engine/send_head.hpp"
#include "broker/engine/transaction.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace engine {

namespace {

constexpr std::size_t batch_messages = 1000;
constexpr std::size_t batch_bytes = 4 * 1024 * 1024;

// One move under way; it is kept by the work that is posted for it.
class Mover : public std::enable_shared_from_this<Mover> {
public:
    Mover(Destinations& router, MoveOrder order, std::shared_ptr<Queue> queue, MoveDone done)
        : router_(router),
          order_(std::move(order)),
          queue_(std::move(queue)),
          done_(std::move(done)),
          left_(queue_->waiting()) {}

    void go_on() {
        const bool is_over = queue_->is_dropped() || left_ == 0 || moved_.messages >= order_.limit;
        if (is_over) { return done_(std::move(moved_)); }
        if (router_.shard().now() >= order_.deadline) {
            moved_.is_complete = false;
            return done_(std::move(moved_));
        }
        queue_->browse(
            after_,
            {batch_bytes, std::min(batch_messages, left_)},
            [self = shared_from_this()](const Queue::Page& page) { self->take(page); }
        );
    }

private:
    // What one message comes to; nothing if it stays.
    [[nodiscard]] std::optional<Transaction::BufferedSend> resent(const Message& message) {
        if (!selects(order_.filter, message)) { return std::nullopt; }
        const bool is_return = order_.to.empty();
        const std::string to = is_return ? origin_of(message) : order_.to;
        const Route* const route = to.empty() ? nullptr : route_to(to);
        if (route == nullptr) { return std::nullopt; }
        return Transaction::BufferedSend{*route, readdressed(message, to, is_return)};
    }

    // Where it died (P-ACK-11); what died for a durable subscription was sent to a topic.
    [[nodiscard]] static std::string origin_of(const Message& message) {
        const MessageHeaders headers(message);
        const auto queue = headers.find("x-death-queue");
        if (!queue) { return {}; }
        const bool is_queue = queue->starts_with("/queue/");
        return std::string(is_queue ? *queue : headers.find("destination").value_or(""));
    }

    [[nodiscard]] const Route* route_to(const std::string& name) {
        const auto known = routes_.find(name);
        if (known != routes_.end()) { return &known->second; }
        const auto parsed = protocol::parse_destination(name, router_.limits().protocol);
        const bool is_lasting = parsed && (parsed->kind == protocol::DestinationKind::queue ||
                                           parsed->kind == protocol::DestinationKind::topic);
        if (!is_lasting || parsed->canonical() == order_.from) { return nullptr; }
        auto route = router_.route(*parsed);
        if (!route) {
            moved_.error = route.error();
            return nullptr;
        }
        if (routes_.size() >= batch_messages) { routes_.clear(); }
        return &routes_.emplace(name, std::move(*route)).first->second;
    }

    void take(const Queue::Page& page) {
        left_ = page.is_end ? 0 : left_ - std::min(left_, page.messages.size());
        Commitment commitment;
        for (const Queue::Shown& shown : page.messages) {
            const std::size_t count = moved_.messages + taken_.size();
            if (count >= order_.limit || queue_->is_dropped() || moved_.error) { break; }
            auto send = resent(*shown.delivery.message);
            if (!send || !queue_->take(shown)) { continue; }
            taken_.push_back(shown.delivery);
            ++taken_.back().count;
            commitment.sends.push_back(std::move(*send));
        }
        after_ = page.next;
        if (commitment.sends.empty()) { return next(); }
        commit_batch(std::move(commitment));
    }

    // They leave here in the transaction that puts them there.
    void commit_batch(Commitment commitment) {
        const unsigned home = router_.shard().index();
        Settled settled;
        for (const Delivery& delivery : taken_) {
            settled.add(delivery);
        }
        commitment.settlement_homes = {home};
        commitment.settle = [queue = queue_, settled, home](GatheredWork& gathered) {
            gathered[home].push_back([queue, settled] { queue->moved(settled); });
        };
        commitment.applied = [self = shared_from_this()](const std::optional<protocol::Error>& error
                             ) { self->applied(error); };
        commit(router_, std::move(commitment));
    }

    void applied(const std::optional<protocol::Error>& error) {
        if (error) {
            moved_.error = error;
            queue_->give_back(std::exchange(taken_, {}), Return::unseen);
            queue_->dispatch();
        }
        moved_.messages += taken_.size();
        taken_.clear();
        next();
    }

    // Others have their turns.
    void next() {
        if (moved_.error) { return done_(std::move(moved_)); }
        router_.shard().post([self = shared_from_this()] { self->go_on(); });
    }

    Destinations& router_;
    const MoveOrder order_;
    const std::shared_ptr<Queue> queue_;
    MoveDone done_;
    std::size_t left_;  ///< To be looked at: what waited at first.
    std::optional<Place> after_;
    std::map<std::string, Route> routes_;
    std::vector<Delivery> taken_;
    Moved moved_;
};

void purge_on(
    Destinations& router,
    const std::shared_ptr<Queue>& queue,
    std::size_t left,
    Instant deadline,
    Moved moved,
    MoveDone done
) {
    const std::size_t removed =
        queue->is_dropped() ? 0 : queue->purge(std::min(batch_messages, left));
    moved.messages += removed;
    left -= std::min(left, removed);
    moved.is_complete = removed == 0 || left == 0;
    if (moved.is_complete || router.shard().now() >= deadline) { return done(moved); }
    router.shard().post([&router, queue, left, deadline, moved, done = std::move(done)] {
        purge_on(router, queue, left, deadline, moved, done);
    });
}

}  // namespace

void move_messages(Destinations& router, MoveOrder order, MoveDone done) {
    auto queue = router.find_queue(order.from);
    if (!queue) { return done({}); }
    std::make_shared<Mover>(router, std::move(order), std::move(queue), std::move(done))->go_on();
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): one type for both operations.
void purge_messages(Destinations& router, MoveOrder order, MoveDone done) {
    const auto queue = router.find_queue(order.from);
    if (!queue) { return done({}); }
    purge_on(router, queue, queue->waiting(), order.deadline, {}, std::move(done));
}

}  // namespace engine
