#include "tests/security/tiny_server.hpp"

#include "broker/tls/context.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace security {

namespace {

constexpr int backlog = 256;

std::size_t body_size(const std::string& head) {
    const std::string field = "Content-Length: ";
    const std::size_t at = head.find(field);
    return at == std::string::npos ? 0
                                   : std::strtoul(head.c_str() + at + field.size(), nullptr, 10);
}

int listen_at(const sockaddr* address, socklen_t size) {
    const int descriptor = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(descriptor, address, size), 0);
    EXPECT_EQ(::listen(descriptor, backlog), 0);
    return descriptor;
}

}  // namespace

bool TinyServer::Peer::read_more(std::string& text) {
    char octets[4096];
    const long got = ssl_ != nullptr ? SSL_read(ssl_, octets, sizeof octets)
                                     : ::recv(descriptor_, octets, sizeof octets, 0);
    if (got <= 0) { return false; }
    text.append(octets, static_cast<std::size_t>(got));
    return true;
}

std::string TinyServer::Peer::read_request() {
    std::string text;
    std::size_t end = std::string::npos;
    while (end == std::string::npos) {
        if (!read_more(text)) { return {}; }
        end = text.find("\r\n\r\n");
    }
    const std::size_t size = end + 4 + body_size(text);
    while (text.size() < size) {
        if (!read_more(text)) { return {}; }
    }
    return text;
}

bool TinyServer::Peer::write(std::string_view text) {
    while (!text.empty()) {
        const long sent = ssl_ != nullptr
                              ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                              : ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) { return false; }
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void TinyServer::Peer::hold_back(bool is_held_back) const {
    const int on = is_held_back ? 1 : 0;
    EXPECT_EQ(::setsockopt(descriptor_, IPPROTO_TCP, TCP_CORK, &on, sizeof on), 0);
}

void TinyServer::Peer::write_raw(std::string_view octets) const {
    EXPECT_EQ(
        ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL),
        static_cast<ssize_t>(octets.size())
    );
}

bool TinyServer::Peer::stirs_within(std::chrono::milliseconds time) const {
    pollfd watched{descriptor_, POLLIN, 0};
    return ::poll(&watched, 1, static_cast<int>(time.count())) != 0;
}

void TinyServer::Peer::wait_until_gone() {
    std::string ignored;
    while (read_more(ignored)) {}
}

TinyServer::TinyServer(Script script, const tls::Certificate* certificate)
    : script_(std::move(script)) {
    // OpenSSL writes to sockets without MSG_NOSIGNAL.
    std::signal(SIGPIPE, SIG_IGN);
    if (certificate != nullptr) {
        context_ = tls::make_server_context(certificate->files()).context;
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    acceptor_ = listen_at(reinterpret_cast<sockaddr*>(&address), size);
    EXPECT_EQ(::getsockname(acceptor_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
}

TinyServer::TinyServer(Script script, const std::string& socket_path) : script_(std::move(script)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    EXPECT_LT(socket_path.size(), sizeof address.sun_path);
    std::memcpy(&address.sun_path[0], socket_path.data(), socket_path.size());
    acceptor_ = listen_at(reinterpret_cast<sockaddr*>(&address), sizeof address);
    accepting_ = std::thread([this] { accept_all(); });
}

TinyServer::~TinyServer() {
    ::shutdown(acceptor_, SHUT_RDWR);
    accepting_.join();
    ::close(acceptor_);
    {
        const std::lock_guard lock(mutex_);
        for (const int descriptor : open_) {
            ::shutdown(descriptor, SHUT_RDWR);
        }
    }
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

std::string TinyServer::url(const std::string& host) const {
    return (context_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + "/auth";
}

TinyServer::Script TinyServer::answering(std::string body) {
    return [answer = ok(body)](Peer& peer) {
        while (!peer.read_request().empty() && peer.write(answer)) {}
    };
}

std::string TinyServer::ok(std::string_view body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

void TinyServer::accept_all() {
    for (;;) {
        const int descriptor = ::accept4(acceptor_, nullptr, nullptr, SOCK_CLOEXEC);
        if (descriptor < 0) { return; }
        ++connections_;
        const std::lock_guard lock(mutex_);
        open_.push_back(descriptor);
        threads_.emplace_back([this, descriptor] { serve(descriptor); });
    }
}

void TinyServer::serve(int descriptor) {
    // What a script writes is there when it says so. Unix sockets know nothing of this.
    const int on = 1;
    (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL* const ssl = context_ ? SSL_new(context_.get()) : nullptr;
    if (ssl != nullptr) { SSL_set_fd(ssl, descriptor); }
    Peer peer(descriptor, ssl);
    if (ssl == nullptr || SSL_accept(ssl) == 1) { script_(peer); }
    SSL_free(ssl);
    const std::lock_guard lock(mutex_);
    std::erase(open_, descriptor);
    ::close(descriptor);
}

}  // namespace security
