#include "broker/transport/stream.hpp"

#include "broker/tls/client_identity.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace transport {

namespace {

class PlainStream : public Stream {
public:
    explicit PlainStream(int descriptor) : descriptor_(descriptor) {}

    IoStatus handshake() override { return IoStatus::ok; }

    IoResult read(std::span<char> buffer) override {
        const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got > 0) { return {IoStatus::ok, static_cast<std::size_t>(got)}; }
        if (got == 0) { return {IoStatus::end, 0}; }
        return {blocked_or_failed(IoStatus::want_read), 0};
    }

    IoResult write(std::span<const engine::Segment> segments) override {
        ssize_t put = 0;
        std::size_t wanted = segments[0].size();
        if (segments.size() == 1) {
            put = ::send(
                descriptor_, segments[0].data(), segments[0].size(), MSG_DONTWAIT | MSG_NOSIGNAL
            );
        } else {
            std::array<iovec, 64> pieces;
            const std::size_t count = std::min(segments.size(), pieces.size());
            wanted = 0;
            for (std::size_t i = 0; i < count; ++i) {
                pieces[i] = {const_cast<char*>(segments[i].data()), segments[i].size()};
                wanted += pieces[i].iov_len;
            }
            msghdr message{};
            message.msg_iov = pieces.data();
            message.msg_iovlen = count;
            put = ::sendmsg(descriptor_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        if (put >= 0) {
            const auto octets = static_cast<std::size_t>(put);
            return {octets == wanted ? IoStatus::ok : IoStatus::want_write, octets};
        }
        return {blocked_or_failed(IoStatus::want_write), 0};
    }

    void shut_down_writing() override { ::shutdown(descriptor_, SHUT_WR); }

    bool has_buffered_input() const override { return false; }

    bool is_tls() const override { return false; }

    std::string failure() const override { return std::strerror(error_); }

private:
    IoStatus blocked_or_failed(IoStatus blocked) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) { return blocked; }
        error_ = errno;
        return IoStatus::failed;
    }

    int descriptor_;
    int error_ = 0;
};

class TlsStream : public Stream {
public:
    TlsStream(int descriptor, SSL_CTX& context) : descriptor_(descriptor), ssl_(SSL_new(&context)) {
        if (!ssl_ || SSL_set_fd(ssl_.get(), descriptor) != 1) { throw std::bad_alloc(); }
        SSL_set_accept_state(ssl_.get());
        // A read returns after each message of TLS itself, so that a row of them ends.
        SSL_clear_mode(ssl_.get(), SSL_MODE_AUTO_RETRY);
        SSL_set_msg_callback(ssl_.get(), &count_message);
        SSL_ctrl(ssl_.get(), SSL_CTRL_SET_MSG_CALLBACK_ARG, 0, this);
    }

    IoStatus handshake() override {
        ERR_clear_error();
        const int done = SSL_do_handshake(ssl_.get());
        if (done != 1) { return status_of(done); }
        is_established_ = true;
        return IoStatus::ok;
    }

