// Connecting is one coroutine (resolve, TCP, TLS, upgrade); afterwards each call runs the loop
// until its own condition or deadline. Beast does the upgrade; every later octet goes through our
// codec.
#include "broker/cli/client.hpp"

#include "broker/cli/base64.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/refusals.hpp"
#include "broker/tls/context.hpp"
#include "protocol/encoder.hpp"
#include "protocol/heart_beat.hpp"
#include "protocol/parser.hpp"
#include "protocol/utf8.hpp"
#include "protocol/web_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <random>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

namespace cli {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using PlainStream = tcp::socket;
using TlsStream = asio::ssl::stream<tcp::socket>;

constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t input_size = 128 * 1024;
constexpr std::size_t output_high = 64 * 1024;
constexpr std::size_t frame_max = 256 * 1024 * 1024;
constexpr std::uint64_t beat_offer_ms = 10'000;

[[noreturn]] void fail(const std::string& what, ExitCode code = ExitCode::failure) {
    throw Failure(code, what);
}

// What a client accepts: a broker's headers may be large, its messages larger than a broker's
// limit.
protocol::Limits client_limits() {
    protocol::Limits limits;
    limits.header_line_max = 64 * 1024;
    limits.header_line_before_connected_max = 64 * 1024;
    limits.header_count_max = 1000;
    limits.header_bytes_max = 256 * 1024;
    limits.frame_bytes_max = frame_max;
    limits.before_connected_max = 1024 * 1024;
    return limits;
}

std::string accept_key_for(const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    std::size_t size = 0;
    auto* const out = reinterpret_cast<unsigned char*>(digest.data());
    if (EVP_Q_digest(nullptr, "SHA1", nullptr, text.data(), text.size(), out, &size) != 1) {
        fail("OpenSSL has no SHA-1");
    }
    return to_base64(std::string_view(digest).substr(0, size));
}

std::string day_of(const ASN1_TIME* time) {
    std::tm date{};
    if (ASN1_TIME_to_tm(time, &date) != 1) { return "?"; }
    char text[16];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &date)};
}

std::string describe_certificate(SSL* ssl) {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        SSL_get1_peer_certificate(ssl), &X509_free
    );
    if (!certificate) { return {}; }
    char subject[256];
    X509_NAME_oneline(X509_get_subject_name(certificate.get()), subject, sizeof subject);
    return std::string(subject) + ", until " + day_of(X509_get0_notAfter(certificate.get()));
}

/// Random octets for masks and keys; the operating system's generator.
std::uint32_t random_word() {
    static std::random_device device;
    return device();
}

std::string random_key() {
    std::string octets;
    for (int i = 0; i < 4; ++i) {
        const std::uint32_t word = random_word();
        octets.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    return to_base64(octets);
}

}  // namespace

struct Client::Impl {
    explicit Impl(const Target& to)
        : target(to),
          signals(io, SIGINT, SIGTERM),
          stream(std::in_place_type<PlainStream>, io),
          decoder(protocol::WebSocketDecoder::Role::client, frame_max),
          parser(limits, scratch, protocol::Parser::Role::client) {}

    // Connecting.
    void connect();
    static asio::awaitable<void> open(Impl& self);
    static asio::awaitable<tcp::socket> open_tcp(Impl& self);
    static asio::awaitable<void> start_tls(Impl& self, tcp::socket socket);
    template <class Stream>
    static asio::awaitable<void> upgrade(Impl& self, Stream& stream);
    void run_to_end(asio::awaitable<void> task, const std::string& doing);
    void log_in();
    void take_connected(const protocol::Frame& frame);
    void take_heart_beat(const protocol::Frame& frame);

    // Output.
    void send(protocol::Command command, std::span<const protocol::Header>, std::string_view body);
    void append(std::string_view octets);
    void flush();
    [[noreturn]] void fail_writing(error_code ec);
    void beat();

    // Input.
    const protocol::Frame* receive(Clock::time_point until);
    const protocol::Frame* next_frame();
    void next_piece();
    bool wait_for_octets(Clock::time_point until);
    void start_reading();
    void take_octets();
    void run_until(Clock::time_point until);
    void check_alive();
    bool wait_for_input(int descriptor, Clock::time_point until);

    void disconnect();
    void close_web_socket(Clock::time_point until);

    template <class Function>
    void on_stream(Function function) {
        std::visit(function, stream);
    }

    [[nodiscard]] std::string where() const { return target.url.text(); }

    [[nodiscard]] bool is_ending() const { return closed || (interrupted && !closing); }

    // Constant after construction.
    const Target target;
    const protocol::Limits limits = client_limits();

