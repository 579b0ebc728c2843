// The broker at a glance: what the server knows, what the shards know, the rates.
// A picture of one moment; asking costs each shard one look at its sessions and queues.
#pragma once

#include "broker/admin/sampler.hpp"
#include "broker/admin/shards.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace admin {

/// Something that an operator should do something about.
struct Alarm {
    std::string kind;  ///< `memory`, `disk`, `store`, `certificate` or `draining`.
    int level = 1;     ///< 2: traffic is held back.
    std::string text;  ///< What it means and what to do.
};

struct ListenerView {
    std::string name;
    bool is_web_socket = false;
    std::string url;
    bool is_tls = false;
};

/// What only the server knows.
struct ServerView {
    std::string state;  ///< `starting`, `serving` or `draining`.
    std::string durability;
    engine::Instant started_at{0};
    std::size_t connections = 0;
    std::size_t unauthenticated = 0;
    std::uint64_t memory_limit = 0;
    int memory_alarm = 0;
    std::uint64_t disk_free = 0;  ///< 0: there is no store.
    std::uint64_t store_bytes = 0;
    bool has_store_failed = false;
    std::vector<Alarm> alarms;
    std::vector<ListenerView> listeners;
};

/// What one shard knows.
struct ShardView {
    std::size_t connections = 0;
    std::size_t queues = 0;
    std::size_t topics = 0;
    std::int64_t memory_bytes = 0;
    std::size_t subscriptions = 0;
    std::size_t waiting = 0;  ///< In queues.
    std::size_t unacked = 0;
    std::map<std::string, std::size_t> by_listener;  ///< Connections.
    double answered_ms = 0;                          ///< After being asked.
};

/// All shards, in their order.
[[nodiscard]] boost::asio::awaitable<std::vector<ShardView>> ask_shards(const Shards& shards);

/// The schema `Overview`.
[[nodiscard]] boost::json::object overview_json(
    const ServerView& server, const Sampler& sampler, const std::vector<ShardView>& shards
);

}  // namespace admin
