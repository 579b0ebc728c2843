// One coroutine per request on a loop that runs until it has ended or time is up.
#include "broker/cli/admin_client.hpp"

#include "broker/cli/admin_token_file.hpp"
#include "broker/cli/dial.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/event_stream.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/printable.hpp"
#include "broker/security/http_url.hpp"
#include "broker/server/config_units.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <exception>

namespace cli {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t answer_max = std::size_t{64} * 1024 * 1024;
constexpr std::size_t problem_max = 64 * 1024;

security::HttpUrl parse(const AdminFlags& flags) {
    auto url = security::parse_http_url(flags.url);
    if (!url) { throw Failure(ExitCode::usage, "--admin: the URL " + url.error().what); }
    if (!url->socket.empty()) { throw Failure(ExitCode::usage, "--admin: no Unix sockets"); }
    return std::move(*url);
}

Target target_for(const AdminFlags& flags, const security::HttpUrl& url) {
    Target target;
    target.url.host = url.host;
    target.url.port = url.port;
    target.url.is_tls = url.is_https;
    target.url.is_web_socket = false;
    target.ca_file = flags.ca_file;
    target.timeout = std::chrono::milliseconds(static_cast<long>(flags.timeout_ms));
    return target;
}

FoundToken token_for(const AdminFlags& flags, const security::HttpUrl& url) {
    try {
        return find_admin_token(flags.token_file, url.port);
    } catch (const Failure& failure) {
        // Where no broker runs there is no token either: get_without_token() says which it is.
        if (failure.code() == ExitCode::refused) {
            static_cast<void>(get_without_token(target_for(flags, url), "/healthz"));
        }
        throw;
    }
}

std::string query_text(const AdminQuery& query) {
    std::string text;
    for (const auto& [name, value] : query) {
        if (value.empty()) { continue; }
        text += (text.empty() ? '?' : '&') + name + '=' + percent_encoded(value);
    }
    return text;
}

}  // namespace

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ||
                              c == '.' || c == '_' || c == '~';
        if (is_plain) {
            out += c;
            continue;
        }
        constexpr const char* digits = "0123456789ABCDEF";
        const auto octet = static_cast<unsigned char>(c);
        out += '%';
        out += digits[octet >> 4U];
        out += digits[octet & 15U];
    }
    return out;
}

void add_admin_options(CLI::App& command, AdminFlags& flags) {
    command.add_option("--admin", flags.url, "URL of the broker's admin listener")
        ->envname("STAMPEDE_ADMIN")
        ->capture_default_str();
    command
        .add_option(
            "--token-file",
            flags.token_file,
            "File with the admin token (default: where a broker on this machine puts it)"
        )
        ->envname("STAMPEDE_ADMIN_TOKEN_FILE")
        ->type_name("FILE");
    command
        .add_option("--ca-file", flags.ca_file, "Trust these certificates (PEM), not the system's")
        ->type_name("FILE");
    takes_duration(command.add_option(
        "--timeout", flags.timeout_ms, "Longest wait for an answer (default: 10s)"
    ));
}

struct AdminRequest {
    Target target;
    http::request<http::string_body> message;
};

namespace {

AdminRequest request_to(Target target, http::verb method, const std::string& path) {
    AdminRequest request{std::move(target), {method, path, 11}};
    request.message.set(http::field::host, request.target.url.authority());
    request.message.set(http::field::user_agent, "stampede/" STAMPEDE_VERSION);
    request.message.set(http::field::connection, "close");
    return request;
}

/// Runs `work` until it has ended; a Failure that it throws is passed on.
template <class Work>
void run_within(
    asio::io_context& io, Work work, std::chrono::milliseconds timeout, const bool& is_begun
) {
    bool is_done = false;
    std::exception_ptr error;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown) {
        is_done = true;
        error = std::move(thrown);
    });
    const auto until = Clock::now() + timeout;
    while (!is_done && (is_begun || Clock::now() < until)) {
        is_begun ? io.run_one() : io.run_one_until(until);
    }
    if (error) { std::rethrow_exception(error); }
    if (!is_done) {
        throw Failure(ExitCode::timeout, "the admin listener does not answer in time");
    }
}

[[noreturn]] void fail_reading(const boost::system::error_code& ec) {
    if (ec == http::error::body_limit) {
        throw Failure(ExitCode::failure, "the admin listener's answer is larger than 64 MiB");
    }
    throw Failure(
        ExitCode::failure,
        "no HTTP answer from there (" + ec.message() + "); is that the admin listener?"
    );
}

template <class Stream>
asio::awaitable<void> ask(Stream& stream, const AdminRequest& request, AdminAnswer& answer) {
    auto [write_error, written] = co_await http::async_write(stream, request.message, use_result);
    if (write_error) { fail_reading(write_error); }
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(answer_max);
    auto [ec, size] = co_await http::async_read(stream, buffer, parser, use_result);
    if (ec) { fail_reading(ec); }
    answer.status = parser.get().result_int();
    answer.body = std::move(parser.get().body());
}

