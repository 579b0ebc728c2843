// The one seam to a socket: octets in and out of a non-blocking descriptor, plain or through TLS.
// Never waits. The caller waits for readiness and keeps the deadlines.
#pragma once

#include "broker/engine/authenticator.hpp"
#include "broker/engine/outbox.hpp"

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace transport {

enum class IoStatus : std::uint8_t {
    ok,
    want_read,   ///< Wait until the socket is readable, then try again.
    want_write,  ///< Wait until it is writable, then try again.
    end,         ///< The peer has closed its side in order.
    failed,      ///< The connection is lost.
};

struct IoResult {
    IoStatus status = IoStatus::ok;
    std::size_t octets = 0;
};

class Stream {
public:
    virtual ~Stream() = default;

    /// Completes what must come before data. `ok` when done.
    [[nodiscard]] virtual IoStatus handshake() = 0;
    [[nodiscard]] virtual IoResult read(std::span<char> buffer) = 0;
    /// Sends from the front of `segments`. `ok`: as many as one call takes are out; `want_write`:
    /// the socket is full after `octets`.
    [[nodiscard]] virtual IoResult write(std::span<const engine::Segment> segments) = 0;
    /// No more data will be written; reading goes on.
    virtual void shut_down_writing() = 0;
    /// Octets that arrived already and will raise no event.
    [[nodiscard]] virtual bool has_buffered_input() const = 0;
    [[nodiscard]] virtual bool is_tls() const = 0;

    /// Handshake messages that came after the handshake, such as KeyUpdate (S-TLS-02).
    [[nodiscard]] virtual std::size_t late_handshakes() const { return 0; }

    /// What the client's certificate says, after the handshake; null if it gave none.
    [[nodiscard]] virtual engine::ClientCertificateRef client_certificate() const { return {}; }

    /// Why the handshake did not take the client's certificate, or that it gave none; or empty.
    [[nodiscard]] virtual std::string certificate_problem() const { return {}; }

    /// Why it failed, for the log.
    [[nodiscard]] virtual std::string failure() const = 0;
};

/// `descriptor` must be non-blocking and outlive the stream.
[[nodiscard]] std::unique_ptr<Stream> make_plain_stream(int descriptor);
[[nodiscard]] std::unique_ptr<Stream> make_tls_stream(int descriptor, SSL_CTX& context);

}  // namespace transport