    asio::io_context io{1};
    asio::signal_set signals;
    std::optional<asio::ssl::context> tls_context;
    std::variant<PlainStream, TlsStream> stream;
    Session session;

    protocol::ParserScratch scratch;
    protocol::WebSocketDecoder decoder;
    protocol::Parser parser;
    bool is_decoding = false;  ///< The decoder has input that it has not consumed.
    bool is_parsing = false;   ///< The same of the parser.

    std::vector<char> input = std::vector<char>(input_size);
    std::size_t received = 0;
    error_code read_error;
    bool is_reading = false;
    bool has_read = false;

    std::string encoded;  ///< One frame, before WebSocket framing.
    std::string output;
    Clock::time_point last_heard;
    Clock::time_point last_sent;
    std::chrono::milliseconds beat_after{0};
    std::chrono::milliseconds dead_after{0};

    bool interrupted = false;
    bool closing = false;  ///< DISCONNECT is sent: a close is no surprise.
    bool closed = false;   ///< The broker's close frame has come meanwhile.
    bool broken = false;   ///< Nothing more can be written.
};

// ---- Connecting.

void Client::Impl::connect() {
    signals.async_wait([this](error_code ec, int) {
        if (ec) { return; }
        interrupted = true;
        signals.clear();  // A second signal ends the process.
    });
    run_to_end(open(*this), "connecting to " + where());
    last_heard = last_sent = Clock::now();
    log_in();
}

void Client::Impl::run_to_end(asio::awaitable<void> task, const std::string& doing) {
    const auto until = Clock::now() + target.timeout;
    bool is_done = false;
    std::exception_ptr error;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown) {
        is_done = true;
        error = std::move(thrown);
    });
    while (!is_done && !interrupted && Clock::now() < until) {
        run_until(until);
    }
    if (error) { std::rethrow_exception(error); }
    if (interrupted) { fail("interrupted while " + doing); }
    if (!is_done) {
        fail("no answer while " + doing + "; is the address right?", ExitCode::timeout);
    }
}

asio::awaitable<void> Client::Impl::open(Impl& self) {
    tcp::socket socket = co_await open_tcp(self);
    if (self.target.url.is_tls) {
        co_await start_tls(self, std::move(socket));
    } else {
        self.stream.emplace<PlainStream>(std::move(socket));
    }
    if (!self.target.url.is_web_socket) { co_return; }
    if (auto* const tls = std::get_if<TlsStream>(&self.stream)) {
        co_await upgrade(self, *tls);
    } else {
        co_await upgrade(self, std::get<PlainStream>(self.stream));
    }
}

asio::awaitable<tcp::socket> Client::Impl::open_tcp(Impl& self) {
    const Url& url = self.target.url;
    const auto begin = Clock::now();
    tcp::resolver resolver(self.io);
    auto [resolve_error, addresses] =
        co_await resolver.async_resolve(url.host, std::to_string(url.port), use_result);
    if (resolve_error) { fail("cannot resolve " + url.host + ": " + resolve_error.message()); }

    tcp::socket socket(self.io);
    auto [ec, endpoint] = co_await asio::async_connect(socket, addresses, use_result);
    if (ec == asio::error::connection_refused) {
        fail(
            "connection to " + url.authority() + " refused: is the broker running (stampede serve)?"
        );
    }
    if (ec) { fail("cannot connect to " + url.authority() + ": " + ec.message()); }
    socket.set_option(tcp::no_delay(true));
    self.session.tcp_time = Clock::now() - begin;
    co_return socket;
}

asio::awaitable<void> Client::Impl::start_tls(Impl& self, tcp::socket socket) {
    const auto begin = Clock::now();
    const auto shared = tls::make_client_context(self.target.ca_file);
    SSL_CTX_up_ref(shared.get());
    self.tls_context.emplace(shared.get());
    auto& stream = self.stream.emplace<TlsStream>(std::move(socket), *self.tls_context);
    SSL* const ssl = stream.native_handle();
    tls::set_peer_name(*ssl, self.target.url.host);

    auto [ec] = co_await stream.async_handshake(asio::ssl::stream_base::client, use_result);
    if (ec) {
        const long verdict = SSL_get_verify_result(ssl);
        if (verdict != X509_V_OK) {
            fail(
                "the certificate of " + self.target.url.authority() + " is not trusted: " +
                X509_verify_cert_error_string(verdict) + "; name its authority with --ca-file"
            );
        }
        fail(
            "TLS with " + self.target.url.authority() + " failed: " + ec.message() +
            "; is that a TLS port?"
        );
    }
    self.session.tls = std::string(SSL_get_version(ssl)) + ' ' + SSL_get_cipher_name(ssl);
    self.session.certificate = describe_certificate(ssl);
    self.session.tls_time = Clock::now() - begin;
}