AdminAnswer answer_to(AdminRequest request) {
    request.message.prepare_payload();
    asio::io_context io{1};
    AdminAnswer answer;
    const auto exchange = [](asio::io_context& loop, const AdminRequest& sent, AdminAnswer& got
                          ) -> asio::awaitable<void> {
        Dialed dialed = co_await dial(loop, sent.target);
        if (auto* const tls = std::get_if<TlsStream>(&dialed.stream)) {
            co_await ask(*tls, sent, got);
        } else {
            co_await ask(std::get<PlainStream>(dialed.stream), sent, got);
        }
    };
    run_within(io, exchange(io, request, answer), request.target.timeout, false);
    return answer;
}

struct Listening {
    unsigned status = 0;
    std::string problem;    ///< The body, if the status is not 200.
    bool is_begun = false;  ///< The head has come: from then on it may take its time.
};

template <class Stream>
asio::awaitable<void> listen(
    Stream& stream,
    const AdminRequest& request,
    Listening& state,
    const AdminClient::OnEvent& on_event
) {
    auto [write_error, written] = co_await http::async_write(stream, request.message, use_result);
    if (write_error) { fail_reading(write_error); }
    boost::beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    auto [head_error, head] = co_await http::async_read_header(stream, buffer, parser, use_result);
    if (head_error) { fail_reading(head_error); }
    state.status = parser.get().result_int();
    state.is_begun = state.status == 200;
    EventStream events(on_event);
    std::array<char, 16 * 1024> octets{};
    while (!parser.is_done()) {
        parser.get().body().data = octets.data();
        parser.get().body().size = octets.size();
        auto [ec, size] = co_await http::async_read_some(stream, buffer, parser, use_result);
        if (ec && ec != http::error::need_buffer && ec != http::error::end_of_stream) { co_return; }
        const std::string_view got(octets.data(), octets.size() - parser.get().body().size);
        if (!state.is_begun) {
            if (state.problem.size() < problem_max) { state.problem += got; }
        } else if (!events.take(got)) {
            co_return;
        }
    }
}

}  // namespace

AdminAnswer get_without_token(const Target& target, const std::string& path) {
    return answer_to(request_to(target, http::verb::get, path));
}

AdminClient::AdminClient(const AdminFlags& flags) : flags_(flags) {
    const security::HttpUrl url = parse(flags);
    // The token of this machine's broker is not for another one.
    if (flags.token_file.empty() && url.host != "localhost" && !server::is_loopback(url.host)) {
        throw Failure(
            ExitCode::refused,
            "name the file with the admin token of " + printable(url.host) + " with --token-file"
        );
    }
    FoundToken found = token_for(flags, url);
    token_ = std::move(found.token);
    token_file_ = std::move(found.file);
}

AdminRequest AdminClient::request_for(
    const std::string& method, const std::string& path, const AdminQuery& query
) const {
    const security::HttpUrl url = parse(flags_);
    std::string base = url.target;
    while (base.ends_with('/')) {
        base.pop_back();
    }
    const std::string target = base + "/api/v1" + path + query_text(query);
    AdminRequest request =
        request_to(target_for(flags_, url), http::string_to_verb(method), target);
    request.message.set(http::field::host, url.authority());
    request.message.set(http::field::authorization, "Bearer " + token_);
    return request;
}

boost::json::value AdminClient::call(
    const std::string& method,
    const std::string& path,
    const AdminQuery& query,
    const boost::json::value& body
) const {
    AdminRequest request = request_for(method, path, query);
    if (!body.is_null()) {
        request.message.body() = boost::json::serialize(body);
        request.message.set(http::field::content_type, "application/json");
    }
    return json_of(answer_to(std::move(request)));
}

void AdminClient::stream(const std::string& path, const AdminQuery& query, const OnEvent& on_event)
    const {
    AdminRequest request = request_for("GET", path, query);
    request.message.set(http::field::accept, "text/event-stream");
    request.message.prepare_payload();
    asio::io_context io{1};
    Listening state;
    const auto exchange =
        [](asio::io_context& loop, const AdminRequest& sent, Listening& got, const OnEvent& take
        ) -> asio::awaitable<void> {
        Dialed dialed = co_await dial(loop, sent.target);
        if (auto* const tls = std::get_if<TlsStream>(&dialed.stream)) {
            co_await listen(*tls, sent, got, take);
        } else {
            co_await listen(std::get<PlainStream>(dialed.stream), sent, got, take);
        }
    };
    run_within(io, exchange(io, request, state, on_event), request.target.timeout, state.is_begun);
    if (state.status != 200) { static_cast<void>(json_of({state.status, state.problem})); }
}

boost::json::value AdminClient::json_of(const AdminAnswer& answer) const {
    boost::system::error_code ec;
    boost::json::value value =
        answer.body.empty() ? boost::json::value() : boost::json::parse(answer.body, ec);
    if (answer.status >= 200 && answer.status < 300) {
        if (!ec) { return value; }
        throw Failure(ExitCode::failure, "the answer is no JSON; is that the admin listener?");
    }
    std::string detail = "HTTP status " + std::to_string(answer.status);
    if (!ec && value.is_object()) {
        const boost::json::value* const text = value.as_object().if_contains("detail");
        if (text != nullptr && text->is_string()) { detail = std::string(text->as_string()); }
    }
    const bool is_refused = answer.status == 401 || answer.status == 403;
    if (is_refused) { detail += " The token is that of " + token_file_ + "."; }
    throw Failure(is_refused ? ExitCode::refused : ExitCode::failure, printable(detail));
}

}  // namespace cli
