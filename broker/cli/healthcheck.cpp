// `stampede healthcheck`: asks the admin listener what /healthz or /readyz says, for images without
// curl and for scripts. Needs no token; exits 0 if all is well, else 1.
#include "broker/cli/admin_client.hpp"
#include "broker/cli/commands.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/printable.hpp"
#include "broker/cli/target.hpp"
#include "broker/server/config.hpp"
#include "broker/server/config_units.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace cli {
namespace {

namespace json = boost::json;

struct HealthOptions {
    bool asks_ready = false;
    bool as_json = false;
    std::string admin;
    std::string config;
    double timeout_ms = 10'000;
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

/// `origin` says where `url` was given.
server::Address given_address(std::string url, const std::string& origin) {
    constexpr std::string_view scheme = "http://";
    if (url.starts_with(scheme)) { url.erase(0, scheme.size()); }
    if (url.ends_with('/')) { url.pop_back(); }
    const auto address = server::parse_address(url);
    if (!address || !address->is_set()) {
        throw Failure(
            ExitCode::usage,
            origin +
                ": expected http://ADDRESS:PORT with an IP address or localhost, such as "
                "http://127.0.0.1:15680"
        );
    }
    return *address;
}

/// What is said on the command line counts before the environment.
server::Address address_of(const HealthOptions& options) {
    if (!options.admin.empty()) { return given_address(options.admin, "--admin"); }
    constexpr const char* variable = "STAMPEDE_ADMIN";
    const char* const admin = std::getenv(variable);
    const bool is_named = admin != nullptr && *admin != '\0' && options.config.empty();
    return is_named ? given_address(admin, variable) : configured_address(options);
}

AdminAnswer ask(const HealthOptions& options) {
    const server::Address where = address_of(options);
    Target target;
    target.url.is_web_socket = false;
    target.url.host = where.host;
    target.url.port = where.port;
    target.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_ms));
    try {
        return get_without_token(target, options.asks_ready ? "/readyz" : "/healthz");
    } catch (const Failure& failure) {
        // Those who run it know 0 and 1 alone.
        throw Failure(
            ExitCode::failure, "http://" + server::format_address(where) + ": " + failure.what()
        );
    }
}

/// `name: problem` of each check that is not ok.
std::string problems_in(const json::value& health) {
    const json::object* const object = health.if_object();
    const json::value* const checks = object == nullptr ? nullptr : object->if_contains("checks");
    std::string text;
    if (checks == nullptr || !checks->is_object()) { return text; }
    for (const auto& [name, state] : checks->get_object()) {
        if (!state.is_string() || state.get_string() == "ok") { continue; }
        text += (text.empty() ? "" : "; ") + printable(name) + ": " + printable(state.get_string());
    }
    return text;
}

int healthcheck(const HealthOptions& options) {
    const AdminAnswer answer = ask(options);
    boost::system::error_code ec;
    const json::value health = json::parse(answer.body, ec);
    if (ec && options.as_json) {
        throw Failure(ExitCode::failure, "the answer is no JSON; is that the admin listener?");
    }
    const bool is_well = answer.status == 200;
    const std::string problems = problems_in(health);
    const std::string text =
        (is_well ? "ok" : "unavailable") + (problems.empty() ? "" : ": " + problems);
    std::puts(options.as_json ? json::serialize(health).c_str() : text.c_str());
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
        "http://ADDRESS:PORT of its admin listener; default: STAMPEDE_ADMIN, else as configured"
    );
    command->add_option("-c,--config", options->config, "Configuration that says where it listens")
        ->type_name("FILE");
    takes_duration(command->add_option("--timeout", options->timeout_ms, "Time for the answer"));
    command->add_flag("--json", options->as_json, "As JSON");
    command->callback([&action, options] { action = [options] { return healthcheck(*options); }; });
}

}  // namespace cli
