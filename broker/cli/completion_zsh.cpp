// A function for each command, of specifications for _arguments.
#include "broker/cli/completion.hpp"

namespace cli {
namespace {

/// In a specification within single quotes.
std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
            continue;
        }
        if (c == '[' || c == ']' || c == ':' || c == '\\') { out += '\\'; }
        out += c;
    }
    return out;
}

std::string value_of(const OptionInfo& option) {
    switch (option.kind) {
        case ValueKind::none:
            return "";
        case ValueKind::file:
            return ":file:_files";
        case ValueKind::directory:
            return ":directory:_files -/";
        case ValueKind::text:
            return ":" + escaped(option.placeholder) + ":";
        case ValueKind::choice:
            break;
    }
    std::string words;
    for (const std::string& word : option.choices) {
        words += (words.empty() ? "" : " ") + word;
    }
    return ":value:(" + words + ")";
}

/// A line for each spelling; each but those of repeatable options excludes the others.
void append_option(std::string& out, const OptionInfo& option) {
    std::string all;
    for (const std::string& name : option.names) {
        all += (all.empty() ? "" : " ") + name;
    }
    for (const std::string& name : option.names) {
        out += "        '" + (option.repeats ? "*" : "(" + all + ")") + name + "[" +
               escaped(option.help) + "]" + value_of(option) + "' \\\n";
    }
}

void append_positional(std::string& out, const OptionInfo& option) {
    const std::string value = value_of(option);
    const std::string action = value.substr(value.find(':', 1));
    out += std::string("        '") + (option.repeats ? "*" : "") + ":" +
           escaped(option.names.front()) + action + "' \\\n";
}

void append_children(std::string& out, const CommandInfo& command) {
    out +=
        "        '1:command:->command' '*:: :->arguments'\n    case $state in\n"
        "        command)\n            local -a commands=(\n";
    for (const CommandInfo& child : command.children) {
        out += "                '" + escaped(child.path.back()) + ":" + escaped(child.help) + "'\n";
    }
    out +=
        "            )\n            _describe command commands ;;\n        arguments)\n"
        "            case $line[1] in\n";
    for (const CommandInfo& child : command.children) {
        out += "                " + child.path.back() + ") _stampede" + child.joined("_") + " ;;\n";
    }
    out += "            esac ;;\n    esac\n";
}

void append_function(std::string& out, const CommandInfo& command) {
    out += "_stampede" + command.joined("_") +
           "() {\n    local state line\n    local -A opt_args\n    _arguments -C -s \\\n";
    for (const OptionInfo& option : command.options) {
        option.is_positional ? append_positional(out, option) : append_option(out, option);
    }
    if (command.children.empty()) {
        out.erase(out.size() - 3);
        out += "\n";
    } else {
        append_children(out, command);
    }
    out += "}\n\n";
}

}  // namespace

std::string zsh_completion(const CommandInfo& program) {
    std::string out =
        "#compdef stampede\n# Completion of stampede for zsh; made by `stampede completion "
        "zsh`.\n\n";
    for_each_command(program, [&](const CommandInfo& command) { append_function(out, command); });
    // Sourced, it registers itself; from fpath, it is the body of the function.
    return out +
           "if [[ $funcstack[1] == _stampede ]]; then\n    _stampede \"$@\"\nelse\n"
           "    compdef _stampede stampede\nfi\n";
}

}  // namespace cli
