// Opening a connection to a broker: resolve, TCP, TLS, WebSocket upgrade, as one coroutine.
// Only the last step speaks HTTP (Beast); nothing here speaks STOMP.
#pragma once

#include "broker/cli/target.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <chrono>
#include <string>
#include <variant>

namespace cli {

using PlainStream = boost::asio::ip::tcp::socket;
using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;
using AnyStream = std::variant<PlainStream, TlsStream>;

/// How a connection came to be.
struct Opening {
    std::string sub_protocol;  ///< Empty: none was chosen, or not a WebSocket.
    std::string tls;           ///< Version and cipher; empty without TLS.
    std::string certificate;   ///< The peer's subject and last day; empty without TLS.
    std::chrono::nanoseconds tcp_time{0};
    std::chrono::nanoseconds tls_time{0};
    std::chrono::nanoseconds upgrade_time{0};
};

struct Dialed {
    AnyStream stream;
    std::string first_octets;  ///< What came together with the answer to the upgrade.
    Opening opening;
};

/// Connects to `target`, which must live until it is done. Throws Failure with what went wrong,
/// where, and how to mend it. The caller sets the time limit.
[[nodiscard]] boost::asio::awaitable<Dialed> dial(
    boost::asio::io_context& io, const Target& target
);

}  // namespace cli
