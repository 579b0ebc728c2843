// One function: finds the command that the words name, then offers values, options or files.
#include "broker/cli/completion.hpp"

namespace cli {
namespace {

constexpr const char* head =
    R"(# Completion of stampede for bash; made by `stampede completion bash`.
_stampede() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command= words= files= i
    COMPREPLY=()
    # "--ack=auto" comes as three words.
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$command ${COMP_WORDS[i]}" in
)";

constexpr const char* after_commands = R"(                command+=" ${COMP_WORDS[i]}" ;;
        esac
    done
    case "$command $prev" in
)";

constexpr const char* tail = R"(    esac
    if [[ $words && ($cur == -* || ! $files) ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    elif [[ $files ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -A "$files" -- "$cur")
    fi
}
complete -F _stampede stampede
)";

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : " ") + word;
    }
    return text;
}

const char* action_of(ValueKind kind) {
    if (kind == ValueKind::file) { return "files=file"; }
    return kind == ValueKind::directory ? "files=directory" : "return";
}

/// ` pub --file` of the commands: what comes next is a value.
void append_value(std::string& out, const CommandInfo& command, const OptionInfo& option) {
    if (option.is_positional || option.is_flag()) { return; }
    std::string pattern;
    for (const std::string& name : option.names) {
        pattern += (pattern.empty() ? "\"" : " | \"") + command.joined(" ") + " " + name + "\"";
    }
    const std::string action = option.kind == ValueKind::choice
                                   ? "words=\"" + joined(option.choices) + "\""
                                   : action_of(option.kind);
    out += "        " + pattern + ") " + action + " ;;\n";
}

/// All that may come next in a command.
void append_words(std::string& out, const CommandInfo& command) {
    std::vector<std::string> words;
    std::string files;
    for (const CommandInfo& child : command.children) {
        words.push_back(child.path.back());
    }
    for (const OptionInfo& option : command.options) {
        if (!option.is_positional) {
            words.insert(words.end(), option.names.begin(), option.names.end());
        } else if (option.kind == ValueKind::choice) {
            words.insert(words.end(), option.choices.begin(), option.choices.end());
        } else if (option.kind != ValueKind::text) {
            files = std::string(" ") + action_of(option.kind);
        }
    }
    out += "            \"" + command.joined(" ") + "\") words=\"" + joined(words) + "\"" + files +
           " ;;\n";
}

}  // namespace

std::string bash_completion(const CommandInfo& program) {
    std::string patterns;
    std::string values;
    std::string words;
    for_each_command(program, [&](const CommandInfo& command) {
        if (!command.path.empty()) {
            patterns += (patterns.empty() ? "            \"" : " | \\\n            \"") +
                        command.joined(" ") + "\"";
        }
        for (const OptionInfo& option : command.options) {
            append_value(values, command, option);
        }
        append_words(words, command);
    });
    return head + patterns + ")\n" + after_commands + values +
           "        *)\n            case \"$command\" in\n" + words + "            esac ;;\n" +
           tail;
}

}  // namespace cli
