#include "broker/admin/health.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <stdexcept>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t connections_max = 64;
constexpr std::uint32_t head_max = 8 * 1024;
constexpr std::chrono::seconds idle_time{10};

/// A problem may quote the name of a file.
std::string escaped(const std::string& text) {
    std::string json;
    for (const char letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') { json += '\\'; }
        json += code < 0x20 ? ' ' : letter;
    }
    return json;
}

/// `extra`: more members of the object, each with a comma behind it.
std::string json_of(bool good, const std::string& extra, const std::vector<Check>& checks) {
    std::string json = std::string("{\"status\":\"") + (good ? "ok" : "unavailable") + "\"," +
                       extra + "\"checks\":{";
    for (std::size_t i = 0; i < checks.size(); ++i) {
        json += (i == 0 ? "\"" : ",\"") + checks[i].name + "\":\"" +
                (checks[i].problem.empty() ? "ok" : escaped(checks[i].problem)) + "\"";
    }
    return json + "}}\n";
}

std::string text_of(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

ApiRequest api_request(const http::request<http::empty_body>& request, const std::string& remote) {
    return {
        text_of(request.method_string()),
        text_of(request.target()),
        text_of(request[http::field::host]),
        text_of(request[http::field::authorization]),
        remote};
}

http::response<http::string_body> http_response(const ApiResponse& answer, bool keep_alive) {
    http::response<http::string_body> response(http::int_to_status(answer.status), 11);
    for (const auto& [name, value] : answer.headers) {
        response.set(name, value);
    }
    response.body() = answer.body;
    response.keep_alive(keep_alive);
    response.prepare_payload();
    return response;
}

}  // namespace

struct Health::State {
    State(asio::io_context& io, std::string mode, ReadyChecks ready, std::unique_ptr<Api> calls)
        : acceptor(io),
          durability(std::move(mode)),
          checks(std::move(ready)),
          api(std::move(calls)) {}

    tcp::acceptor acceptor;
    const std::string durability;
    ReadyChecks checks;
    const std::unique_ptr<Api> api;
    std::size_t connections = 0;

    http::response<http::string_body> answer(const http::request<http::empty_body>& request) const;
    static asio::awaitable<void> accept_loop(std::shared_ptr<State> self);
    static asio::awaitable<void> serve(std::shared_ptr<State> self, tcp::socket socket);
};

http::response<http::string_body> Health::State::answer(
    const http::request<http::empty_body>& request
) const {
    http::response<http::string_body> response(http::status::ok, 11);
    response.set(http::field::content_type, "application/json");
    response.set(http::field::cache_control, "no-store");
    response.keep_alive(request.keep_alive());
    const auto target = request.target();
    const bool is_get = request.method() == http::verb::get || request.method() == http::verb::head;
    if (!is_get) {
        response.result(http::status::method_not_allowed);
        response.set(http::field::allow, "GET, HEAD");
        response.body() = "{\"error\":\"Only GET is allowed here.\"}\n";
    } else if (target == "/healthz") {
        // Answered by the event loop itself: that it answers is the check.
        response.body() = json_of(true, "", {{"loop", ""}});
    } else if (target == "/readyz") {
        const std::vector<Check> results = checks();
        bool good = true;
        for (const Check& check : results) {
            good = good && (check.problem.empty() || !check.is_needed);
        }
        if (!good) { response.result(http::status::service_unavailable); }
        response.body() = json_of(good, "\"durability\":\"" + durability + "\",", results);
    } else {
        response.result(http::status::not_found);
        response.body() = "{\"error\":\"There is only /healthz, /readyz and /api.\"}\n";
    }
    response.prepare_payload();
    if (request.method() == http::verb::head) { response.body().clear(); }
    return response;
}

asio::awaitable<void> Health::State::serve(std::shared_ptr<State> self, tcp::socket socket) {
    // An own timer, not Beast's, whose timeout paths had defects.
    asio::steady_timer timer(socket.get_executor());
    const auto shared = std::make_shared<tcp::socket>(std::move(socket));
    boost::beast::flat_buffer buffer(head_max);
    boost::system::error_code unknown;
    const auto peer = shared->remote_endpoint(unknown);
    const std::string remote = unknown ? std::string() : peer.address().to_string();
    for (bool alive = true; alive;) {
        timer.expires_after(idle_time);
        timer.async_wait([weak = std::weak_ptr<tcp::socket>(shared
                          )](const boost::system::error_code& ec) {
            const auto open = weak.lock();
            boost::system::error_code ignored;
            if (!ec && open) { open->close(ignored); }
        });
        http::request_parser<http::empty_body> parser;
        parser.header_limit(head_max);
        const auto [read_error, read_octets] =
            co_await http::async_read(*shared, buffer, parser, use_result);
        if (read_error) { break; }
        const auto& request = parser.get();
        http::response<http::string_body> response;
        if (self->api && Api::is_asked({request.target().data(), request.target().size()})) {
            const auto answer = co_await self->api->answer(api_request(request, remote));
            response = http_response(answer, request.keep_alive());
        } else {
            response = self->answer(request);
        }
        alive = response.keep_alive();
        const auto [write_error, written] =
            co_await http::async_write(*shared, response, use_result);
        if (write_error) { break; }
    }
    timer.cancel();
    --self->connections;
}

asio::awaitable<void> Health::State::accept_loop(std::shared_ptr<State> self) {
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

Health::Health(
    asio::io_context& io,
    const std::string& host,
    std::uint16_t port,
    std::string durability,
    ReadyChecks checks,
    std::unique_ptr<Api> api
)
    : state_(std::make_shared<State>(io, std::move(durability), std::move(checks), std::move(api))
      ) {
    boost::system::error_code ec;
    const tcp::endpoint endpoint(asio::ip::make_address(host, ec), port);
    if (!ec) { state_->acceptor.open(endpoint.protocol(), ec); }
    if (!ec) { state_->acceptor.set_option(tcp::acceptor::reuse_address(true), ec); }
    if (!ec) { state_->acceptor.bind(endpoint, ec); }
    if (!ec) { state_->acceptor.listen(asio::socket_base::max_listen_connections, ec); }
    if (ec) {
        throw std::runtime_error(
            "Cannot listen on " + host + " port " + std::to_string(port) +
            " for the admin listener: " + ec.message() +
            ". Choose another address with --admin, or stop the program that uses it."
        );
    }
}

Health::~Health() = default;

void Health::start() {
    asio::co_spawn(state_->acceptor.get_executor(), State::accept_loop(state_), asio::detached);
}

void Health::stop() {
    boost::system::error_code ec;
    state_->acceptor.close(ec);
}

std::uint16_t Health::port() const {
    return state_->acceptor.local_endpoint().port();
}

}  // namespace admin
