#include "broker/security/http_client.hpp"

#include "broker/security/connect_in_turn.hpp"
#include "broker/tls/context.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/dynamic_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace security {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Endpoint = asio::generic::stream_protocol::endpoint;
using Socket = asio::generic::stream_protocol::socket;
using TlsStream = asio::ssl::stream<Socket&>;
using Parser = http::response_parser<http::basic_dynamic_body<beast::flat_buffer>>;

constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t head_octets_max = 8 * 1024;
constexpr std::size_t input_octets_max = 16 * 1024;
constexpr std::size_t idle_max = 8;

// Part of a record, which is no octet to read yet.
bool has_begun_record(SSL& ssl) {
    return SSL_has_pending(&ssl) != 0 || BIO_ctrl_pending(SSL_get_rbio(&ssl)) != 0;
}

/// A connection to the server, open from its first use on.
struct Channel {
    explicit Channel(asio::io_context& io) : socket(io) {}

    Socket socket;
    std::unique_ptr<TlsStream> tls;  ///< Null: plain.
    beast::flat_buffer input{input_octets_max};
    Clock::time_point idle_end;

    /// Neither ended nor with something to say, as it should be between two requests. Asks all that
    /// may hold something back: the system, Asio, OpenSSL. It is of no more use if not.
    [[nodiscard]] bool is_quiet() {
        char octet = 0;
        const auto place = asio::buffer(&octet, 1);
        error_code ec;
        socket.non_blocking(true, ec);
        if (ec) { return false; }
        (void)(tls ? tls->read_some(place, ec) : socket.read_some(place, ec));
        const bool is_silent = ec == asio::error::would_block;
        return is_silent && !(tls && has_begun_record(*tls->native_handle()));
    }

    void close() {
        error_code ignored;
        socket.close(ignored);
    }
};

using ChannelRef = std::shared_ptr<Channel>;

engine::Secret wiped_secret(std::string& text) {
    engine::Secret secret(text);
    OPENSSL_cleanse(text.data(), text.size());
    return secret;
}

}  // namespace

// What the client and its requests share. Requests touch it on the outbound thread only, but for
// the count.
struct HttpClient::Core : std::enable_shared_from_this<HttpClient::Core> {
    Core(asio::io_context& executor, Settings given)
        : io(executor),
          settings(std::move(given)),
          name(settings.url.socket.empty() ? settings.url.authority() : settings.url.socket),
          next_end(executor) {
        if (settings.url.is_https) { context = tls::make_client_context(settings.ca_file); }
    }

    /// An idle connection that still is one; null if there is none.
    [[nodiscard]] ChannelRef take_idle() {
        while (!idle.empty()) {
            const ChannelRef channel = std::move(idle.back());
            idle.pop_back();
            if (channel->is_quiet()) { return channel; }
        }
        return nullptr;
    }

    void keep(ChannelRef channel) {
        if (idle.size() >= idle_max || !channel->is_quiet()) { return; }
        channel->idle_end = Clock::now() + settings.idle_max;
        idle.push_back(std::move(channel));
        if (idle.size() == 1) { await_end(); }
    }

    /// Of the one that waits longest.
    void await_end() {
        next_end.expires_at(idle.front()->idle_end);
        next_end.async_wait([weak = weak_from_this()](const error_code& ec) {
            if (const auto self = weak.lock(); self && !ec) { self->drop_expired(); }
        });
    }

    void drop_expired() {
        const auto now = Clock::now();
        const auto fresh = std::ranges::find_if(idle, [now](const ChannelRef& channel) {
            return now < channel->idle_end;
        });
        idle.erase(idle.begin(), fresh);
        if (!idle.empty()) { await_end(); }
    }

    [[nodiscard]] HttpFault fault(std::string_view what) const {
        return {fmt::format("{}: {}", name, what)};
    }

    asio::io_context& io;
    const Settings settings;
    const std::string name;  ///< Of the server, in faults.
    std::shared_ptr<SSL_CTX> context;
    std::atomic<std::size_t> in_flight{0};
    std::vector<ChannelRef> idle;  ///< Those that wait longest first.
    asio::steady_timer next_end;   ///< Of the first of them.
};

// One request, from the slot that it takes to the one that it gives back.
struct HttpClient::Exchange : std::enable_shared_from_this<HttpClient::Exchange> {
    using Ref = std::shared_ptr<Exchange>;
    using Fault = std::optional<HttpFault>;

    /// Its place among those in flight, given back whatever becomes of it.
    struct Slot {
        explicit Slot(Core& owner) : core(owner), number(owner.in_flight.fetch_add(1)) {}

