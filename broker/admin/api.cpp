#include "broker/admin/api.hpp"

#include "broker/log/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/json.hpp>

#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;

constexpr std::chrono::seconds patience{5};
constexpr std::size_t limit_default = 100;
constexpr std::size_t limit_max = 1000;
constexpr std::size_t offset_max = 100'000;
constexpr std::size_t id_max = 64;
constexpr std::string_view scheduled_path = "scheduled";

using Response = ApiResponse;

Response respond(http::status status, std::string_view type, std::string body) {
    Response response{static_cast<unsigned>(status), std::move(body)};
    response.headers = {
        {"Content-Type", std::string(type)},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"}};
    return response;
}

// RFC 9457.
Response problem(http::status status, std::string_view detail) {
    const json::object object{
        {"type", "about:blank"},
        {"title", std::string(http::obsolete_reason(status))},
        {"status", static_cast<int>(status)},
        {"detail", detail}};
    return respond(status, "application/problem+json", json::serialize(object) + "\n");
}

Response not_allowed(std::string_view methods) {
    Response response =
        problem(http::status::method_not_allowed, "Allowed here: " + std::string(methods) + ".");
    response.headers.emplace_back("Allow", methods);
    return response;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') { return c - '0'; }
    if (c >= 'a' && c <= 'f') { return c - 'a' + 10; }
    if (c >= 'A' && c <= 'F') { return c - 'A' + 10; }
    return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
            continue;
        }
        if (i + 2 >= text.size()) { return std::nullopt; }
        const int high = hex_digit(text[i + 1]);
        const int low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0) { return std::nullopt; }
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return out;
}

std::optional<std::size_t> number_in(std::string_view text, std::size_t most) {
    std::size_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, number);
    if (ec != std::errc() || stop != end || number > most) { return std::nullopt; }
    return number;
}

struct Query {
    std::string destination;
    std::size_t limit = limit_default;
    std::size_t offset = 0;
};

/// The query, or what is wrong with it.
std::optional<Query> parse_query(std::string_view text, std::string& fault) {
    Query query;
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const std::size_t equals = part.find('=');
        const std::string_view name = part.substr(0, equals);
        const auto value = percent_decoded(
            equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1)
        );
        std::optional<std::size_t> number;
        if (value && name == "limit") { number = number_in(*value, limit_max); }
        if (value && name == "offset") { number = number_in(*value, offset_max); }
        if (value && name == "destination") {
            query.destination = *value;
        } else if (number && name == "limit" && *number != 0) {
            query.limit = *number;
        } else if (number && name == "offset") {
            query.offset = *number;
        } else {
            fault = "The query may have destination, limit (1 to 1000) and offset (0 to 100000).";
            return std::nullopt;
        }
    }
    return query;
}

json::object to_json(const engine::ScheduledMessage& message) {
    return {
        {"id", message.id},
        {"destination", message.destination},
        {"due", message.due_ms},
        {"period", message.period_ms},
        {"repeats", message.repeats},
        {"size", message.size},
        {"durable", message.is_stored}};
}

/// Waits on the coroutine's own thread for an answer that is given there.
template <class T>
struct Promise {
    explicit Promise(const asio::any_io_executor& executor) : timer(executor) {
        timer.expires_after(patience);
    }

    void keep(T answer) {
        value = std::move(answer);
        timer.cancel();
    }

    asio::steady_timer timer;
    std::optional<T> value;
};

template <class T>
asio::awaitable<void> await(std::shared_ptr<Promise<T>> promise) {
    if (promise->value) { co_return; }
    (void)co_await promise->timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

bool is_metrics(std::string_view target) {
    return target.substr(0, target.find('?')) == "/metrics";
}

Response too_late() {
    return problem(http::status::service_unavailable, "A shard did not answer in time. Ask again.");
}

}  // namespace

Api::Api(std::string token, std::string host, Scheduled scheduled, MetricsPage metrics)
    : token_(std::move(token)),
      host_(std::move(host)),
      scheduled_(scheduled),
      metrics_(std::move(metrics)) {}

bool Api::is_asked(std::string_view target) {
    return target.starts_with("/api/") || is_metrics(target);
}

// Against DNS rebinding (S-WEB-04). The port is not compared.
bool Api::is_known_host(std::string_view host) const {
    const std::size_t end = host.starts_with('[') ? host.find(']') : host.find(':');
    std::string_view name = host.substr(0, end);
    if (name.starts_with('[')) { name.remove_prefix(1); }
    return name == "localhost" || name == host_ || name == "127.0.0.1" || name == "::1";
}

