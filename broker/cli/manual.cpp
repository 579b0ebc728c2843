// Text from help strings is escaped; everything else is the same on all pages.
#include "broker/cli/manual.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace cli {
namespace {

/// Literal text: backslashes, hyphens, and a control character at the beginning of a line.
std::string literal(const std::string& text) {
    std::string out;
    bool at_begin = true;
    for (const char c : text) {
        if (at_begin && (c == '.' || c == '\'')) { out += "\\&"; }
        at_begin = c == '\n';
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else if (c == '\'') {
            out += "\\(aq";
        } else {
            out += c;
        }
    }
    return out;
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    return text;
}

std::string title(const CommandInfo& command) {
    return "stampede" + command.joined("-");
}

std::string header(const CommandInfo& command) {
    return ".\\\" Made by `stampede man`.\n.TH " + upper(title(command)) +
           " 1 \"\" \"Stampede\" \"Stampede manual\"\n.SH NAME\n" + literal(title(command)) +
           " \\- " + literal(command.help) + "\n";
}

bool has_options(const CommandInfo& command) {
    return std::any_of(command.options.begin(), command.options.end(), [](const OptionInfo& o) {
        return !o.is_positional;
    });
}

std::string synopsis(const CommandInfo& command) {
    std::string text = "\\fBstampede" + literal(command.joined(" ")) + "\\fR";
    if (has_options(command)) { text += " [\\fIOPTIONS\\fR]"; }
    if (!command.children.empty()) { text += " \\fICOMMAND\\fR ..."; }
    for (const OptionInfo& option : command.options) {
        if (!option.is_positional) { continue; }
        const std::string name =
            "\\fI" + literal(option.names.front()) + "\\fR" + (option.repeats ? "..." : "");
        text += option.is_required ? " " + name : " [" + name + "]";
    }
    return text + "\n";
}

std::string facts_of(const OptionInfo& option) {
    std::string text = literal(option.help) + (option.help.ends_with('.') ? "" : ".");
    if (!option.default_value.empty()) {
        text += " Default: " + literal(option.default_value) + ".";
    }
    if (!option.environment.empty()) {
        text += " Environment: \\fB" + literal(option.environment) + "\\fR.";
    }
    return text;
}

void append_options(std::string& out, const CommandInfo& command) {
    for (const OptionInfo& option : command.options) {
        out += ".TP\n";
        std::string names;
        for (const std::string& name : option.names) {
            const char* const font = option.is_positional ? "\\fI" : "\\fB";
            names += (names.empty() ? "" : ", ") + (font + literal(name)) + "\\fR";
        }
        if (!option.is_positional && !option.is_flag()) {
            names += " \\fI" + literal(option.placeholder) + "\\fR";
        }
        out += names + "\n" + facts_of(option) + "\n";
    }
}

void append_lines(std::string& out, const std::string& lines) {
    out += ".nf\n" + literal(lines) + ".fi\n";
}

void append_notes(std::string& out, const HelpParts& parts) {
    std::istringstream notes(parts.notes);
    for (std::string line; std::getline(notes, line);) {
        if (!line.empty()) { out += literal(line) + "\n"; }
    }
}

/// A command below the one that the page is about.
void append_child(std::string& out, const CommandInfo& command) {
    out += ".SH " + upper("stampede" + literal(command.joined(" "))) + "\n" + synopsis(command) +
           ".PP\n" + literal(command.help) + ".\n";
    append_notes(out, command.parts);
    append_options(out, command);
    if (!command.parts.examples.empty()) {
        out += ".PP\nExamples:\n";
        append_lines(out, command.parts.examples);
    }
}

std::string common_end(const std::string& see_also) {
    return ".SH EXIT STATUS\n"
           "0 ok, 1 failure, 2 usage, 3 configuration, 4 authentication or permission,\n"
           "5 timeout or nothing received, 6 store damaged, 7 storage failed while running.\n"
           ".SH SEE ALSO\n" +
           see_also + "\n";
}

}  // namespace

std::string program_page(const CommandInfo& program) {
    std::string out = header(program) + ".SH SYNOPSIS\n" + synopsis(program) + ".SH OPTIONS\n";
    append_options(out, program);
    out += ".SH COMMANDS\n";
    std::string see_also;
    for (const CommandInfo& command : program.children) {
        out +=
            ".TP\n\\fB" + literal(command.path.back()) + "\\fR\n" + literal(command.help) + ".\n";
        see_also += (see_also.empty() ? "\\fB" : ",\n\\fB") + literal(title(command)) + "\\fR(1)";
    }
    out +=
        ".SH URLS\n"
        "ws://, wss://, stomp:// or stomps://, then [user[:passcode]@]host[:port][/path].\n"
        ".SH ENVIRONMENT\n.TP\n\\fBSTAMPEDE_URL\\fR\nBroker of the client commands.\n"
        ".TP\n\\fBSTAMPEDE_ADMIN\\fR, \\fBSTAMPEDE_ADMIN_TOKEN_FILE\\fR\n"
        "Admin listener, and the file with its token, for the commands that ask it.\n"
        ".TP\n\\fBSTAMPEDE_CONFIG\\fR, \\fBSTAMPEDE_SECTION__KEY\\fR\n"
        "Configuration of \\fBserve\\fR.\n"
        ".SH FILES\n.TP\n/etc/stampede/stampede.toml\nConfiguration, if none is named.\n";
    return out + common_end(see_also);
}

std::string command_page(const CommandInfo& command) {
    std::string out = header(command) + ".SH SYNOPSIS\n" + synopsis(command);
    if (!command.parts.notes.empty()) {
        out += ".SH DESCRIPTION\n";
        append_notes(out, command.parts);
    }
    out += ".SH OPTIONS\n";
    append_options(out, command);
    for (const CommandInfo& child : command.children) {
        append_child(out, child);
    }
    if (!command.parts.examples.empty()) {
        out += ".SH EXAMPLES\n";
        append_lines(out, command.parts.examples);
    }
    return out + common_end("\\fBstampede\\fR(1)");
}

}  // namespace cli
