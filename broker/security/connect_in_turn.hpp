// Connecting to the first that answers of the addresses that a name has.
// One after the other, each for its share of the time that is left.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <chrono>
#include <vector>

namespace security {

/// Ends at `deadline` at the latest, or when somebody else closes `socket` after that. The last
/// failure if no address takes a connection; host_not_found if there is none. On the socket's own
/// thread; the socket outlives it.
[[nodiscard]] boost::asio::awaitable<boost::system::error_code> connect_in_turn(
    boost::asio::generic::stream_protocol::socket& socket,
    std::vector<boost::asio::generic::stream_protocol::endpoint> endpoints,
    std::chrono::steady_clock::time_point deadline
);

}  // namespace security
