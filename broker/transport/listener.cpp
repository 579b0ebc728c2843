#include "broker/transport/listener.hpp"

#include "broker/log/log.hpp"
#include "broker/transport/turned_away.hpp"

#include <boost/asio/ip/v6_only.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace transport {

using protocol::LimitKey;

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int backlog = 4096;
constexpr int batch = 64;
constexpr std::chrono::milliseconds pause_time{100};
constexpr std::size_t closing_max =
    256;  // Of the unauthenticated: those that shards have yet to close.

void set_option(int descriptor, int level, int name, int value) {
    ::setsockopt(descriptor, level, name, &value, sizeof value);
}

// P-TCP-02: dead peers that owe no beats are found by the kernel.
void set_options(int descriptor, bool keep_alive) {
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!keep_alive) { return; }
    set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 6);
}

engine::Peer peer_of(const sockaddr_storage& address) {
    IpAddress ip;
    if (address.ss_family == AF_INET) {
        std::array<std::uint8_t, 4> octets{};
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        std::memcpy(octets.data(), &v4.sin_addr, octets.size());
        ip = IpAddress::v4(octets);
    } else {
        std::array<std::uint8_t, 16> octets{};
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
        ip = IpAddress::v6(octets);
    }
    engine::Peer peer;
    name_peer(peer, ip);
    return peer;
}

/// A descriptor that was accepted and counted, until a connection has it.
class Accepted {
public:
    Accepted(int descriptor, const Post& post, Census& census, std::string network, bool is_exempt)
        : descriptor_(descriptor),
          post_(post),
          census_(census),
          network_(std::move(network)),
          is_exempt_(is_exempt) {
        post_.shard->load.fetch_add(1, std::memory_order_relaxed);
    }

    ~Accepted() {
        if (is_over_) { return; }
        if (descriptor_ >= 0) { ::close(descriptor_); }
        census_.left(network_, is_exempt_, false);
        post_.shard->load.fetch_sub(1, std::memory_order_relaxed);
    }

    Accepted(const Accepted&) = delete;
    Accepted& operator=(const Accepted&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }

    [[nodiscard]] const Post& post() const { return post_; }

    [[nodiscard]] bool is_exempt() const { return is_exempt_; }

    /// A socket closes it.
    void has_socket() { descriptor_ = -1; }

    /// A connection counts for itself.
    void has_connection() { is_over_ = true; }

private:
    int descriptor_;
    const Post post_;
    Census& census_;
    const std::string network_;
    const bool is_exempt_;
    bool is_over_ = false;
};

// On the connection's own shard. Without memory nothing is left of it (S-PROC-02).
void begin(
    Accepted& accepted,
    const std::shared_ptr<const ConnectionContext>& context,
    bool is_v6,
    engine::Peer peer,
    std::string octets = {}
) {
    const Post& post = accepted.post();
    Socket socket(post.shard->io());
    boost::system::error_code ec;
    socket.assign(is_v6 ? tcp::v6() : tcp::v4(), accepted.descriptor(), ec);
    if (ec) { return; }
    accepted.has_socket();
    peer.listener = context->listener_name;
    peer.is_tls = context->tls != nullptr;
    const auto connection = std::make_shared<Connection>(
        *post.shard,
        *context,
        *post.connections,
        std::move(socket),
        std::move(peer),
        accepted.is_exempt()
    );
    post.connections->add(connection);
    accepted.has_connection();
    connection->start(std::move(octets));
}

const Post& least_loaded(const std::vector<Post>& posts) {
    return *std::ranges::min_element(posts, {}, [](const Post& post) {
        return post.shard->load.load(std::memory_order_relaxed);
    });
}

// Counted, or the limit that this would cross.
LimitKey admit(
    const std::vector<Post>& posts,
    const ConnectionContext& context,
    const engine::Peer& peer,
    bool is_exempt
) {
    const IoShard& shard = *posts.front().shard;
    if (shard.memory_alarm() >= 2) { return LimitKey::memory_alarm_2; }
    const std::string network = is_exempt ? std::string() : peer.network;
    if (!context.rates.admit(network, shard.options(), shard.now())) {
        return LimitKey::connections_per_second_per_ip;
    }
    const bool is_full = context.census.is_waiting_room_full();
    const LimitKey crossed = context.census.admit(peer.network, is_exempt, closing_max);
    if (is_full && crossed == LimitKey::none) {
        // Room is made where most wait.
        const auto fullest = std::ranges::max_element(posts, {}, [](const Post& post) {
            return post.connections->waiting();
        });
        fullest->shard->post([connections = fullest->connections] { connections->make_room(); });
    }
    return crossed;
}

// Said in the listener's own protocol, but for TLS, which would cost more than turning away saves.
void turn_away(
    const std::vector<Post>& posts,
    const ConnectionContext& context,
    int descriptor,
    const engine::Peer& peer,
    LimitKey crossed
) {
    const protocol::Error error = turned_away_by(crossed);
    IoShard& shard = *posts.front().shard;
    shard.output().counters.count(error);
    ++shard.counters().turned_away[static_cast<std::size_t>(error.code)];
    note_refusal(shard, error, {peer.address, context.listener_name});
    if (context.tls == nullptr) {
        const std::string text =
            context.kind == ListenerKind::web_socket ? as_response(error) : as_frame(error);
        ::send(descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    ::shutdown(descriptor, SHUT_RDWR);
    ::close(descriptor);
}

}  // namespace

void turn_away_later(int descriptor, std::string_view why) {
    const std::string text = HttpUpgrade::try_later_response(503, why);
    ::send(descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(descriptor, SHUT_RDWR);
    ::close(descriptor);
}

bool adopt(
    const std::vector<Post>& posts,
    const std::shared_ptr<const ConnectionContext>& context,
    int descriptor,
    std::string octets
) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        ::close(descriptor);
        return false;
    }
    engine::Peer peer = peer_of(address);
    const bool is_exempt = context->census.is_exempt(peer.address, peer.is_loopback);
    if (const LimitKey crossed = admit(posts, *context, peer, is_exempt);
        crossed != LimitKey::none) {
        turn_away(posts, *context, descriptor, peer, crossed);
        return false;
    }
    const Post& post = least_loaded(posts);
    const auto accepted =
        std::make_shared<Accepted>(descriptor, post, context->census, peer.network, is_exempt);
    set_options(descriptor, false);
    const bool is_v6 = address.ss_family == AF_INET6;
    post.shard->post([accepted, context, is_v6, peer = std::move(peer), octets = std::move(octets)](
                     ) mutable {
        begin(*accepted, context, is_v6, std::move(peer), std::move(octets));
    });
    return true;
}

