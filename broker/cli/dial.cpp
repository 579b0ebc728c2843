// The steps of dial(), each with its own sentence for each way to fail.
#include "broker/cli/dial.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/cli/refusals.hpp"
#include "broker/tls/context.hpp"
#include "protocol/base64.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>
#include <memory>
#include <random>
#include <string_view>
#include <utility>

namespace cli {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t answer_head_max = 64 * 1024;
constexpr std::size_t answer_body_max = 16 * 1024;

[[noreturn]] void fail(const std::string& what) {
    throw Failure(ExitCode::failure, what);
}

// ---- TCP.

asio::awaitable<tcp::socket> open_tcp(asio::io_context& io, const Url& url) {
    tcp::resolver resolver(io);
    const std::string port = std::to_string(url.port);
    auto [resolve_error, addresses] = co_await resolver.async_resolve(url.host, port, use_result);
    if (resolve_error) { fail("cannot resolve " + url.host + ": " + resolve_error.message()); }

    tcp::socket socket(io);
    auto [ec, endpoint] = co_await asio::async_connect(socket, addresses, use_result);
    if (ec == asio::error::connection_refused) {
        fail(
            "connection to " + url.authority() + " refused: is the broker running (stampede serve)?"
        );
    }
    if (ec) { fail("cannot connect to " + url.authority() + ": " + ec.message()); }
    socket.set_option(tcp::no_delay(true));
    co_return socket;
}

// ---- TLS.

std::string day_of(const ASN1_TIME* time) {
    std::tm date{};
    if (ASN1_TIME_to_tm(time, &date) != 1) { return "?"; }
    std::array<char, 16> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &date)};
}

std::string describe_certificate(SSL* ssl) {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        SSL_get1_peer_certificate(ssl), &X509_free
    );
    if (!certificate) { return {}; }
    std::array<char, 256> subject{};
    X509_NAME_oneline(
        X509_get_subject_name(certificate.get()), subject.data(), static_cast<int>(subject.size())
    );
    return std::string(subject.data()) + ", until " + day_of(X509_get0_notAfter(certificate.get()));
}

[[noreturn]] void fail_handshake(const Url& url, SSL* ssl, const std::string& reason) {
    const long verdict = SSL_get_verify_result(ssl);
    if (verdict == X509_V_OK) {
        fail("TLS with " + url.authority() + " failed: " + reason + "; is that a TLS port?");
    }
    fail(
        "the certificate of " + url.authority() + " is not trusted: " +
        X509_verify_cert_error_string(verdict) + "; name its authority with --ca-file"
    );
}

std::shared_ptr<SSL_CTX> context_for(const Target& target) {
    try {
        return tls::make_client_context(target.ca_file, target.own);
    } catch (const tls::Error& error) { throw Failure(ExitCode::usage, error.what()); }
}

asio::awaitable<TlsStream> start_tls(tcp::socket socket, const Target& target, Opening& opening) {
    const auto shared = context_for(target);
    SSL_CTX_up_ref(shared.get());
    asio::ssl::context context(shared.get());
    TlsStream stream(std::move(socket), context);
    SSL* const ssl = stream.native_handle();
    tls::set_peer_name(*ssl, target.url.host);
    auto [ec] = co_await stream.async_handshake(asio::ssl::stream_base::client, use_result);
    if (ec) { fail_handshake(target.url, ssl, ec.message()); }
    opening.tls = std::string(SSL_get_version(ssl)) + ' ' + SSL_get_cipher_name(ssl);
    opening.certificate = describe_certificate(ssl);
    co_return stream;
}

// ---- The upgrade.

std::string random_key() {
    std::random_device device;
    std::string octets(16, '\0');
    for (char& octet : octets) {
        octet = static_cast<char>(device());
    }
    return protocol::encode_base64(octets);
}

