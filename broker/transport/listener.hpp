// One listening socket: accepts in batches and hands each connection to the least loaded shard.
// Lives on the first shard. Out of descriptors it pauses instead of spinning (S-RATE-03).
#pragma once

#include "broker/transport/connection.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>
#include <vector>

namespace transport {

/// A shard and the connections on it.
struct Post {
    IoShard* shard;
    ConnectionSet* connections;
};

/// Answers 503 with `why` to an HTTP request and closes `descriptor`.
void turn_away_later(int descriptor, std::string_view why);

/// A connection that another accepted and read `octets` of, without TLS: it goes on on the least
/// loaded shard, as one of `context`. False: a limit is in the way, which it was told; the
/// descriptor is closed. First shard.
bool adopt(
    const std::vector<Post>& posts,
    const std::shared_ptr<const ConnectionContext>& context,
    int descriptor,
    std::string octets
);

class Listener : public std::enable_shared_from_this<Listener> {
public:
    /// Binds and listens at once; throws std::runtime_error that names the address and the cause.
    Listener(
        std::vector<Post> posts,
        std::shared_ptr<const ConnectionContext> context,
        const std::string& host,
        std::uint16_t port
    );

    /// Takes over `descriptor`, a TCP socket that listens already. Throws std::runtime_error.
    Listener(
        std::vector<Post> posts, std::shared_ptr<const ConnectionContext> context, int descriptor
    );

    /// From now on connections are accepted.
    void start();
    void stop();

    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    Listener(std::vector<Post> posts, std::shared_ptr<const ConnectionContext> context);

    void wait();
    void accept_some();
    bool accept_one();
    void pause(const char* why);

    std::vector<Post> posts_;
    std::shared_ptr<const ConnectionContext> context_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer timer_;
    std::uint16_t port_ = 0;
    bool stopped_ = false;
    bool was_full_ = false;  ///< The unauthenticated cap was reached, and one pause has been made.
};

}  // namespace transport