template <class Stream>
asio::awaitable<void> Client::Impl::upgrade(Impl& self, Stream& stream) {
    const auto begin = Clock::now();
    const std::string key = random_key();
    http::request<http::empty_body> request(http::verb::get, self.target.url.path, 11);
    request.set(http::field::host, self.target.url.authority());
    request.set(http::field::upgrade, "websocket");
    request.set(http::field::connection, "Upgrade");
    request.set(http::field::sec_websocket_key, key);
    request.set(http::field::sec_websocket_version, "13");
    request.set(http::field::sec_websocket_protocol, "v12.stomp, v11.stomp, v10.stomp");
    request.set(http::field::user_agent, "stampede/" STAMPEDE_VERSION);
    auto [write_error, written] = co_await http::async_write(stream, request, use_result);
    if (write_error) { fail(self.where() + ": " + write_error.message()); }

    boost::beast::flat_buffer buffer(64 * 1024);
    http::response_parser<http::string_body> answer;
    answer.body_limit(16 * 1024);
    auto [head_error, head_size] =
        co_await http::async_read_header(stream, buffer, answer, use_result);
    if (head_error) {
        fail(
            self.where() + " does not answer like a WebSocket server: " + head_error.message() +
            "; for plain STOMP write stomp://, for TLS wss://"
        );
    }
    const auto accepted = answer.get()[http::field::sec_websocket_accept];
    if (answer.get().result_int() != 101 || accepted != accept_key_for(key)) {
        if (answer.get().result_int() != 101) {
            co_await http::async_read(stream, buffer, answer, use_result);
        }
        throw refused_by_http(answer.get().result_int(), answer.get().body(), self.where());
    }
    self.session.sub_protocol = std::string(answer.get()[http::field::sec_websocket_protocol]);
    self.received = buffer.size();
    const auto* const rest = static_cast<const char*>(buffer.cdata().data());
    std::copy_n(rest, buffer.size(), self.input.begin());
    self.has_read = buffer.size() != 0;
    self.session.upgrade_time = Clock::now() - begin;
}

void Client::Impl::log_in() {
    using protocol::Header;
    const auto begin = Clock::now();
    const std::string beats = std::to_string(beat_offer_ms) + ',' + std::to_string(beat_offer_ms);
    std::vector<Header> headers{
        {"accept-version", "1.0,1.1,1.2"}, {"host", target.virtual_host}, {"heart-beat", beats}};
    if (!target.login.empty()) {
        headers.push_back({"login", target.login});
        headers.push_back({"passcode", target.passcode});
    }
    append_views(headers, target.connect_headers);
    send(protocol::Command::connect, headers, {});
    const protocol::Frame* const frame = receive(begin + target.timeout);
    if (interrupted) { fail("interrupted while logging in to " + where()); }
    if (frame == nullptr) {
        fail(where() + " does not answer CONNECT; does it speak STOMP?", ExitCode::timeout);
    }
    if (frame->command != protocol::Command::connected) {
        fail(where() + " answered CONNECT with " + std::string(to_string(frame->command)));
    }
    take_connected(*frame);
    session.stomp_time = Clock::now() - begin;
}

void Client::Impl::take_connected(const protocol::Frame& frame) {
    const std::string_view version = frame.find("version").value_or("1.0");
    const auto agreed = protocol::negotiate(version, std::nullopt);
    if (!agreed) { fail(where() + " chose STOMP version " + std::string(version)); }
    session.version = *agreed;
    session.server = frame.find("server").value_or("");
    session.id = frame.find("session").value_or("");
    session.user = frame.find("user-name").value_or("");
    take_heart_beat(frame);
    parser.connected(*agreed);
}

void Client::Impl::take_heart_beat(const protocol::Frame& frame) {
    const auto theirs = protocol::parse_heart_beat(frame.find("heart-beat"));
    if (!theirs) { fail(where() + ": " + theirs.error().what); }
    if (theirs->wants != 0) {
        session.send_every = std::chrono::milliseconds(std::max(beat_offer_ms, theirs->wants));
        beat_after = std::chrono::milliseconds(
            protocol::beat_after(static_cast<std::uint64_t>(session.send_every.count()))
        );
    }
    if (theirs->can_send != 0) {
        session.hear_every = std::chrono::milliseconds(std::max(beat_offer_ms, theirs->can_send));
        dead_after = std::chrono::milliseconds(
            protocol::dead_after(static_cast<std::uint64_t>(session.hear_every.count()))
        );
    }
}

