// Plain text with one headline that help_parts() finds again.
#include "broker/cli/help.hpp"

#include <CLI/CLI.hpp>
#include <sstream>
#include <string_view>

namespace cli {
namespace {

constexpr std::string_view headline = "Examples:\n";
constexpr std::string_view indent = "  ";

const CLI::App& root_of(const CLI::App& command) {
    const CLI::App* app = &command;
    while (app->get_parent() != nullptr) {
        app = app->get_parent();
    }
    return *app;
}

}  // namespace

void set_help(
    CLI::App& command, const std::string& notes, std::initializer_list<const char*> examples
) {
    std::string text = notes.empty() ? "" : notes + "\n\n";
    text += headline;
    for (const char* const example : examples) {
        text.append(indent).append(example).append("\n");
    }
    command.footer(text + '\n' + root_of(command).get_footer());
}

HelpParts help_parts(const CLI::App& command) {
    const std::string text = command.get_footer();
    const std::size_t at = text.find(headline);
    if (at == std::string::npos) { return {}; }
    HelpParts parts;
    parts.notes = text.substr(0, at);
    std::istringstream lines(text.substr(at + headline.size()));
    for (std::string line; std::getline(lines, line) && line.starts_with(indent);) {
        parts.examples += line.substr(indent.size()) + '\n';
    }
    return parts;
}

}  // namespace cli
