#include "broker/admin/http_server.hpp"

#include "broker/log/log.hpp"
#include "broker/transport/address.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <sstream>
#include <stdexcept>
#include <sys/socket.h>
#include <vector>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t connections_max = 64;
// Of these; the others wait for a request, and one of them makes room for a newcomer.
constexpr std::size_t busy_max = connections_max - 16;
constexpr std::size_t busy_without_token_max = 16;
// An answer that a socket takes at once, and that needs no place among the busy.
constexpr std::size_t small_max = 4 * 1024;
constexpr std::uint32_t head_max = 8 * 1024;
constexpr std::size_t buffer_max = 64 * 1024;
constexpr std::chrono::seconds idle_time{10};
constexpr std::chrono::seconds body_time{60};
constexpr std::chrono::seconds part_time{2};
constexpr std::size_t part_max = 16 * 1024 * 1024;

std::string text_of(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

std::string_view path_of(std::string_view target) {
    return target.substr(0, target.find('?'));
}

template <class Message>
RequestHead head_of(const Message& request, const std::string& remote) {
    return {
        text_of(request.method_string()),
        text_of(request.target()),
        text_of(request[http::field::host]),
        text_of(request[http::field::authorization]),
        text_of(request[http::field::content_type]),
        text_of(request["Idempotency-Key"]),
        remote};
}

http::response<http::string_body> http_response(Response answer, bool is_head, bool keep_alive) {
    http::response<http::string_body> response(http::int_to_status(answer.status), 11);
    for (const auto& [name, value] : answer.fields) {
        response.set(name, value);
    }
    response.keep_alive(keep_alive);
    response.body() = std::move(answer.body);
    response.prepare_payload();
    if (is_head) { response.body().clear(); }
    return response;
}

Response busy_response() {
    Response response =
        Refused(503, "Too many calls are being answered. Ask again later.", "overload").response();
    response.fields.emplace_back("Retry-After", "5");
    return response;
}

/// What a connection does: only one that waits is closed to make room.
enum class Doing : std::uint8_t { waiting, serving_anyone, serving_token };

class Client;

/// Those that wait are in the order in which they began to.
using Clients = std::vector<Client*>;

/// One connection, with the one timer that guards it; Beast's own had defects.
class Client : public Writer {
public:
    /// It is one of `all` until it goes; they outlive it.
    Client(tcp::socket socket, Clients& all)
        : socket_(std::move(socket)), timer_(socket_.get_executor()), all_(all) {
        boost::system::error_code unknown;
        const auto peer = socket_.remote_endpoint(unknown);
        if (!unknown) { remote_ = peer.address().to_string(); }
        const auto address = transport::IpAddress::parse(remote_);
        network_ = address ? address->network() : remote_;
        all_.push_back(this);
    }

    ~Client() override { std::erase(all_, this); }

    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] tcp::socket& socket() { return socket_; }

    [[nodiscard]] const std::string& remote() const { return remote_; }

    /// What it is counted by: its address, or an IPv6 /64.
    [[nodiscard]] const std::string& network() const { return network_; }

    [[nodiscard]] Doing doing() const { return doing_; }

    void serve(Doing doing) { doing_ = doing; }

    /// From now on it waits for a request, behind all others that do.
    void wait() {
        std::erase(all_, this);
        all_.push_back(this);
        doing_ = Doing::waiting;
    }

    /// It is no longer counted, and ends by itself.
    void make_room() {
        std::erase(all_, this);
        close();
    }

    /// The socket is closed unless this is called again, or another of these, in time.
    void hurry(std::chrono::seconds time) { arm(time, &Client::close); }

    /// The same, but that a peer who is late can still be answered.
    void await_request(std::chrono::seconds time) { arm(time, &Client::end_input); }

    void rest() { timer_.cancel(); }

    [[nodiscard]] bool is_late() const { return is_late_; }

    asio::awaitable<bool> write(std::string octets) override {
        hurry(idle_time);
        const auto chunk = http::make_chunk(asio::buffer(octets));
        const auto [error, written] = co_await asio::async_write(socket_, chunk, use_result);
        rest();
        co_return !error;
    }

private:
    void arm(std::chrono::seconds time, void (Client::*then)()) {
        timer_.expires_after(time);
        timer_.async_wait(
            [this, then, alive = std::weak_ptr<int>(alive_)](boost::system::error_code ec) {
                if (!ec && !alive.expired()) { (this->*then)(); }
            }
        );
    }

    void close() {
        boost::system::error_code ec;
        socket_.close(ec);
    }

    void end_input() {
        is_late_ = true;
        boost::system::error_code ec;
        socket_.shutdown(tcp::socket::shutdown_receive, ec);
        hurry(part_time);
    }

    tcp::socket socket_;
    asio::steady_timer timer_;
    Clients& all_;
    std::string remote_;
    std::string network_;
    Doing doing_ = Doing::waiting;
    bool is_late_ = false;
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

using Parser = http::request_parser<http::string_body>;

bool is_for_web_socket(const Parser& parser) {
    return path_of(text_of(parser.get().target())) == "/ws" &&
           parser.get().method() == http::verb::get;
}

/// Why nobody can be sure where the request ends, whom it asks or who asks (RFC 9112, 3.2, 6.1 and
/// 6.3); empty: one can.
std::string_view fault_of(const Parser& parser) {
    const auto& request = parser.get();
    const bool is_1_1 = request.version() == 11;
    const std::size_t hosts = request.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && is_1_1)) { return "Send Host, and only once."; }
    if (request.count(http::field::authorization) > 1) { return "Send Authorization only once."; }
    const std::size_t codings = request.count(http::field::transfer_encoding);
    if (codings != 0) {
        const bool is_chunked =
            boost::beast::iequals(request[http::field::transfer_encoding], "chunked");
        if (codings > 1 || !is_chunked || !is_1_1) {
            return "The only Transfer-Encoding here is chunked, and of HTTP/1.1.";
        }
        if (request.count(http::field::content_length) != 0) {
            return "Send Content-Length or Transfer-Encoding, not both.";
        }
    }
    if (is_for_web_socket(parser) && !parser.is_done()) { return "A request of /ws has no body."; }
    return {};
}