// ---- Output.

void Client::Impl::send(
    protocol::Command command, std::span<const protocol::Header> headers, std::string_view body
) {
    encoded.clear();
    protocol::append_frame(encoded, command, headers, body, session.version);
    append(encoded);
    if (output.size() > output_high) { flush(); }
}

void Client::Impl::append(std::string_view octets) {
    if (!target.url.is_web_socket) {
        output += octets;
        return;
    }
    const std::uint32_t mask = random_word();
    const auto opcode =
        protocol::is_utf8(octets) ? protocol::Opcode::text : protocol::Opcode::binary;
    protocol::append_web_socket_frame(output, opcode, octets, &mask);
}

void Client::Impl::flush() {
    if (output.empty() || broken) { return; }
    bool is_done = false;
    error_code error;
    on_stream([&](auto& s) {
        asio::async_write(s, asio::buffer(output), [&](error_code ec, std::size_t) {
            is_done = true;
            error = ec;
        });
    });
    const auto until = Clock::now() + target.timeout;
    while (!is_done) {
        if (Clock::now() >= until) {
            // The write refers to this frame's variables: end it before they go.
            on_stream([](auto& s) { s.lowest_layer().close(); });
            while (!is_done) {
                run_until(Clock::time_point::max());
            }
            fail(where() + " stopped reading from us; it may be out of memory", ExitCode::timeout);
        }
        run_until(until);
    }
    output.clear();
    last_sent = Clock::now();
    if (error) { fail_writing(error); }
}

// The broker may have said why before it closed: that is the better message.
void Client::Impl::fail_writing(error_code ec) {
    broken = true;
    const auto until = Clock::now() + std::chrono::seconds(1);
    while (receive(until) != nullptr) {}
    fail(where() + ": connection lost while sending: " + ec.message());
}

void Client::Impl::beat() {
    if (beat_after.count() == 0 || Clock::now() < last_sent + beat_after) { return; }
    append("\n");
    flush();
}

// ---- Input.

const protocol::Frame* Client::Impl::receive(Clock::time_point until) {
    while (!is_ending()) {
        if (is_parsing) {
            const protocol::Frame* const frame = next_frame();
            if (frame != nullptr) { return frame; }
        } else if (is_decoding) {
            next_piece();
        } else {
            flush();
            if (!wait_for_octets(until)) { return nullptr; }
            take_octets();
        }
    }
    return nullptr;
}

const protocol::Frame* Client::Impl::next_frame() {
    switch (parser.next()) {
        case protocol::Parser::Event::need_more:
            is_parsing = false;
            return nullptr;
        case protocol::Parser::Event::end_of_line:
            return nullptr;
        case protocol::Parser::Event::failed:
            fail(where() + " does not speak STOMP as we know it: " + parser.error().what);
        case protocol::Parser::Event::frame:
            break;
    }
    const protocol::Frame& frame = parser.frame();
    if (frame.command == protocol::Command::error) { throw refused_by_error(frame); }
    return &frame;
}

void Client::Impl::next_piece() {
    using Event = protocol::WebSocketDecoder::Event;
    switch (decoder.next()) {
        case Event::need_more:
            is_decoding = false;
            return;
        case Event::data:
            parser.feed(decoder.payload());
            is_parsing = true;
            return;
        case Event::ping: {
            const std::span<char> payload = decoder.payload();
            const std::uint32_t mask = random_word();
            protocol::append_web_socket_frame(
                output, protocol::Opcode::pong, {payload.data(), payload.size()}, &mask
            );
            return;
        }
        case Event::pong:
            return;
        case Event::close: {
            if (closing) {
                closed = true;
                return;
            }
            const std::span<char> reason = decoder.payload();
            throw refused_by_close(decoder.close_code(), {reason.data(), reason.size()});
        }
        case Event::failed:
            fail(where() + " broke the WebSocket protocol: " + std::string(decoder.reason()));
    }
}

/// True when take_octets() has something to take.
bool Client::Impl::wait_for_octets(Clock::time_point until) {
    start_reading();
    io.poll();
    while (!has_read) {
        if (is_ending() || Clock::now() >= until) { return false; }
        beat();
        check_alive();
        Clock::time_point wake = until;
        if (beat_after.count() != 0) { wake = std::min(wake, last_sent + beat_after); }
        if (dead_after.count() != 0) { wake = std::min(wake, last_heard + dead_after); }
        run_until(wake);
    }
    return true;
}

