// The sub-commands of `stampede`: one add_ function each, and run(), which picks one.
// An add_ function declares options and stores what is to be done; nothing runs while parsing.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace cli {

/// What the chosen sub-command does; returns the exit code.
using Action = std::function<int()>;

void add_serve(CLI::App& app, Action& action);
void add_config_commands(CLI::App& app, Action& action);
void add_check_store(CLI::App& app, Action& action);
void add_pub(CLI::App& app, Action& action);
void add_sub(CLI::App& app, Action& action);
void add_req(CLI::App& app, Action& action);
void add_ping(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_healthcheck(CLI::App& app, Action& action);
void add_acl(CLI::App& app, Action& action);
void add_passwd(CLI::App& app, Action& action);
void add_token(CLI::App& app, Action& action);
void add_admin(CLI::App& app, Action& action);
void add_trace(CLI::App& app, Action& action);
void add_top(CLI::App& app, Action& action);
void add_version(CLI::App& app, Action& action);
void add_completion(CLI::App& app, Action& action);
void add_man(CLI::App& app, Action& action);

/// Parses the arguments and runs the sub-command. Returns its exit code; 2 for usage errors. What
/// ends a client command (Failure) is printed to stderr; other exceptions pass.
[[nodiscard]] int run(int argc, const char* const* argv);

}  // namespace cli
