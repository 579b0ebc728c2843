// What a SUBSCRIBE or SEND says about the queue that it names (P-SUB-14): RabbitMQ's arguments.
// A plain value; what is absent is no opinion.
#pragma once

#include "protocol/error.hpp"
#include "protocol/frame.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engine {

/// What a full queue does with the next message (P-SEND-08).
enum class Overflow : std::uint8_t {
    reject,     ///< Refuses it, `queue-full`.
    drop_head,  ///< Drops the oldest waiting message.
    block,      ///< Takes it, and reads nothing more from its publisher until there is room.
};

struct QueueArguments {
    std::optional<bool> durable;
    std::optional<bool> auto_delete;  ///< Removed when its last consumer leaves.
    std::optional<bool> exclusive;    ///< Of the connection that makes it, and removed with it.
    std::optional<std::chrono::milliseconds> idle_life;    ///< `x-expires`.
    std::optional<std::chrono::milliseconds> message_ttl;  ///< `x-message-ttl`.
    std::optional<std::uint64_t> messages_max;             ///< `x-max-length`.
    std::optional<std::uint64_t> bytes_max;                ///< `x-max-length-bytes`.
    std::optional<Overflow> overflow;                      ///< `x-overflow`.
    std::optional<int> priority_max;                       ///< `x-max-priority`, 1 to 255.
    std::optional<std::string> dead_letter_exchange;
    std::optional<std::string> dead_letter_key;

    /// For the store, in the queue's definition; from_attributes() undoes it.
    [[nodiscard]] std::string attributes() const;
    [[nodiscard]] static QueueArguments from_attributes(std::string_view text);

    /// As headers that queue_arguments() reads back.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> headers() const;

    friend bool operator==(const QueueArguments&, const QueueArguments&) = default;
};

/// The arguments among `headers`. `is_subscribe`: `persistent` stands for `durable`. Refuses
/// `bad-header` what cannot be understood, and `unsupported` for streams (P-SUB-14).
[[nodiscard]] protocol::Result<QueueArguments> queue_arguments(
    std::span<const protocol::Header> headers, bool is_subscribe
);

/// Whether `name` is such an argument, which SEND does not forward (P-SEND-04).
[[nodiscard]] bool is_queue_argument(std::string_view name);

/// Where dead letters of queue `name` (canonical) go by RabbitMQ's arguments, as a destination.
[[nodiscard]] std::optional<std::string> dead_letter_destination(
    const QueueArguments& arguments, std::string_view name
);

[[nodiscard]] std::string_view name_of(Overflow overflow);

}  // namespace engine
