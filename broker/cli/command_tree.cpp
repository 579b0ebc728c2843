// CLI11 keeps kinds of values as text only: `FILE`, or the `{a,b}` of a list of words.
#include "broker/cli/command_tree.hpp"

#include <CLI/CLI.hpp>

namespace cli {
namespace {

/// The words of `{a,b}` or `{a->0,b->1}`.
std::vector<std::string> words_of(const std::string& type) {
    std::vector<std::string> words;
    const std::size_t open = type.find('{');
    const std::size_t close = type.find('}', open);
    if (open == std::string::npos || close == std::string::npos) { return words; }
    std::size_t at = open + 1;
    while (at < close) {
        const std::size_t end = std::min(type.find(',', at), close);
        const std::string word = type.substr(at, end - at);
        words.push_back(word.substr(0, word.find("->")));
        at = end + 1;
    }
    return words;
}

ValueKind kind_of(const std::string& type, bool has_choices) {
    if (has_choices) { return ValueKind::choice; }
    if (type == "FILE") { return ValueKind::file; }
    return type == "DIR" ? ValueKind::directory : ValueKind::text;
}

std::string placeholder_of(const OptionInfo& info, const std::string& type) {
    if (info.kind != ValueKind::choice) { return type.substr(0, type.find(':')); }
    std::string text;
    for (const std::string& word : info.choices) {
        text += (text.empty() ? "" : "|") + word;
    }
    return text;
}

std::vector<std::string> names_of(const CLI::Option& option) {
    if (option.get_positional()) { return {option.get_name(true)}; }
    std::vector<std::string> names;
    for (const std::string& name : option.get_snames()) {
        names.push_back("-" + name);
    }
    for (const std::string& name : option.get_lnames()) {
        names.push_back("--" + name);
    }
    return names;
}

OptionInfo describe(const CLI::Option& option) {
    OptionInfo info;
    info.names = names_of(option);
    info.is_positional = option.get_positional();
    info.is_required = option.get_required();
    info.help = option.get_description();
    info.default_value = option.get_default_str();
    info.environment = option.get_envname();
    if (option.get_items_expected_max() == 0) { return info; }
    const std::string type = option.get_type_name();
    info.choices = words_of(type);
    info.kind = kind_of(type, !info.choices.empty());
    info.placeholder = placeholder_of(info, type);
    info.repeats = option.get_items_expected_max() > 1;
    return info;
}

CommandInfo describe(const CLI::App& app, std::vector<std::string> path) {
    CommandInfo info;
    info.path = std::move(path);
    info.help = app.get_description();
    info.parts = help_parts(app);
    for (const CLI::Option* const option : app.get_options()) {
        info.options.push_back(describe(*option));
    }
    const auto is_shown = [](const CLI::App* child) { return !child->get_group().empty(); };
    for (const CLI::App* const child : app.get_subcommands(is_shown)) {
        std::vector<std::string> below = info.path;
        below.push_back(child->get_name());
        info.children.push_back(describe(*child, std::move(below)));
    }
    return info;
}

}  // namespace

std::string CommandInfo::joined(const std::string& separator) const {
    std::string text;
    for (const std::string& name : path) {
        text.append(separator).append(name);
    }
    return text;
}

CommandInfo describe(const CLI::App& app) {
    return describe(app, {});
}

}  // namespace cli
