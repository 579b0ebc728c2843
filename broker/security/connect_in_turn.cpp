#include "broker/security/connect_in_turn.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>

namespace security {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Endpoint = asio::generic::stream_protocol::endpoint;
using Socket = asio::generic::stream_protocol::socket;

void close(Socket& socket) {
    error_code ignored;
    socket.close(ignored);
}

asio::awaitable<error_code> connect(Socket& socket, Endpoint endpoint, Clock::time_point end) {
    close(socket);
    // The timer's handler may be queued already when the connection is there.
    const auto is_under_way = std::make_shared<bool>(true);
    asio::steady_timer timer(socket.get_executor(), end);
    timer.async_wait([&socket, is_under_way](const error_code& ec) {
        if (!ec && *is_under_way) { close(socket); }
    });
    const auto [ec] = co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
    *is_under_way = false;
    // Closed in between, it may say that it was connected.
    co_return socket.is_open() ? ec : error_code(asio::error::timed_out);
}

}  // namespace

asio::awaitable<error_code> connect_in_turn(
    Socket& socket, std::vector<Endpoint> endpoints, Clock::time_point deadline
) {
    error_code failure = asio::error::host_not_found;
    auto left = static_cast<Clock::rep>(endpoints.size());
    for (const Endpoint& endpoint : endpoints) {
        const auto now = Clock::now();
        if (now >= deadline) { co_return asio::error::timed_out; }
        failure = co_await connect(socket, endpoint, now + (deadline - now) / left);
        if (!failure) { break; }
        --left;
    }
    co_return failure;
}

}  // namespace security
