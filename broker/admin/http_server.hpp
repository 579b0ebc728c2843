// The admin listener: HTTP/1.1 for health, metrics, API and console, on the first shard's
// io_context. WebSocket upgrades at /ws are handed over to the transport. At most 64 connections at
// a time, of which those that wait for a request make room for newcomers (S-RATE-03); heads of
// 8 KiB; bodies are read only once their call is known and allowed.
#pragma once

#include "broker/admin/api.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace admin {

/// The answer to a GET of a file of the console; nothing if there is none.
using FindFile = std::function<std::optional<Response>(std::string_view path)>;
/// Takes over a connection whose first request asks for /ws; `octets`: what was read of it.
using HandOver = std::function<void(boost::asio::ip::tcp::socket socket, std::string octets)>;

class HttpServer {
public:
    /// Binds at once, or listens on `descriptor` if that is not negative; throws
    /// std::runtime_error that names the address and the cause.
    HttpServer(
        boost::asio::io_context& io,
        const std::string& host,
        std::uint16_t port,
        int descriptor = -1
    );
    ~HttpServer();

    /// From now on requests are answered. `api` outlives the server.
    void start(Api& api, FindFile files, HandOver hand_over);
    void stop();
    [[nodiscard]] std::uint16_t port() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace admin
