// A subscription as the API shows it.
#pragma once

#include "broker/admin/shards.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace engine {
class Session;
class Subscription;
}  // namespace engine

namespace admin {

/// A copy, at one moment.
struct SubscriptionView {
    std::string connection;
    std::string user;
    std::string id;
    std::string destination;
    std::string_view ack;
    std::string selector;
    std::string durable;
    std::string durable_key;  ///< Where its backlog is to be found; empty: it has none.
    std::size_t prefetch = 0;
    std::uint64_t delivered = 0;
    std::size_t unacked = 0;
    std::size_t pending = 0;
    std::uint64_t dropped = 0;
    std::size_t lag = 0;  ///< Not known on the connection's shard.
};

/// On the connection's shard.
[[nodiscard]] SubscriptionView view_of(
    const engine::Session& session, const engine::Subscription& subscription
);

[[nodiscard]] boost::json::object to_json(const SubscriptionView& view);

/// How many messages wait in the backlog of each durable subscription, by its key.
using Lags = std::map<std::string, std::size_t, std::less<>>;

/// Where the key of a durable subscription comes from, here and in `Lags`.
[[nodiscard]] std::string durable_key_of(const engine::Subscription& subscription);

/// Of all of them.
[[nodiscard]] boost::asio::awaitable<Lags> lags_of_all(const Shards& shards);

/// Fills in `lag`.
[[nodiscard]] boost::asio::awaitable<void> add_lags(
    const Shards& shards, std::vector<SubscriptionView>& views
);

}  // namespace admin