        ~Slot() { core.in_flight.fetch_sub(1); }

        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;

        Core& core;
        const std::size_t number;
    };

    Exchange(std::shared_ptr<Core> shared, engine::Secret text, Done answer)
        : core(std::move(shared)),
          slot(*core),
          request(std::move(text)),
          done(std::move(answer)),
          deadline(core->io),
          resolver(core->io) {}

    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    void start();
    void begin();
    void answer(HttpResult result);
    void expire();
    [[nodiscard]] HttpFault verify_fault(const error_code& ec) const;

    static asio::awaitable<void> run(Ref self);
    static asio::awaitable<HttpResult> fetch(Ref self);
    static asio::awaitable<Fault> open(Ref self);
    static asio::awaitable<Fault> find_endpoints(Ref self);
    static asio::awaitable<Fault> shake_hands(Ref self);
    template <class Stream>
    static asio::awaitable<HttpResult> talk(Ref self, Stream& stream);

    const std::shared_ptr<Core> core;
    const Slot slot;
    engine::Secret request;
    Done done;  ///< Empty once it was called.
    asio::steady_timer deadline;
    tcp::resolver resolver;
    std::vector<Endpoint> endpoints;
    ChannelRef channel;
    bool is_reused = false;
    bool has_heard = false;  ///< Something of an answer.
};

// Whoever asked is answered, whatever is missing.
void HttpClient::Exchange::start() {
    try {
        begin();
    } catch (const std::exception& error) {
        answer(core->fault(fmt::format("the request cannot begin: {}", error.what())));
    }
}

void HttpClient::Exchange::begin() {
    deadline.expires_after(core->settings.timeout);
    deadline.async_wait([weak = weak_from_this()](const error_code& ec) {
        if (const auto self = weak.lock(); self && !ec) { self->expire(); }
    });
    asio::co_spawn(
        core->io,
        run(shared_from_this()),
        [self = shared_from_this()](const std::exception_ptr& failure) {
            if (failure) { self->answer(self->core->fault("the request failed")); }
            self->deadline.cancel();
        }
    );
}

void HttpClient::Exchange::answer(HttpResult result) {
    const Done answered = std::exchange(done, nullptr);
    if (answered) { answered(std::move(result)); }
}

// The system's resolver cannot be interrupted: its caller is answered all the same, and the slot
// stays taken until it comes back, so that what waits for it is bounded too.
void HttpClient::Exchange::expire() {
    resolver.cancel();
    if (channel) { channel->close(); }
    answer(core->fault(fmt::format("no answer in {} ms", core->settings.timeout.count())));
}

asio::awaitable<void> HttpClient::Exchange::run(Ref self) {
    HttpResult result = co_await fetch(self);
    // A connection that was kept may end just when it is used again.
    const bool is_stale = !result && self->is_reused && !self->has_heard && self->done;
    if (is_stale) {
        self->core->idle.clear();
        result = co_await fetch(self);
    }
    self->answer(std::move(result));
}

asio::awaitable<HttpResult> HttpClient::Exchange::fetch(Ref self) {
    self->channel = self->core->take_idle();
    self->is_reused = self->channel != nullptr;
    if (!self->is_reused) {
        Fault fault = co_await open(self);
        if (fault) { co_return *std::move(fault); }
    }
    const ChannelRef channel = self->channel;
    if (channel->tls) { co_return co_await talk(self, *channel->tls); }
    co_return co_await talk(self, channel->socket);
}

asio::awaitable<HttpClient::Exchange::Fault> HttpClient::Exchange::open(Ref self) {
    Fault fault = co_await find_endpoints(self);
    if (fault) { co_return fault; }
    self->channel = std::make_shared<Channel>(self->core->io);
    const error_code failure =
        co_await connect_in_turn(self->channel->socket, self->endpoints, self->deadline.expiry());
    if (failure) { co_return self->core->fault("cannot connect: " + failure.message()); }
    if (!self->core->context) { co_return Fault(); }
    co_return co_await shake_hands(self);
}

asio::awaitable<HttpClient::Exchange::Fault> HttpClient::Exchange::find_endpoints(Ref self) {
    const HttpUrl& url = self->core->settings.url;
    if (!url.socket.empty()) {
        self->endpoints = {asio::local::stream_protocol::endpoint(url.socket)};
        co_return Fault();
    }
    error_code no_address;
    const auto address = asio::ip::make_address(url.host, no_address);
    if (!no_address) {
        self->endpoints = {tcp::endpoint(address, url.port)};
        co_return Fault();
    }
    const auto [ec, found] =
        co_await self->resolver.async_resolve(url.host, std::to_string(url.port), use_result);
    if (ec) { co_return self->core->fault("its name has no address: " + ec.message()); }
    self->endpoints.clear();
    for (const auto& entry : found) {
        // `localhost` is what the system says it is; clear text stays on this machine.
        const bool may_be_used = url.is_https || entry.endpoint().address().is_loopback();
        if (may_be_used) { self->endpoints.emplace_back(entry.endpoint()); }
    }
    co_return Fault();
}