// What there is to say to a peer whose request did not come well; nothing to one who has gone.
std::optional<Refused> refusal_of(boost::system::error_code error, const Client& client) {
    if (error == http::error::partial_message && client.is_late()) {
        return Refused(408, "The request took too long.");
    }
    if (error.category() != http::make_error_code(http::error::bad_method).category() ||
        error == http::error::end_of_stream || error == http::error::partial_message) {
        return std::nullopt;
    }
    if (error == http::error::bad_version) { return Refused(505, "Only HTTP/1.1 is spoken here."); }
    const unsigned status = error == http::error::header_limit ? 431 : 400;
    return Refused(status, "This is no HTTP/1.1 request: " + error.message() + ".");
}

// `tags`: of If-None-Match; each ends in a quote, so that none is a part of another.
bool has_already(std::string_view tags, const Response& file) {
    return std::ranges::any_of(file.fields, [tags](const auto& field) {
        return field.first == "ETag" && tags.find(field.second) != tags.npos;
    });
}

}  // namespace

struct HttpServer::State {
    explicit State(asio::io_context& io) : acceptor(io) {}

    tcp::acceptor acceptor;
    Api* api = nullptr;
    FindFile files;
    HandOver hand_over;
    Clients clients;
    std::uint64_t closed = 0;  ///< To make room.

    static asio::awaitable<void> accept_loop(std::shared_ptr<State> self);
    static asio::awaitable<void> serve(std::shared_ptr<State> self, std::unique_ptr<Client> client);
    void make_room();
    [[nodiscard]] Client& longest_waiting() const;
    [[nodiscard]] bool reserve(Client& client, Doing doing) const;
    asio::awaitable<bool> serve_one(Client& client, boost::beast::flat_buffer& buffer);
    asio::awaitable<std::optional<Response>> answer(
        Client& client, boost::beast::flat_buffer& buffer, Parser& parser
    );
    static asio::awaitable<bool> send(
        Client& client, Response answer, bool is_head, bool keep_alive
    );
    static asio::awaitable<bool> refuse(Client& client, Refused refused, bool is_head);
    static asio::awaitable<bool> send_stream(Client& client, const Response& answer);
    static asio::awaitable<void> part(Client& client);
    void give_away(Client& client, boost::beast::flat_buffer& buffer, const Parser& parser);
};

// At the network that holds most. There is one whenever there are too many: `busy_max`.
Client& HttpServer::State::longest_waiting() const {
    Client* found = nullptr;
    std::ptrdiff_t most = 0;
    for (Client* const client : clients) {
        if (client->doing() != Doing::waiting) { continue; }
        if (found != nullptr && found->network() == client->network()) { continue; }
        const auto held = std::ranges::count(clients, client->network(), &Client::network);
        if (held <= most) { continue; }
        found = client;
        most = held;
    }
    assert(found != nullptr);
    return *found;
}

void HttpServer::State::make_room() {
    if (clients.size() < connections_max) { return; }
    Client& client = longest_waiting();
    ++closed;
    logging::warn(
        "admin-connections",
        "The connection that waited longest for a request made room for another.",
        {{"remote", client.remote()}, {"connections", clients.size()}, {"closed", closed}}
    );
    client.make_room();
}

