// Man pages (troff, man macros), made of the command tree.
// Pure: text in, text out.
#pragma once

#include "broker/cli/command_tree.hpp"

#include <string>

namespace cli {

/// The page of the program: an overview with all commands.
[[nodiscard]] std::string program_page(const CommandInfo& program);

/// `stampede-pub(1)`: a command with all commands below it.
[[nodiscard]] std::string command_page(const CommandInfo& command);

}  // namespace cli
