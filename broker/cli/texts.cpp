// `stampede completion` and `stampede man`: texts about the program, made of its own commands.
// What they print is in the package, from docs/man and deploy/completions.
#include "broker/cli/command_tree.hpp"
#include "broker/cli/commands.hpp"
#include "broker/cli/completion.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/manual.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

namespace cli {
namespace {

struct CompletionOptions {
    std::string shell;
    bool as_json = false;
};

struct ManOptions {
    std::string command;
    std::string directory;
};

std::string completion_for(const std::string& shell, const CommandInfo& program) {
    if (shell == "bash") { return bash_completion(program); }
    return shell == "zsh" ? zsh_completion(program) : fish_completion(program);
}

int completion(const CommandInfo& program, const CompletionOptions& options) {
    const std::string script = completion_for(options.shell, program);
    if (options.as_json) {
        const boost::json::object object{{"shell", options.shell}, {"script", script}};
        std::puts(boost::json::serialize(object).c_str());
    } else {
        std::fputs(script.c_str(), stdout);
    }
    return to_int(ExitCode::ok);
}

void write_page(const std::string& directory, const std::string& name, const std::string& text) {
    const std::string path = directory + "/" + name + ".1";
    std::ofstream out(path);
    if (!(out << text).flush()) { throw Failure(ExitCode::failure, "cannot write " + path); }
}

int write_pages(const CommandInfo& program, const std::string& directory) {
    write_page(directory, "stampede", program_page(program));
    for (const CommandInfo& command : program.children) {
        write_page(directory, "stampede-" + command.path.back(), command_page(command));
    }
    return to_int(ExitCode::ok);
}

int man(const CommandInfo& program, const ManOptions& options) {
    if (!options.directory.empty()) { return write_pages(program, options.directory); }
    if (options.command.empty()) {
        std::fputs(program_page(program).c_str(), stdout);
        return to_int(ExitCode::ok);
    }
    const auto found = std::ranges::find_if(program.children, [&](const CommandInfo& command) {
        return command.path.back() == options.command;
    });
    if (found == program.children.end()) {
        throw Failure(ExitCode::usage, "there is no command " + options.command);
    }
    std::fputs(command_page(*found).c_str(), stdout);
    return to_int(ExitCode::ok);
}

}  // namespace

void add_completion(CLI::App& app, Action& action) {
    CLI::App* const command =
        app.add_subcommand("completion", "Print the completion script of a shell");
    const auto options = std::make_shared<CompletionOptions>();
    set_help(
        *command,
        "The packages install them; by hand: put the line for your shell into its start-up file.",
        {"source <(stampede completion bash)",
         "source <(stampede completion zsh)",
         "stampede completion fish | source"}
    );
    command->add_option("SHELL", options->shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->add_flag("--json", options->as_json, "As JSON");
    command->callback([&action, &app, options] {
        action = [&app, options] { return completion(describe(app), *options); };
    });
}

void add_man(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand("man", "Print a man page");
    command->group("");  // For those who make packages.
    const auto options = std::make_shared<ManOptions>();
    set_help(*command, "", {"stampede man pub | man -l -"});
    command->add_option("COMMAND", options->command, "Command; without it: the program");
    command->add_option("--write", options->directory, "Write all pages into this directory")
        ->type_name("DIR");
    command->callback([&action, &app, options] {
        action = [&app, options] { return man(describe(app), *options); };
    });
}

}  // namespace cli
