// The end of a command's help: what else to know, examples, and what all commands have in common.
// The man pages are made of the same text (manual.hpp).
#pragma once

#include <initializer_list>
#include <string>

namespace CLI {
class App;
}

namespace cli {

/// Sets what `command --help` ends with: `notes` (whole lines, may be empty), the examples, each a
/// line as one types it, then the footer of the whole program.
void set_help(
    CLI::App& command, const std::string& notes, std::initializer_list<const char*> examples
);

/// The parts of a text that set_help() made.
struct HelpParts {
    std::string notes;
    std::string examples;  ///< One per line, without indentation.
};

[[nodiscard]] HelpParts help_parts(const CLI::App& command);

}  // namespace cli