void Client::Impl::start_reading() {
    if (is_reading || has_read) { return; }
    is_reading = true;
    on_stream([this](auto& s) {
        s.async_read_some(asio::buffer(input), [this](error_code ec, std::size_t size) {
            is_reading = false;
            has_read = true;
            read_error = ec;
            received = size;
        });
    });
}

void Client::Impl::take_octets() {
    has_read = false;
    if (read_error) {
        if (closing) {
            fail(where() + " closed before it confirmed DISCONNECT; messages may be lost");
        }
        const bool is_end =
            read_error == asio::error::eof || read_error == asio::ssl::error::stream_truncated;
        fail(
            where() + (is_end ? " closed the connection without a reason; see the broker's log"
                              : ": connection lost: " + read_error.message())
        );
    }
    last_heard = Clock::now();
    const std::span<char> octets(input.data(), received);
    if (target.url.is_web_socket) {
        decoder.feed(octets);
        is_decoding = true;
    } else {
        parser.feed(octets);
        is_parsing = true;
    }
}

void Client::Impl::run_until(Clock::time_point until) {
    if (io.stopped()) { io.restart(); }
    io.run_one_until(until);
}

void Client::Impl::check_alive() {
    if (dead_after.count() == 0 || closing || Clock::now() < last_heard + dead_after) { return; }
    fail(
        where() + " sent nothing for " + std::to_string(dead_after.count()) +
            " ms although it promised heart-beats: the connection or the broker is dead",
        ExitCode::timeout
    );
}

bool Client::Impl::wait_for_input(int descriptor, Clock::time_point until) {
    flush();
    start_reading();
    bool is_ready = false;
    asio::posix::stream_descriptor input_stream(io, ::dup(descriptor));
    bool is_done = false;
    // A regular file cannot be waited for and is always ready: the error means the same.
    input_stream.async_wait(asio::posix::descriptor_base::wait_read, [&](error_code ec) {
        is_done = true;
        is_ready = ec != asio::error::operation_aborted;
    });
    while (!is_done && !has_read && !is_ending() && Clock::now() < until) {
        beat();
        check_alive();
        Clock::time_point wake = until;
        if (beat_after.count() != 0) { wake = std::min(wake, last_sent + beat_after); }
        if (dead_after.count() != 0) { wake = std::min(wake, last_heard + dead_after); }
        run_until(wake);
    }
    input_stream.cancel();
    while (!is_done) {
        run_until(Clock::time_point::max());
    }
    return is_ready;
}

// ---- The end.

void Client::Impl::disconnect() {
    closing = true;
    const auto until = Clock::now() + target.timeout;
    const std::array<protocol::Header, 1> headers{{{"receipt", "goodbye"}}};
    send(protocol::Command::disconnect, headers, {});
    bool is_confirmed = false;
    while (!is_confirmed) {
        const protocol::Frame* const frame = receive(until);
        // Closing in good order confirms as well: DISCONNECT was the last frame.
        if (frame == nullptr && closed && decoder.close_code() == 1000) { break; }
        if (frame == nullptr) {
            fail(
                where() + " did not confirm DISCONNECT; the last messages may be lost",
                ExitCode::timeout
            );
        }
        is_confirmed =
            frame->command == protocol::Command::receipt && frame->find("receipt-id") == "goodbye";
    }
    if (target.url.is_web_socket) { close_web_socket(Clock::now() + std::chrono::seconds(1)); }
}

void Client::Impl::close_web_socket(Clock::time_point until) {
    const std::uint32_t mask = random_word();
    protocol::append_web_socket_frame(output, protocol::Opcode::close, "\x03\xe8", &mask);
    try {
        flush();
        while (receive(until) != nullptr) {}
    } catch (const Failure&) {
        // All was confirmed: how the connection ends does not matter any more.
        broken = true;
    }
}

// ---- The public face.

Client::Client(const Target& target) : impl_(std::make_unique<Impl>(target)) {
    impl_->connect();
}

Client::~Client() = default;

const Session& Client::session() const {
    return impl_->session;
}

void Client::send(
    protocol::Command command, std::span<const protocol::Header> headers, std::string_view body
) {
    impl_->send(command, headers, body);
}

void Client::flush() {
    impl_->flush();
}

const protocol::Frame* Client::receive(Clock::time_point until) {
    return impl_->receive(until);
}

bool Client::wait_for_input(int descriptor, Clock::time_point until) {
    return impl_->wait_for_input(descriptor, until);
}

bool Client::is_interrupted() const {
    return impl_->interrupted;
}

void Client::disconnect() {
    impl_->disconnect();
}

}  // namespace cli
