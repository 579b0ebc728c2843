// The command line as a whole: help texts, usage errors, version.
#include "broker/cli/commands.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/nearest.hpp"
#include "broker/cli/printable.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace cli {
namespace {

constexpr const char* footer =
    "URLs: ws://, wss://, stomp://, stomps://[user[:passcode]@]host[:port][/path]\n"
    "Exit codes: 0 ok, 1 failure, 2 usage, 3 configuration, 4 authentication or permission,\n"
    "5 timeout or nothing received, 6 store damaged, 7 storage failed while running.";

std::vector<std::string> names_below(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::App* const child :
         command.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); })) {
        names.push_back(child->get_name());
    }
    return names;
}

/// What to say of a word where a command should be; empty if there is none.
std::string unknown_command(const CLI::App& app) {
    const CLI::App* command = &app;
    std::string path = "stampede";
    while (!command->get_subcommands().empty()) {
        command = command->get_subcommands().front();
        path += ' ' + command->get_name();
    }
    const std::vector<std::string> rest = command->remaining();
    const bool is_word = !rest.empty() && !rest.front().starts_with('-');
    if (command->get_require_subcommand_min() == 0 || !is_word) { return {}; }
    std::string text = "there is no command " + path + ' ' + printable(rest.front());
    const std::string meant = nearest(rest.front(), names_below(*command));
    if (!meant.empty()) { text += " (did you mean \"" + meant + "\"?)"; }
    return text + "; " + path + " --help lists what there is";
}

// CLI11 has its own exit codes for usage errors; ours is 2 for all of them.
int end_of_parsing(const CLI::App& app, const CLI::ParseError& error) {
    const std::string unknown = unknown_command(app);
    if (error.get_name() == "RequiredError" && !unknown.empty()) {
        std::fprintf(stderr, "stampede: %s\n", unknown.c_str());
        return to_int(ExitCode::usage);
    }
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
