// The commands with their options as data, read from the parser itself: what completion and the
// man pages are made of cannot differ from what the parser takes.
#pragma once

#include "broker/cli/help.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

/// What a shell can offer for a value.
enum class ValueKind : std::uint8_t { none, text, choice, file, directory };

struct OptionInfo {
    std::vector<std::string> names;  ///< `-f`, `--file`; of a positional only its name, `DEST`.
    bool is_positional = false;
    bool is_required = false;
    bool repeats = false;
    ValueKind kind = ValueKind::none;
    std::string placeholder;           ///< `FILE`; of choices `a|b`.
    std::vector<std::string> choices;  ///< Of ValueKind::choice.
    std::string help;
    std::string default_value;
    std::string environment;

    /// The value may be left out, and its shell completion is nothing but the option itself.
    [[nodiscard]] bool is_flag() const { return kind == ValueKind::none; }
};

struct CommandInfo {
    std::vector<std::string> path;  ///< `bench`, `fanout`; empty for the program.
    std::string help;
    std::vector<OptionInfo> options;
    std::vector<CommandInfo> children;
    HelpParts parts;

    /// The path with `separator` before each name.
    [[nodiscard]] std::string joined(const std::string& separator) const;
};

[[nodiscard]] CommandInfo describe(const CLI::App& app);

/// `visit` with `command` and all below it, parents first.
template <class Visit>
void for_each_command(const CommandInfo& command, const Visit& visit) {
    visit(command);
    for (const CommandInfo& child : command.children) {
        for_each_command(child, visit);
    }
}

}  // namespace cli