Listener::Listener(std::vector<Post> posts, std::shared_ptr<const ConnectionContext> context)
    : posts_(std::move(posts)),
      context_(std::move(context)),
      acceptor_(posts_.front().shard->io()),
      timer_(posts_.front().shard->io()) {}

Listener::Listener(
    std::vector<Post> posts,
    std::shared_ptr<const ConnectionContext> context,
    const std::string& host,
    std::uint16_t port
)
    : Listener(std::move(posts), std::move(context)) {
    boost::system::error_code ec;
    const tcp::endpoint endpoint(asio::ip::make_address(host, ec), port);
    const auto check = [&](const char* what) {
        if (!ec) { return; }
        throw std::runtime_error(
            "Cannot " + std::string(what) + " " + host + " port " + std::to_string(port) + ": " +
            ec.message() + ". Choose another address or port, or stop the program that uses it."
        );
    };
    check("understand the address");
    acceptor_.open(endpoint.protocol(), ec);
    check("open a socket for");
    acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
    if (endpoint.address().is_v6()) { acceptor_.set_option(asio::ip::v6_only(true), ec); }
    acceptor_.bind(endpoint, ec);
    check("bind");
    acceptor_.listen(backlog, ec);
    check("listen on");
    acceptor_.non_blocking(true, ec);
    port_ = acceptor_.local_endpoint(ec).port();
}

Listener::Listener(
    std::vector<Post> posts, std::shared_ptr<const ConnectionContext> context, int descriptor
)
    : Listener(std::move(posts), std::move(context)) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    boost::system::error_code ec;
    acceptor_.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), descriptor, ec);
    if (!ec) { acceptor_.non_blocking(true, ec); }
    if (!ec) { port_ = acceptor_.local_endpoint(ec).port(); }
    if (ec) {
        throw std::runtime_error(
            "Cannot take over the socket that is descriptor " + std::to_string(descriptor) + ": " +
            ec.message() + "."
        );
    }
}

void Listener::start() {
    wait();
}

void Listener::stop() {
    stopped_ = true;
    boost::system::error_code ec;
    acceptor_.close(ec);
    timer_.cancel();
}

void Listener::wait() {
    if (stopped_) { return; }
    acceptor_.async_wait(
        tcp::acceptor::wait_read,
        [self = shared_from_this()](const boost::system::error_code& ec) {
            if (!ec && !self->stopped_) { self->accept_some(); }
        }
    );
}

void Listener::accept_some() {
    try {
        for (int i = 0; i < batch; ++i) {
            const bool is_full = context_->census.is_waiting_room_full();
            if (!std::exchange(was_full_, is_full) && is_full) { return pause("unauthenticated"); }
            if (!accept_one()) { return; }
        }
        wait();
    } catch (const std::bad_alloc&) { pause("out of memory"); }
}

// False if accepting stops for now.
bool Listener::accept_one() {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int descriptor = ::accept4(
        acceptor_.native_handle(),
        reinterpret_cast<sockaddr*>(&address),
        &size,
        SOCK_NONBLOCK | SOCK_CLOEXEC
    );
    if (descriptor < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause(std::strerror(errno));
            return false;
        }
        wait();
        return false;
    }
    engine::Peer peer = peer_of(address);
    const bool is_v6 = address.ss_family == AF_INET6;
    const Post& least = least_loaded(posts_);
    set_options(descriptor, context_->kind == ListenerKind::tcp);
    const bool is_exempt = context_->census.is_exempt(peer.address, peer.is_loopback) ||
                           context_->may_be_proxy(peer.address);
    if (const LimitKey crossed = admit(posts_, *context_, peer, is_exempt);
        crossed != LimitKey::none) {
        turn_away(posts_, *context_, descriptor, peer, crossed);
        return true;
    }
    std::shared_ptr<Accepted> accepted;
    try {
        accepted = std::make_shared<Accepted>(
            descriptor, least, context_->census, peer.network, is_exempt
        );
    } catch (const std::bad_alloc&) {
        ::close(descriptor);
        context_->census.left(peer.network, is_exempt, false);
        throw;
    }
    // The socket object is made on its own shard: nobody else may touch that shard's reactor.
    if (least.shard == posts_.front().shard) {
        begin(*accepted, context_, is_v6, std::move(peer));
        return true;
    }
    least.shard->post([accepted, context = context_, is_v6, peer = std::move(peer)]() mutable {
        begin(*accepted, context, is_v6, std::move(peer));
    });
    return true;
}

// Descriptors, or patience with the unauthenticated, have run out: try again soon, never spin.
void Listener::pause(const char* why) {
    logging::warn(
        "accept-paused",
        "Accepting pauses for 100 ms.",
        {{"listener", context_->listener_name}, {"reason", why}}
    );
    timer_.expires_after(pause_time);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
        if (!ec) { self->accept_some(); }
    });
}

}  // namespace transport
