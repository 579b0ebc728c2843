// Every bound and default of the engine in one struct (P-LIM-01; hard maxima in server/config).
// Octets, messages, or std::chrono durations, as the names and types say.
#pragma once

#include "protocol/heart_beat.hpp"
#include "protocol/limits.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace engine {

struct Limits {
    protocol::Limits protocol;
    protocol::HeartBeatOptions heart_beat;

    std::size_t subscriptions_max = 1000;          ///< Per connection.
    std::size_t wildcard_subscriptions_max = 100;  ///< Among them.
    std::size_t temporary_destinations_max = 16;   ///< Per connection.
    std::size_t transactions_max = 16;             ///< Open ones per connection.
    std::size_t transaction_frames_max = 1000;
    std::size_t transaction_bytes_max = 4 * 1024 * 1024;
    std::chrono::milliseconds transaction_idle = std::chrono::seconds(60);
    std::size_t window_messages = 256;  ///< Default per subscription in client modes.
    std::size_t window_bytes = 4 * 1024 * 1024;
    std::size_t window_messages_max = 65'535;
    std::size_t window_bytes_max = 64 * 1024 * 1024;
    std::chrono::milliseconds ack_time = std::chrono::minutes(30);
    std::uint32_t delivery_limit = 20;  ///< Deliveries before a message is dead-lettered.
    std::size_t queue_messages_max = 1'000'000;
    std::size_t queue_bytes_max = 256 * 1024 * 1024;
    std::size_t queues_max = 200'000;                  ///< On all shards together.
    std::size_t queue_memory_bytes = 8 * 1024 * 1024;  ///< Of a durable queue's waiting messages.
    bool early_delivery = false;  ///< Durable messages go to consumers before they are stored.
    std::size_t durable_subscriptions_max = 10'000;  ///< Per user.
    std::size_t idle_topics_max =
        100'000;  ///< Topics without subscriber kept as a cache, per shard.
    std::chrono::milliseconds unused_destination_life = std::chrono::seconds(60);  ///< P-DEST-10.
    std::size_t selector_bytes_max = 512;
    std::size_t selector_nodes_max = 64;
    std::size_t selector_depth_max = 16;
    std::size_t retained_max = 100'000;   ///< Retained messages, on all shards together.
    std::size_t scheduled_max = 100'000;  ///< Delayed messages of one destination.
    std::chrono::milliseconds duplicate_window = std::chrono::minutes(2);  ///< P-QOS-06.
    std::size_t duplicate_ids_max = 100'000;      ///< Ids of one destination.
    std::size_t duplicate_ids_all_max = 500'000;  ///< On all shards together.
    std::size_t outbound_ahead_max = 128 * 1024;  ///< Encoded octets ahead of the socket.
    std::size_t outbound_bytes_max = 4 * 1024 * 1024;
    std::chrono::milliseconds outbound_stall = std::chrono::seconds(10);
    std::size_t large_body = 8 * 1024;  ///< Bodies from here on are referenced, not copied.
    bool nack_requeues = true;          ///< Default of NACK's `requeue` (P-ACK-06).
    bool hide_version = false;          ///< P-CONN-09.
};

}  // namespace engine
