// Client frames as typed requests: required headers are checked here and nowhere else.
// Pure; every view points into the frame and lives as long as it does.
#pragma once

#include "protocol/error.hpp"
#include "protocol/frame.hpp"
#include "protocol/limits.hpp"
#include "protocol/version.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace protocol {

enum class AckMode : std::uint8_t { automatic, client, client_individual };

struct Connect {
    std::optional<std::string_view> accept_version;
    std::optional<std::string_view> host;
    std::optional<std::string_view> login;
    std::optional<std::string_view> passcode;
    std::optional<std::string_view> authorization;
    std::optional<std::string_view> heart_beat;
    std::optional<std::string_view> client_id;
    std::optional<std::string_view> request_id;
};

struct Send {
    std::string_view destination;
    std::optional<std::string_view> receipt;
    std::optional<std::string_view> transaction;
    std::span<const Header> headers;  ///< All of them; the engine decides what is forwarded.
    std::string_view body;
    bool repeats_head = false;
    bool is_utf8 = false;  ///< The body is known to be valid UTF-8.
};

struct Subscribe {
    std::string_view destination;
    std::optional<std::string_view> id;  ///< Absent only in 1.0.
    AckMode ack = AckMode::automatic;
    std::optional<std::string_view> receipt;
    std::span<const Header> headers;
};

struct Unsubscribe {
    std::optional<std::string_view> id;
    std::optional<std::string_view> destination;  ///< Stands for `id` in 1.0 (P-SUB-05).
    std::optional<std::string_view> receipt;
    std::span<const Header> headers;
};

/// ACK or NACK (P-ACK-02: `token` is the one of `id` and `message-id` that counts).
struct Settle {
    bool is_nack = false;
    std::string_view token;
    std::optional<std::string_view> subscription;
    std::optional<std::string_view> transaction;
    std::optional<std::string_view> receipt;
    std::span<const Header> headers;
};

struct Begin {
    std::string_view transaction;
    std::optional<std::string_view> receipt;
};

struct Commit {
    std::string_view transaction;
    std::optional<std::string_view> receipt;
};

struct Abort {
    std::string_view transaction;
    std::optional<std::string_view> receipt;
};

struct Disconnect {
    std::optional<std::string_view> receipt;
};

using Request =
    std::variant<Connect, Send, Subscribe, Unsubscribe, Settle, Begin, Commit, Abort, Disconnect>;

/// Checks `frame` for `version` (P-VER-05). Refuses `missing-header`, `bad-header`, and `bad-frame`
/// for ids beyond `Limits::id_bytes_max`, server commands, and NACK in 1.0.
[[nodiscard]] Result<Request> to_request(const Frame& frame, Version version, const Limits& limits);

/// `true True false False` (P-SUB-11); anything else is `bad-header` naming `name`.
[[nodiscard]] Result<bool> parse_boolean(std::string_view name, std::string_view value);

/// A decimal integer in [low, high], optional leading `-`; anything else is `bad-header` naming
/// `name`.
[[nodiscard]] Result<std::int64_t> parse_integer(
    std::string_view name, std::string_view value, std::int64_t low, std::int64_t high
);

}  // namespace protocol
