// The command line as a whole: help texts, usage errors, version.
#include "broker/cli/commands.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

namespace cli {
namespace {

constexpr const char* footer =
    "URLs: ws://, wss://, stomp://, stomps://[user[:passcode]@]host[:port][/path]\n"
    "Exit codes: 0 ok, 1 failure, 2 usage, 3 configuration, 4 authentication or permission,\n"
    "5 timeout or nothing received, 6 store damaged, 7 storage failed while running.";

// CLI11 has its own exit codes for usage errors; ours is 2 for all of them.
int end_of_parsing(const CLI::App& app, const CLI::ParseError& error) {
    return app.exit(error) == 0 ? to_int(ExitCode::ok) : to_int(ExitCode::usage);
}

}  // namespace

void add_version(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand("version", "Print the version");
    set_help(*command, "", {"stampede version --json"});
    const auto as_json = std::make_shared<bool>(false);
    command->add_flag("--json", *as_json, "As JSON");
    command->callback([&action, as_json] {
        action = [as_json] {
            std::puts(
                *as_json ? "{\"version\":\"" STAMPEDE_VERSION "\"}" : "stampede " STAMPEDE_VERSION
            );
            return to_int(ExitCode::ok);
        };
    });
}

int run(int argc, const char* const* argv) {
    CLI::App app("Stampede: a STOMP broker over WebSocket and TCP, and its tools", "stampede");
    Action action;
    app.require_subcommand(1);
    app.footer(footer);
    app.set_version_flag("--version", "stampede " STAMPEDE_VERSION);
    add_serve(app, action);
    add_pub(app, action);
    add_sub(app, action);
    add_req(app, action);
    add_ping(app, action);
    add_bench(app, action);
    add_admin(app, action);
    add_trace(app, action);
    add_top(app, action);
    add_config_commands(app, action);
    add_check_store(app, action);
    add_healthcheck(app, action);
    add_acl(app, action);
    add_passwd(app, action);
    add_token(app, action);
    add_version(app, action);
    add_completion(app, action);
    add_man(app, action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) { return end_of_parsing(app, error); }
    try {
        return action();
    } catch (const Failure& failure) {
        std::fprintf(stderr, "stampede: %s\n", failure.what());
        return to_int(failure.code());
    }
}

}  // namespace cli