// A place for what may take long, until the client waits again; false: there is none.
bool HttpServer::State::reserve(Client& client, Doing doing) const {
    if (client.doing() != Doing::waiting) { return true; }
    const auto waiting = std::ranges::count(clients, Doing::waiting, &Client::doing);
    const std::size_t busy = clients.size() - static_cast<std::size_t>(waiting);
    const auto alike = std::ranges::count(clients, doing, &Client::doing);
    const bool is_full =
        doing == Doing::serving_anyone && static_cast<std::size_t>(alike) >= busy_without_token_max;
    if (busy >= busy_max || is_full) {
        logging::warn(
            "admin-connections",
            "A call was refused: too many are being answered.",
            {{"remote", client.remote()}, {"busy", busy}}
        );
        return false;
    }
    client.serve(doing);
    return true;
}

// A file of the console, or what the API says; nothing if the connection is lost.
asio::awaitable<std::optional<Response>> HttpServer::State::answer(
    Client& client, boost::beast::flat_buffer& buffer, Parser& parser
) {
    const RequestHead head = head_of(parser.get(), client.remote());
    const bool reads = head.method == "GET" || head.method == "HEAD";
    if (reads && api->is_known_host(head.host)) {
        if (auto file = files(path_of(head.target))) {
            if (has_already(parser.get()[http::field::if_none_match], *file)) {
                file->status = 304;
                file->body.clear();
            }
            co_return file;
        }
    }
    Api::Found found = api->find(head);
    if (found.route == nullptr) { co_return std::move(found.refusal); }
    if (found.route->scope != Scope::none && !reserve(client, Doing::serving_token)) {
        log_call(head, 503);
        co_return busy_response();
    }
    const std::size_t most = found.route->body_max;
    if (!parser.is_done()) {
        if (parser.content_length().value_or(0) > most || most == 0) {
            co_return Refused(
                413,
                most == 0 ? std::string("This call takes no body.")
                          : "The body may have " + std::to_string(most) + " octets.",
                "frame-too-large"
            )
                .response();
        }
        parser.body_limit(most);
        if (parser.get()[http::field::expect] == "100-continue") {
            const std::string go = "HTTP/1.1 100 Continue\r\n\r\n";
            (void)co_await asio::async_write(client.socket(), asio::buffer(go), use_result);
        }
        client.await_request(body_time);
        const auto [error, octets] =
            co_await http::async_read(client.socket(), buffer, parser, use_result);
        if (error == http::error::body_limit) {
            co_return Refused(
                413, "The body may have " + std::to_string(most) + " octets.", "frame-too-large"
            )
                .response();
        }
        if (error) {
            const auto refused = refusal_of(error, client);
            if (!refused) { co_return std::nullopt; }
            log_call(head, refused->response().status, refused->what());
            co_return refused->response();
        }
    }
    client.rest();
    auto awaited = api->answer(head, std::move(found), std::move(parser.get().body()));
    co_return co_await std::move(awaited);
}

asio::awaitable<bool> HttpServer::State::send_stream(Client& client, const Response& answer) {
    http::response<http::empty_body> response(http::int_to_status(answer.status), 11);
    for (const auto& [name, value] : answer.fields) {
        response.set(name, value);
    }
    response.keep_alive(false);
    response.chunked(true);
    http::response_serializer<http::empty_body> serializer(response);
    client.hurry(idle_time);
    const auto [error, octets] =
        co_await http::async_write_header(client.socket(), serializer, use_result);
    client.rest();
    if (!error) {
        co_await answer.stream(client);
        client.hurry(idle_time);
        (void)co_await asio::async_write(client.socket(), http::make_chunk_last(), use_result);
    }
    co_return false;
}

asio::awaitable<bool> HttpServer::State::send(
    Client& client, Response answer, bool is_head, bool keep_alive
) {
    if (answer.stream && !is_head) { co_return co_await send_stream(client, answer); }
    const auto response = http_response(std::move(answer), is_head, keep_alive);
    client.hurry(body_time);
    const auto [error, octets] = co_await http::async_write(client.socket(), response, use_result);
    co_return !error && keep_alive;
}

// The connection ends with it.
asio::awaitable<bool> HttpServer::State::refuse(Client& client, Refused refused, bool is_head) {
    auto awaited = send(client, refused.response(), is_head, false);
    co_return co_await std::move(awaited);
}

// The transport reads the request anew, with rules of its own.
void HttpServer::State::give_away(
    Client& client, boost::beast::flat_buffer& buffer, const Parser& parser
) {
    client.rest();
    std::ostringstream text;
    text << parser.get().base();
    std::string octets = text.str();
    const auto rest = buffer.data();
    octets.append(static_cast<const char*>(rest.data()), rest.size());
    hand_over(std::move(client.socket()), std::move(octets));
}