    IoResult read(std::span<char> buffer) override {
        for (int i = 0;; ++i) {
            ERR_clear_error();
            std::size_t got = 0;
            const std::size_t before = messages_;
            const int done = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &got);
            if (done == 1) { return {IoStatus::ok, got}; }
            const IoStatus status = status_of(done);
            const bool goes_on = status == IoStatus::want_read && messages_ != before;
            if (!goes_on || i == messages_in_a_row_max) { return {status, 0}; }
        }
    }

    // One record per call; small segments share it. A blocked write is repeated with the same
    // octets at the front, which is all that SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER asks.
    IoResult write(std::span<const engine::Segment> segments) override {
        std::size_t total = 0;
        while (!segments.empty()) {
            const std::span<const char> record = gather(segments, total);
            if (record.empty()) { break; }
            ERR_clear_error();
            std::size_t put = 0;
            const int done = SSL_write_ex(ssl_.get(), record.data(), record.size(), &put);
            if (done != 1) {
                // A read that TLS needs first comes with the next input.
                const IoStatus status = status_of(done);
                return {status == IoStatus::want_read ? IoStatus::want_write : status, total};
            }
            total += put;
        }
        return {IoStatus::ok, total};
    }

    void shut_down_writing() override {
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
        ::shutdown(descriptor_, SHUT_WR);
    }

    bool has_buffered_input() const override { return SSL_has_pending(ssl_.get()) == 1; }

    bool is_tls() const override { return true; }

    std::size_t late_handshakes() const override { return late_handshakes_; }

    engine::ClientCertificateRef client_certificate() const override {
        const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
        if (certificate == nullptr) { return nullptr; }
        tls::ClientIdentity identity = tls::identity_of(*certificate);
        // A handshake with such a one fails; if it ever did not, its owner were nobody.
        if (SSL_get_verify_result(ssl_.get()) != X509_V_OK) {
            identity = {{}, "the certificate was not verified"};
        }
        return std::make_shared<const engine::ClientCertificate>(engine::ClientCertificate{
            std::move(identity.text), std::move(identity.fault), identity.expires_at});
    }

    std::string certificate_problem() const override {
        if (lacks_certificate_) { return "none was given"; }
        const long verified = SSL_get_verify_result(ssl_.get());
        return verified == X509_V_OK ? "" : X509_verify_cert_error_string(verified);
    }

    std::string failure() const override { return failure_; }

private:
    static void count_message(
        int is_written, int, int type, const void*, std::size_t, SSL*, void* self
    ) {
        if (is_written != 0 || (type != SSL3_RT_HANDSHAKE && type != SSL3_RT_ALERT)) { return; }
        auto* const stream = static_cast<TlsStream*>(self);
        ++stream->messages_;
        if (stream->is_established_) { ++stream->late_handshakes_; }
    }

    struct Free {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };

    static constexpr std::size_t record_max = 16 * 1024;
    static constexpr int messages_in_a_row_max = 100;  // Far above what Options allow in a second.

    // Up to one record's worth of octets from position `skip` on.
    std::span<const char> gather(std::span<const engine::Segment> segments, std::size_t skip) {
        std::size_t filled = 0;
        for (const engine::Segment& segment : segments) {
            if (skip >= segment.size()) {
                skip -= segment.size();
                continue;
            }
            const char* const from = segment.data() + skip;
            const std::size_t rest = segment.size() - skip;
            skip = 0;
            if (filled == 0 && rest >= record_max) { return {from, record_max}; }
            const std::size_t part = std::min(rest, record_max - filled);
            std::memcpy(scratch.data() + filled, from, part);
            filled += part;
            if (filled == record_max) { break; }
        }
        return {scratch.data(), filled};
    }

    IoStatus status_of(int done) {
        switch (SSL_get_error(ssl_.get(), done)) {
            case SSL_ERROR_WANT_READ:
                return IoStatus::want_read;
            case SSL_ERROR_WANT_WRITE:
                return IoStatus::want_write;
            case SSL_ERROR_ZERO_RETURN:
                return IoStatus::end;
            default:
                break;
        }
        std::array<char, 256> text{};
        const unsigned long code = ERR_get_error();
        if (code == 0) { return IoStatus::end; }
        ERR_error_string_n(code, text.data(), text.size());
        failure_ = text.data();
        lacks_certificate_ = ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
        return IoStatus::failed;
    }

    static thread_local std::array<char, record_max> scratch;

    int descriptor_;
    std::unique_ptr<SSL, Free> ssl_;
    std::string failure_;
    bool is_established_ = false;
    bool lacks_certificate_ = false;
    std::size_t messages_ = 0;  ///< Handshake messages and alerts received.
    std::size_t late_handshakes_ = 0;
};

thread_local std::array<char, TlsStream::record_max> TlsStream::scratch;

}  // namespace

std::unique_ptr<Stream> make_plain_stream(int descriptor) {
    return std::make_unique<PlainStream>(descriptor);
}

std::unique_ptr<Stream> make_tls_stream(int descriptor, SSL_CTX& context) {
    return std::make_unique<TlsStream>(descriptor, context);
}

}  // namespace transport
