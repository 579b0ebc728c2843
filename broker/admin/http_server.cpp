#include "broker/admin/http_server.hpp"

#include "broker/log/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>
#include <stdexcept>
#include <sys/socket.h>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t connections_max = 64;
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

/// One connection, with the one timer that guards it; Beast's own had defects.
class Client : public Writer {
public:
    explicit Client(tcp::socket socket)
        : socket_(std::move(socket)), timer_(socket_.get_executor()) {
        boost::system::error_code unknown;
        const auto peer = socket_.remote_endpoint(unknown);
        if (!unknown) { remote_ = peer.address().to_string(); }
    }

    [[nodiscard]] tcp::socket& socket() { return socket_; }

    [[nodiscard]] const std::string& remote() const { return remote_; }

    /// The socket is closed unless this is called again, or rest(), in time.
    void hurry(std::chrono::seconds time) {
        timer_.expires_after(time);
        timer_.async_wait([this, alive = std::weak_ptr<int>(alive_)](boost::system::error_code ec) {
            if (ec || alive.expired()) { return; }
            socket_.close(ec);
        });
    }

    void rest() { timer_.cancel(); }

    asio::awaitable<bool> write(std::string octets) override {
        hurry(idle_time);
        const auto chunk = http::make_chunk(asio::buffer(octets));
        const auto [error, written] = co_await asio::async_write(socket_, chunk, use_result);
        rest();
        co_return !error;
    }

private:
    tcp::socket socket_;
    asio::steady_timer timer_;
    std::string remote_;
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// `tags`: of If-None-Match; each ends in a quote, so that none is a part of another.
bool has_already(std::string_view tags, const Response& file) {
    return std::ranges::any_of(file.fields, [tags](const auto& field) {
        return field.first == "ETag" && tags.find(field.second) != tags.npos;
    });
}

}  // namespace

struct HttpServer::State {
    explicit State(asio::io_context& io) : acceptor(io) {}

    using Parser = http::request_parser<http::string_body>;

    tcp::acceptor acceptor;
    Api* api = nullptr;
    FindFile files;
    HandOver hand_over;
    std::size_t connections = 0;

    static asio::awaitable<void> accept_loop(std::shared_ptr<State> self);
    static asio::awaitable<void> serve(std::shared_ptr<State> self, tcp::socket socket);
    asio::awaitable<bool> serve_one(Client& client, boost::beast::flat_buffer& buffer);
    asio::awaitable<std::optional<Response>> answer(
        Client& client, boost::beast::flat_buffer& buffer, Parser& parser
    );
    static asio::awaitable<bool> send(
        Client& client, Response answer, bool is_head, bool keep_alive
    );
    static asio::awaitable<bool> send_stream(Client& client, const Response& answer);
    static asio::awaitable<void> part(Client& client);
    void give_away(Client& client, boost::beast::flat_buffer& buffer, const Parser& parser);
};

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
        client.hurry(body_time);
        const auto [error, octets] =
            co_await http::async_read(client.socket(), buffer, parser, use_result);
        if (error == http::error::body_limit) {
            co_return Refused(
                413, "The body may have " + std::to_string(most) + " octets.", "frame-too-large"
            )
                .response();
        }
        if (error) { co_return std::nullopt; }
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
    Parser parser;
    parser.header_limit(head_max);
    parser.body_limit(boost::none);
    client.hurry(idle_time);
    const auto [error, octets] =
        co_await http::async_read_header(client.socket(), buffer, parser, use_result);
    if (error) {
        const bool is_broken =
            error.category() == http::make_error_code(http::error::bad_method).category() &&
            error != http::error::end_of_stream && error != http::error::partial_message;
        if (is_broken) {
            const unsigned status = error == http::error::header_limit ? 431 : 400;
            Response refusal =
                Refused(status, "This is no HTTP/1.1 request: " + error.message() + ".").response();
            auto awaited = send(client, std::move(refusal), false, false);
            (void)co_await std::move(awaited);
        }
        co_return false;
    }
    const std::string target = text_of(parser.get().target());
    if (path_of(target) == "/ws" && parser.get().method() == http::verb::get && parser.is_done()) {
        give_away(client, buffer, parser);
        co_return false;
    }
    const bool is_head = parser.get().method() == http::verb::head;
    auto answered = co_await answer(client, buffer, parser);
    if (!answered) { co_return false; }
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

asio::awaitable<void> HttpServer::State::serve(std::shared_ptr<State> self, tcp::socket socket) {
    {
        Client client(std::move(socket));
        boost::beast::flat_buffer buffer(buffer_max);
        try {
            while (co_await self->serve_one(client, buffer)) {}
            if (client.socket().is_open()) { co_await part(client); }
        } catch (const std::exception& error) {
            logging::error("admin-failed", "An admin connection failed.", {{"err", error.what()}});
        }
    }
    --self->connections;
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
        if (self->connections >= connections_max) { continue; }
        ++self->connections;
        asio::co_spawn(
            self->acceptor.get_executor(), serve(self, std::move(socket)), asio::detached
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
