// A condition that knows the command so far, and one `complete` line for each thing to offer.
#include "broker/cli/completion.hpp"

namespace cli {
namespace {

std::string in_quotes(const std::string& text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') { out += '\\'; }
        out += c;
    }
    return out + "'";
}

std::string condition(const CommandInfo& command) {
    return "complete -c stampede -n " +
           in_quotes("__stampede_at " + in_quotes(command.joined(" ")));
}

/// What `complete` offers as the value.
std::string value_of(const OptionInfo& option) {
    switch (option.kind) {
        case ValueKind::none:
            return "";
        case ValueKind::text:
            return " -x";
        case ValueKind::file:
            return " -r -F";
        case ValueKind::directory:
            return " -x -a '(__fish_complete_directories)'";
        case ValueKind::choice:
            break;
    }
    std::string words;
    for (const std::string& word : option.choices) {
        words += (words.empty() ? "" : " ") + word;
    }
    return " -x -a " + in_quotes(words);
}

void append_option(std::string& out, const CommandInfo& command, const OptionInfo& option) {
    if (option.is_positional) {
        // Options tell a value of theirs; here it stands for itself.
        std::string value = value_of(option);
        if (value == " -x") { return; }
        if (value == " -r -F") { value = " -F"; }
        out += condition(command) + value + " -d " + in_quotes(option.help) + "\n";
        return;
    }
    out += condition(command);
    for (const std::string& name : option.names) {
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    out += value_of(option) + " -d " + in_quotes(option.help) + "\n";
}

}  // namespace

std::string fish_completion(const CommandInfo& program) {
    std::string known;
    std::string lines;
    for_each_command(program, [&](const CommandInfo& command) {
        if (!command.path.empty()) { known += " " + in_quotes(command.joined(" ")); }
        for (const CommandInfo& child : command.children) {
            lines += condition(command) + " -a " + child.path.back() + " -d " +
                     in_quotes(child.help) + "\n";
        }
        for (const OptionInfo& option : command.options) {
            append_option(lines, command, option);
        }
    });
    return "# Completion of stampede for fish; made by `stampede completion fish`.\n"
           "function __stampede_at\n"
           "    set -l command ''\n"
           "    for word in (commandline -opc)[2..-1]\n"
           "        if contains -- \"$command $word\"" +
           known +
           "\n"
           "            set command \"$command $word\"\n"
           "        end\n"
           "    end\n"
           "    test \"$command\" = \"$argv[1]\"\n"
           "end\n"
           "complete -c stampede -f\n" +
           lines;
}

}  // namespace cli