// In a time that does not tell how much of it was right.
bool Api::is_authorized(std::string_view authorization) const {
    constexpr std::string_view scheme = "Bearer ";
    if (!authorization.starts_with(scheme)) { return false; }
    const std::string_view given = authorization.substr(scheme.size());
    unsigned difference = given.size() == token_.size() ? 0 : 1;
    for (std::size_t i = 0; i < token_.size(); ++i) {
        const char other = i < given.size() ? given[i] : '\0';
        difference |= static_cast<unsigned char>(token_[i] ^ other);
    }
    return difference == 0;
}

asio::awaitable<Response> Api::answer(ApiRequest request) {
    Response response;
    if (metrics_.is_open && is_metrics(request.target)) {
        co_return answer_metrics(request.method);
    }
    if (!is_known_host(request.host)) {
        response = problem(
            http::status::misdirected_request,
            "This Host is not served here: use localhost or the listener's address."
        );
    } else if (!is_authorized(request.authorization)) {
        response = problem(
            http::status::unauthorized,
            "Send Authorization: Bearer with the token of the file that the broker's log names."
        );
        response.headers.emplace_back("WWW-Authenticate", "Bearer");
    } else {
        response = co_await route(request);
    }
    const std::string_view target = request.target;
    // A line for each scrape would tell nothing.
    if (is_metrics(target) && response.status == 200) { co_return response; }
    const logging::Fields fields = {
        {"remote", request.remote},
        {"method", request.method},
        {"path", target.substr(0, target.find('?'))},
        {"status", response.status}};
    if (response.status == static_cast<unsigned>(http::status::unauthorized)) {
        logging::warn("admin-denied", "An admin call without the token was refused.", fields);
    } else {
        logging::info("admin-call", "An admin call was answered.", fields);
    }
    co_return response;
}

Response Api::answer_metrics(std::string_view method) const {
    if (method != "GET") { return not_allowed("GET"); }
    return respond(http::status::ok, "text/plain; version=0.0.4; charset=utf-8", metrics_.text());
}

asio::awaitable<Response> Api::route(const ApiRequest& request) {
    std::string_view path = request.target;
    if (is_metrics(path)) { co_return answer_metrics(request.method); }
    path.remove_prefix(std::string_view("/api/").size());
    if (path.starts_with("v1/")) { path.remove_prefix(3); }
    const std::size_t question = path.find('?');
    const std::string_view query =
        question == std::string_view::npos ? std::string_view() : path.substr(question + 1);
    path = path.substr(0, question);
    if (path == scheduled_path) {
        if (request.method != "GET") { co_return not_allowed("GET"); }
        co_return co_await list(query);
    }
    if (path.starts_with(scheduled_path) && path.substr(scheduled_path.size()).starts_with('/')) {
        auto id = percent_decoded(path.substr(scheduled_path.size() + 1));
        if (request.method != "DELETE") { co_return not_allowed("DELETE"); }
        if (id && !id->empty() && id->size() <= id_max) {
            co_return co_await cancel(*std::move(id));
        }
    }
    co_return problem(http::status::not_found, "There is /api/scheduled and /api/scheduled/ID.");
}

asio::awaitable<Response> Api::list(std::string_view query) {
    std::string fault;
    const auto asked = parse_query(query, fault);
    if (!asked) { co_return problem(http::status::bad_request, fault); }
    const auto promise =
        std::make_shared<Promise<ScheduledPage>>(co_await asio::this_coro::executor);
    scheduled_.list(asked->destination, asked->offset, asked->limit, [promise](ScheduledPage page) {
        promise->keep(std::move(page));
    });
    co_await await(promise);
    if (!promise->value) { co_return too_late(); }
    json::array messages;
    for (const engine::ScheduledMessage& message : promise->value->messages) {
        messages.push_back(to_json(message));
    }
    const json::object object{
        {"total", promise->value->total},
        {"offset", asked->offset},
        {"limit", asked->limit},
        {"messages", std::move(messages)}};
    co_return respond(http::status::ok, "application/json", json::serialize(object) + "\n");
}

asio::awaitable<Response> Api::cancel(std::string id) {
    const auto promise = std::make_shared<Promise<Cancelled>>(co_await asio::this_coro::executor);
    scheduled_.cancel(id, [promise](Cancelled outcome) { promise->keep(outcome); });
    co_await await(promise);
    if (!promise->value) { co_return too_late(); }
    switch (*promise->value) {
        case Cancelled::done:
            co_return respond(http::status::no_content, "application/json", {});
        case Cancelled::failed:
            co_return problem(http::status::service_unavailable, "The message store has failed.");
        case Cancelled::unknown:
            break;
    }
    co_return problem(
        http::status::not_found,
        "No delayed message has this id: it was routed or cancelled before, or never was."
    );
}

}  // namespace admin
