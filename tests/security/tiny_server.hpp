// A server that does as a test says, right or wrong: one thread for each connection.
// On loopback or a Unix socket; TLS if it is given a certificate.
#pragma once

#include "tests/tls/certificates.hpp"

#include <openssl/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace security {

class TinyServer {
public:
    /// One accepted connection.
    class Peer {
    public:
        Peer(int descriptor, SSL* ssl) : descriptor_(descriptor), ssl_(ssl) {}

        /// Head and body of the next request; empty if there is none.
        [[nodiscard]] std::string read_request();

        /// False if the other end has gone.
        bool write(std::string_view text);

        /// From now on nothing is sent; then all of it at once.
        void hold_back(bool is_held_back) const;

        /// Octets that TLS knows nothing of.
        void write_raw(std::string_view octets) const;

        /// Whether it has gone, or said something, within this time.
        [[nodiscard]] bool stirs_within(std::chrono::milliseconds time) const;

        /// Returns when the other end has gone, or the server ends.
        void wait_until_gone();

    private:
        [[nodiscard]] bool read_more(std::string& text);

        int descriptor_;
        SSL* ssl_;
    };

    using Script = std::function<void(Peer& peer)>;

    explicit TinyServer(Script script, const tls::Certificate* certificate = nullptr);
    TinyServer(Script script, const std::string& socket_path);
    ~TinyServer();
    TinyServer(const TinyServer&) = delete;
    TinyServer& operator=(const TinyServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }

    /// `http://127.0.0.1:PORT/auth`, or https.
    [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const;

    /// Connections accepted so far.
    [[nodiscard]] unsigned connections() const { return connections_.load(); }

    /// Answers every request with `body`.
    [[nodiscard]] static Script answering(std::string body);

    /// A whole answer with status 200.
    [[nodiscard]] static std::string ok(std::string_view body);

private:
    void accept_all();
    void serve(int descriptor);

    Script script_;
    std::shared_ptr<SSL_CTX> context_;
    int acceptor_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<unsigned> connections_{0};
    std::mutex mutex_;
    std::vector<int> open_;  ///< Guarded by the mutex.
    std::vector<std::thread> threads_;
    std::thread accepting_;
};

}  // namespace security
