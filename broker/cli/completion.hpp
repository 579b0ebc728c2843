// Completion scripts for shells, made of the command tree.
// Pure: text in, text out.
#pragma once

#include "broker/cli/command_tree.hpp"

#include <string>

namespace cli {

[[nodiscard]] std::string bash_completion(const CommandInfo& program);
[[nodiscard]] std::string zsh_completion(const CommandInfo& program);
[[nodiscard]] std::string fish_completion(const CommandInfo& program);

}  // namespace cli