// False if the connection ends.
asio::awaitable<bool> HttpServer::State::serve_one(
    Client& client, boost::beast::flat_buffer& buffer
) {
    if (!client.socket().is_open()) { co_return false; }
    client.wait();
    Parser parser;
    parser.header_limit(head_max);
    parser.body_limit(boost::none);
    client.await_request(idle_time);
    const auto [error, octets] =
        co_await http::async_read_header(client.socket(), buffer, parser, use_result);
    if (!client.socket().is_open()) { co_return false; }
    if (error) {
        auto refused = refusal_of(error, client);
        if (!refused) { co_return false; }
        auto awaited = refuse(client, *std::move(refused), false);
        co_return co_await std::move(awaited);
    }
    const bool is_head = parser.get().method() == http::verb::head;
    if (const std::string fault(fault_of(parser)); !fault.empty()) {
        log_call(head_of(parser.get(), client.remote()), 400, fault);
        auto awaited = refuse(client, Refused(400, fault), is_head);
        co_return co_await std::move(awaited);
    }
    if (is_for_web_socket(parser)) {
        give_away(client, buffer, parser);
        co_return false;
    }
    auto answered = co_await answer(client, buffer, parser);
    if (!answered) { co_return false; }
    const bool is_long = answered->stream || answered->body.size() > small_max;
    if (is_long && !reserve(client, Doing::serving_anyone)) { answered = busy_response(); }
    // What is left of a refused body is not read.
    const bool keep_alive = parser.is_done() && parser.get().keep_alive();
    auto awaited_2 = send(client, std::move(*answered), is_head, keep_alive);
    co_return co_await std::move(awaited_2);
}

// Octets that nobody has read make a reset of a close, which overtakes the answer: for a moment
// they are thrown away.
asio::awaitable<void> HttpServer::State::part(Client& client) {
    boost::system::error_code ec;
    client.socket().shutdown(tcp::socket::shutdown_send, ec);
    if (ec) { co_return; }
    client.hurry(part_time);
    std::array<char, 16 * 1024> unread{};
    for (std::size_t read = 0; read < part_max;) {
        const auto [error, octets] =
            co_await client.socket().async_read_some(asio::buffer(unread), use_result);
        if (error) { co_return; }
        read += octets;
    }
}

asio::awaitable<void> HttpServer::State::serve(
    std::shared_ptr<State> self, std::unique_ptr<Client> client
) {
    boost::beast::flat_buffer buffer(buffer_max);
    try {
        while (co_await self->serve_one(*client, buffer)) {}
        if (client->socket().is_open()) {
            client->wait();
            co_await part(*client);
        }
    } catch (const std::exception& error) {
        logging::error("admin-failed", "An admin connection failed.", {{"err", error.what()}});
    }
}

asio::awaitable<void> HttpServer::State::accept_loop(std::shared_ptr<State> self) {
    asio::steady_timer pause(self->acceptor.get_executor());
    for (;;) {
        auto [ec, socket] = co_await self->acceptor.async_accept(use_result);
        if (!self->acceptor.is_open()) { co_return; }
        if (ec) {
            pause.expires_after(std::chrono::milliseconds(100));
            const auto [waited] = co_await pause.async_wait(use_result);
            if (waited) { co_return; }
            continue;
        }
        self->make_room();
        auto client = std::make_unique<Client>(std::move(socket), self->clients);
        asio::co_spawn(
            self->acceptor.get_executor(), serve(self, std::move(client)), asio::detached
        );
    }
}

HttpServer::HttpServer(
    asio::io_context& io, const std::string& host, std::uint16_t port, int descriptor
)
    : state_(std::make_shared<State>(io)) {
    boost::system::error_code ec;
    const tcp::endpoint endpoint(asio::ip::make_address(host, ec), port);
    if (descriptor >= 0) {
        state_->acceptor.assign(endpoint.protocol(), descriptor, ec);
    } else {
        if (!ec) { state_->acceptor.open(endpoint.protocol(), ec); }
        if (!ec) { state_->acceptor.set_option(tcp::acceptor::reuse_address(true), ec); }
        if (!ec) { state_->acceptor.bind(endpoint, ec); }
        if (!ec) { state_->acceptor.listen(asio::socket_base::max_listen_connections, ec); }
    }
    if (ec) {
        throw std::runtime_error(
            "Cannot listen on " + host + " port " + std::to_string(port) +
            " for the admin listener: " + ec.message() +
            ". Choose another address with --admin, or stop the program that uses it."
        );
    }
}

HttpServer::~HttpServer() = default;

void HttpServer::start(Api& api, FindFile files, HandOver hand_over) {
    state_->api = &api;
    state_->files = std::move(files);
    state_->hand_over = std::move(hand_over);
    asio::co_spawn(state_->acceptor.get_executor(), State::accept_loop(state_), asio::detached);
}

void HttpServer::stop() {
    boost::system::error_code ec;
    state_->acceptor.close(ec);
}

std::uint16_t HttpServer::port() const {
    return state_->acceptor.local_endpoint().port();
}

}  // namespace admin