asio::awaitable<HttpClient::Exchange::Fault> HttpClient::Exchange::shake_hands(Ref self) {
    Channel& channel = *self->channel;
    SSL* const ssl = SSL_new(self->core->context.get());
    if (ssl == nullptr) { co_return self->core->fault("there is no memory for TLS"); }
    channel.tls = std::make_unique<TlsStream>(channel.socket, ssl);
    tls::set_peer_name(*ssl, self->core->settings.url.host);
    const auto [ec] =
        co_await channel.tls->async_handshake(asio::ssl::stream_base::client, use_result);
    if (ec) { co_return self->verify_fault(ec); }
    co_return Fault();
}

HttpFault HttpClient::Exchange::verify_fault(const error_code& ec) const {
    const long verdict = SSL_get_verify_result(channel->tls->native_handle());
    if (verdict == X509_V_OK) { return core->fault("no TLS: " + ec.message()); }
    return core->fault(
        fmt::format("its certificate is refused: {}", X509_verify_cert_error_string(verdict))
    );
}

template <class Stream>
asio::awaitable<HttpResult> HttpClient::Exchange::talk(Ref self, Stream& stream) {
    const Core& core = *self->core;
    const std::string_view text = self->request.reveal();
    const auto [write_ec, written] =
        co_await asio::async_write(stream, asio::buffer(text.data(), text.size()), use_result);
    if (write_ec) { co_return core.fault("cannot send: " + write_ec.message()); }
    // One that was kept may have to be repeated.
    if (!self->is_reused) { self->request = engine::Secret(); }
    beast::flat_buffer& input = self->channel->input;
    Parser parser;
    parser.header_limit(head_octets_max);
    parser.body_limit(core.settings.body_max);
    parser.get().body().max_size(core.settings.body_max);
    const auto [head_ec, head] =
        co_await http::async_read_header(stream, input, parser, use_result);
    self->has_heard = input.size() != 0 || parser.got_some();
    if (head_ec) { co_return core.fault("no valid answer: " + head_ec.message()); }
    if (parser.get().result_int() != 200) {
        co_return core.fault(fmt::format(
            "answers with status {}, not 200; nothing is followed", parser.get().result_int()
        ));
    }
    const auto [body_ec, body] = co_await http::async_read(stream, input, parser, use_result);
    if (body_ec) { co_return core.fault("no complete answer: " + body_ec.message()); }
    const auto octets = parser.get().body().data();
    std::string answer(static_cast<const char*>(octets.data()), octets.size());
    const bool may_stay = parser.keep_alive() && input.size() == 0 && self->done;
    if (may_stay) { self->core->keep(std::move(self->channel)); }
    co_return HttpResult(boost::system::in_place_value, std::move(answer));
}

HttpClient::HttpClient(Outbound& outbound, Settings settings)
    : core_(std::make_shared<Core>(outbound.io(), std::move(settings))) {}

HttpClient::~HttpClient() = default;

std::size_t HttpClient::in_flight() const {
    return core_->in_flight.load();
}

bool HttpClient::get(Done done) {
    std::string text = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: stampede\r\nAccept: application/json\r\n\r\n",
        core_->settings.url.target,
        core_->settings.url.authority()
    );
    return begin(wiped_secret(text), std::move(done));
}

bool HttpClient::post(engine::Secret json, Done done) {
    const std::string head = fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: stampede\r\nAccept: application/json\r\n"
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        core_->settings.url.target,
        core_->settings.url.authority(),
        json.size()
    );
    // One piece, and never moved: a copy in a buffer that grew or was gathered would not be wiped.
    std::string text;
    text.reserve(head.size() + json.size());
    text.append(head).append(json.reveal());
    return begin(wiped_secret(text), std::move(done));
}

bool HttpClient::begin(engine::Secret request, Done done) {
    const auto exchange = std::make_shared<Exchange>(core_, std::move(request), std::move(done));
    if (exchange->slot.number >= core_->settings.in_flight_max) { return false; }
    asio::post(core_->io, [exchange] { exchange->start(); });
    return true;
}

}  // namespace security
