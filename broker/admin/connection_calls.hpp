// The calls about connections and their subscriptions: lists, one of them, sending them away.
// No call holds a shard for long: lists are made in steps, and sorted as far as a page needs it.
#pragma once

#include "broker/admin/api.hpp"
#include "broker/admin/rate_table.hpp"
#include "broker/admin/shards.hpp"

#include <memory>
#include <vector>

namespace admin {

/// What the calls about connections share; outlives them.
class ConnectionCalls {
public:
    explicit ConnectionCalls(const Shards& shards);

    /// GET and DELETE /api/v1/connections..., DELETE /api/v1/users/{name}/connections. Both outlive
    /// the calls.
    void add_to(Api& api);

private:
    boost::asio::awaitable<Response> list(const Call& call) const;
    boost::asio::awaitable<Response> one(const Call& call) const;
    boost::asio::awaitable<Response> kick(const Call& call) const;
    boost::asio::awaitable<Response> kick_user(const Call& call) const;

    const Shards& shards_;
    /// One for each shard, each touched there only.
    const std::vector<std::shared_ptr<RateTable>> rates_;
};

/// GET /api/v1/subscriptions. Both outlive the calls.
void add_subscription_calls(Api& api, const Shards& shards);

}  // namespace admin