/// The `Sec-WebSocket-Accept` that answers `key` (RFC 6455, 4.2.2).
std::string accept_for(const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    std::size_t size = 0;
    auto* const out = reinterpret_cast<unsigned char*>(digest.data());
    if (EVP_Q_digest(nullptr, "SHA1", nullptr, text.data(), text.size(), out, &size) != 1) {
        fail("OpenSSL has no SHA-1");
    }
    return protocol::encode_base64(std::string_view(digest).substr(0, size));
}

http::request<http::empty_body> upgrade_request(const Url& url, const std::string& key) {
    http::request<http::empty_body> request(http::verb::get, url.path, 11);
    request.set(http::field::host, url.authority());
    request.set(http::field::upgrade, "websocket");
    request.set(http::field::connection, "Upgrade");
    request.set(http::field::sec_websocket_key, key);
    request.set(http::field::sec_websocket_version, "13");
    request.set(http::field::sec_websocket_protocol, "v12.stomp, v11.stomp, v10.stomp");
    request.set(http::field::user_agent, "stampede/" STAMPEDE_VERSION);
    return request;
}

template <class Stream>
asio::awaitable<void> upgrade(Stream& stream, const Url& url, Dialed& dialed) {
    const std::string key = random_key();
    const auto request = upgrade_request(url, key);
    auto [write_error, written] = co_await http::async_write(stream, request, use_result);
    if (write_error) {
        // A peer that ended TLS has said why.
        char octet = 0;
        auto [alert, size] = co_await stream.async_read_some(asio::buffer(&octet, 1), use_result);
        if (is_certificate_wanted(alert)) { throw certificate_wanted(url.text()); }
        fail(url.text() + ": " + write_error.message());
    }

    boost::beast::flat_buffer buffer(answer_head_max);
    http::response_parser<http::string_body> answer;
    answer.body_limit(answer_body_max);
    auto [ec, head_size] = co_await http::async_read_header(stream, buffer, answer, use_result);
    if (is_certificate_wanted(ec)) { throw certificate_wanted(url.text()); }
    if (ec) {
        fail(
            url.text() + " does not answer like a WebSocket server: " + ec.message() +
            "; for plain STOMP write stomp://, for TLS wss://"
        );
    }
    if (answer.get().result_int() != 101) {
        // The body often says why; without it the status must do.
        co_await http::async_read(stream, buffer, answer, use_result);
        throw refused_by_http(answer.get().result_int(), answer.get().body(), url.text());
    }
    if (answer.get()[http::field::sec_websocket_accept] != accept_for(key)) {
        throw refused_by_http(101, {}, url.text());
    }
    dialed.opening.sub_protocol = std::string(answer.get()[http::field::sec_websocket_protocol]);
    dialed.first_octets = boost::beast::buffers_to_string(buffer.cdata());
}

}  // namespace

asio::awaitable<Dialed> dial(asio::io_context& io, const Target& target) {
    const auto begin = Clock::now();
    // Not in one expression: g++ 12 destroys the parts of an aggregate that holds a co_await twice.
    tcp::socket socket = co_await open_tcp(io, target.url);
    Dialed dialed{std::move(socket), {}, {}};
    const auto connected = Clock::now();
    dialed.opening.tcp_time = connected - begin;
    if (target.url.is_tls) {
        tcp::socket plain = std::get<PlainStream>(std::move(dialed.stream));
        auto handshake = start_tls(std::move(plain), target, dialed.opening);
        dialed.stream = co_await std::move(handshake);
        dialed.opening.tls_time = Clock::now() - connected;
    }
    if (!target.url.is_web_socket) { co_return dialed; }
    const auto secured = Clock::now();
    if (auto* const tls = std::get_if<TlsStream>(&dialed.stream)) {
        co_await upgrade(*tls, target.url, dialed);
    } else {
        co_await upgrade(std::get<PlainStream>(dialed.stream), target.url, dialed);
    }
    dialed.opening.upgrade_time = Clock::now() - secured;
    co_return dialed;
}

}  // namespace cli
