// Looks at every connection of every shard, some at a time: between them the shard does its work.
// Used from coroutines on the first shard.
#pragma once

#include "broker/admin/shards.hpp"
#include "broker/transport/connection.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace admin {

/// One shard's walk. `Visit` is called as visit(T&, transport::Connection&, unsigned shard) and
/// returns what the look has cost, 1 for a connection that was but looked at.
template <class T, class Visit>
class Walk {
public:
    static constexpr std::size_t turn_cost_max = 1000;

    Walk(const transport::Post& post, T part, Visit visit, std::function<void(T)> done)
        : post_(post), part_(std::move(part)), visit_(std::move(visit)), done_(std::move(done)) {}

    static void start(const std::shared_ptr<Walk>& self) {
        self->connections_ = self->post_.connections->all();
        step(self);
    }

private:
    static void step(const std::shared_ptr<Walk>& self) {
        std::size_t cost = 0;
        while (cost < turn_cost_max && self->at_ < self->connections_.size()) {
            transport::Connection& connection = *self->connections_[self->at_++];
            cost += self->visit_(self->part_, connection, self->post_.shard->index());
        }
        if (self->at_ == self->connections_.size()) { return self->done_(std::move(self->part_)); }
        self->post_.shard->next_turn([self] { step(self); });
    }

    const transport::Post post_;
    T part_;
    Visit visit_;
    std::function<void(T)> done_;
    std::vector<std::shared_ptr<transport::Connection>> connections_;
    std::size_t at_ = 0;
};

/// Visits all connections that there are when a shard begins; one that has ended meanwhile is
/// visited all the same. Each shard begins with a copy of `part`; answers in the shards' order.
template <class T, class Visit>
boost::asio::awaitable<std::vector<T>> walk(const Shards& shards, T part, Visit visit) {
    return shards.gather<T>([part,
                             visit](const transport::Post& post, std::function<void(T)> done) {
        const auto walk = std::make_shared<Walk<T, Visit>>(post, part, visit, std::move(done));
        Walk<T, Visit>::start(walk);
    });
}

}  // namespace admin
