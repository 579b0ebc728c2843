// What a peer did wrong, as a value: token, sentence, remedy.
// The one table of wire texts and WebSocket close codes (P-ERR-08). No exceptions.
#pragma once

#include "protocol/limit_key.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace protocol {

enum class ErrorCode : std::uint8_t {
    bad_frame,
    bad_header,
    missing_header,
    bad_state,
    version_unsupported,
    frame_timeout,
    bad_utf8,
    auth_failed,
    token_expired,
    access_denied,
    connect_timeout,
    bad_destination,
    bad_selector,
    unsupported,
    limit_subscriptions,
    limit_transaction,
    limit_queues,
    abuse,
    kicked,
    replaced,
    revoked,
    frame_too_large,
    header_too_large,
    internal,
    storage_failed,
    shutdown,
    overload,
    disk_full,
    queue_full,
    storage_timeout,
    slow_consumer,
    heartbeat_timeout,
    rate_limited,
    limit_connections,
};

inline constexpr std::size_t error_code_count =
    static_cast<std::size_t>(ErrorCode::limit_connections) + 1;

/// The stable token: ERROR's `message` header, first word of the close reason, metric label.
[[nodiscard]] std::string_view token(ErrorCode code);

/// The WebSocket close code that goes with the token (P-ERR-08).
[[nodiscard]] std::uint16_t close_code(ErrorCode code);

/// One refusal. `what` and `remedy` are the two lines of the ERROR body (P-ERR-04); they never
/// contain credentials and quote at most 200 octets of the peer's own text.
struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string what;
    std::string remedy;
    std::string_view rule = {};       ///< Cited as a third line in strict mode, e.g. "P-FRAME-05".
    LimitKey limit = LimitKey::none;  ///< The limit that was reached; the remedy names its key.
    bool is_logged = false;           ///< Whoever made it has written its line in the log.
    std::string destination = {};     ///< What it is about, for the log.
    std::string trace = {};           ///< The refused frame's `traceparent` (W3C), for the log.
};

template <class T>
using Result = boost::system::result<T, Error>;

/// `text` with control octets escaped, cut to 200 octets, for quoting in an Error.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace protocol
