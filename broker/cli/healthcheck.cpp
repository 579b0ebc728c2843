// `stampede healthcheck`: asks the admin listener what /healthz or /readyz says, for images without
// curl and for scripts. Needs no token; exits 0 if all is well, else 1.
#include "broker/cli/commands.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/server/config.hpp"
#include "broker/server/config_units.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <boost/system/system_error.hpp>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>

namespace cli {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

struct HealthOptions {
    bool asks_ready = false;
    bool as_json = false;
    std::string admin;
    std::string config;
    double timeout_ms = 10'000;
};

struct Answer {
    unsigned status = 0;
    std::string body;
};

/// Where the broker of this configuration answers, seen from its own machine.
server::Address configured_address(const HealthOptions& options) {
    server::Flags flags;
    flags.serves = false;
    if (!options.config.empty()) { flags.config = options.config; }
    const auto loaded =
        server::load_config(flags, [](const char* name) { return std::getenv(name); });
    server::Address address = loaded.config.admin;
    if (!address.is_set()) {
        throw Failure(
            ExitCode::configuration,
            "the admin listener is off (admin.address), so that nobody can be asked"
        );
    }
    if (address.host == "0.0.0.0") { address.host = "127.0.0.1"; }
    if (address.host == "::") { address.host = "::1"; }
    return address;
}

server::Address given_address(std::string url) {
    constexpr std::string_view scheme = "http://";
    if (url.starts_with(scheme)) { url.erase(0, scheme.size()); }
    if (url.ends_with('/')) { url.pop_back(); }
    const auto address = server::parse_address(url);
    if (!address || !address->is_set()) {
        throw Failure(
            ExitCode::usage,
            "--admin: expected http://ADDRESS:PORT with an IP address or localhost, such as "
            "http://127.0.0.1:15680"
        );
    }
    return *address;
}

asio::awaitable<Answer> get(server::Address where, std::string path) {
    tcp::socket socket(co_await asio::this_coro::executor);
    const tcp::endpoint peer(asio::ip::make_address(where.host), where.port);
    co_await socket.async_connect(peer, asio::use_awaitable);
    http::request<http::empty_body> request(http::verb::get, path, 11);
    request.set(http::field::host, server::format_address(where));
    request.set(http::field::connection, "close");
    co_await http::async_write(socket, request, asio::use_awaitable);
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    co_await http::async_read(socket, buffer, response, asio::use_awaitable);
    co_return Answer{response.result_int(), response.body()};
}

Answer ask(const HealthOptions& options) {
    const server::Address where =
        options.admin.empty() ? configured_address(options) : given_address(options.admin);
    asio::io_context io;
    Answer answer;
    std::exception_ptr error;
    asio::co_spawn(
        io,
        get(where, options.asks_ready ? "/readyz" : "/healthz"),
        [&](std::exception_ptr thrown, Answer found) {
            error = std::move(thrown);
            answer = std::move(found);
        }
    );
    io.run_for(std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_ms)));
    const std::string place = "http://" + server::format_address(where);
    try {
        if (error) { std::rethrow_exception(error); }
    } catch (const boost::system::system_error& thrown) {
        throw Failure(ExitCode::failure, place + ": " + thrown.code().message());
    }
    if (!io.stopped()) { throw Failure(ExitCode::failure, place + ": no answer in time"); }
    return answer;
}

/// `name: problem` of each check that is not ok.
std::string problems_in(const std::string& body) {
    boost::json::error_code ec;
    const boost::json::value value = boost::json::parse(body, ec);
    const boost::json::object* const object = ec ? nullptr : value.if_object();
    const boost::json::value* const checks =
        object == nullptr ? nullptr : object->if_contains("checks");
    std::string text;
    if (checks == nullptr || !checks->is_object()) { return text; }
    for (const auto& check : checks->get_object()) {
        if (!check.value().is_string() || check.value().get_string() == "ok") { continue; }
        text += (text.empty() ? "" : "; ") + std::string(check.key()) + ": " +
                std::string(check.value().get_string());
    }
    return text;
}

int healthcheck(const HealthOptions& options) {
    const Answer answer = ask(options);
    const bool is_well = answer.status == 200;
    if (options.as_json) {
        std::fputs(answer.body.c_str(), stdout);
    } else {
        const std::string problems = problems_in(answer.body);
        std::printf(
            "%s%s%s\n",
            is_well ? "ok" : "unavailable",
            problems.empty() ? "" : ": ",
            problems.c_str()
        );
    }
    return to_int(is_well ? ExitCode::ok : ExitCode::failure);
}

}  // namespace

void add_healthcheck(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand(
        "healthcheck", "Ask a running broker whether it is alive, or ready; exits 0 or 1"
    );
    const auto options = std::make_shared<HealthOptions>();
    set_help(
        *command,
        "",
        {"stampede healthcheck --ready", "stampede healthcheck --admin http://127.0.0.1:15680"}
    );
    command->add_flag(
        "--ready", options->asks_ready, "Whether it takes connections, not only lives"
    );
    command->add_option(
        "--admin",
        options->admin,
        "http://ADDRESS:PORT of its admin listener; default: as configured"
    );
    command->add_option("-c,--config", options->config, "Configuration that says where it listens")
        ->type_name("FILE");
    takes_duration(command->add_option("--timeout", options->timeout_ms, "Time for the answer"));
    command->add_flag("--json", options->as_json, "As JSON");
    command->callback([&action, options] { action = [options] { return healthcheck(*options); }; });
}

}  // namespace cli
