// One string per message, written with stdio's buffer; the time is read once per message.
#include "broker/cli/message_printer.hpp"

#include "broker/cli/printable.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <unistd.h>

namespace cli {
namespace {

/// RFC 3339 in UTC with microseconds.
std::string wall_time() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    const std::time_t seconds = micros / 1'000'000;
    std::tm date{};
    ::gmtime_r(&seconds, &date);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &date);
    std::array<char, 16> rest{};
    std::snprintf(rest.data(), rest.size(), ".%06dZ", static_cast<int>(micros % 1'000'000));
    return std::string(text.data(), size) + rest.data();
}

std::string headers_text(const protocol::Frame& frame) {
    std::string text;
    for (const protocol::Header& header : frame.headers) {
        text.append(header.name).append(":").append(header.value).append("\n");
    }
    return text + '\n';
}

}  // namespace

void add_print_options(CLI::App& command, PrintOptions& options) {
    auto* const format = command.add_option("--format", options.format, "How to print a message")
                             ->capture_default_str();
    auto* const json =
        command.add_flag("--json", options.as_json, "Print each message as a line of JSON");
    auto* const raw = command.add_flag(
        "--raw", options.raw, "Print bodies only, as they are, nothing between them"
    );
    auto* const only = command.add_flag("--headers-only", options.headers_only, "Print no bodies");
    format->excludes(json)->excludes(raw)->excludes(only);
    raw->excludes(json)->excludes(only);
}

const char* format_help() {
    return "Formats: %d destination, %b body, %i message-id, %s subscription, %h all headers,\n"
           "%{name} one header, %l length of the body, %t time of receipt, %%; \\n \\t \\0 \\\\.\n"
           "On a terminal, control characters in messages are written as \\xNN unless --raw.";
}

MessagePrinter::MessagePrinter(const PrintOptions& options)
    : options_(options),
      is_escaping_(!options.raw && ::isatty(STDOUT_FILENO) != 0),
      format_(
          options.raw ? "%b" : options.format,
          is_escaping_ ? MessageFormat::Text::printable : MessageFormat::Text::as_it_is
      ) {}

bool MessagePrinter::print(const protocol::Frame& message) {
    text_.clear();
    if (options_.as_json) {
        text_ = to_json(message, !options_.headers_only) + '\n';
    } else if (options_.headers_only) {
        text_ = headers_text(message);
        if (is_escaping_) { text_ = printable(text_, Blanks::kept); }
    } else {
        format_.append(text_, message, wall_time());
    }
    return std::fwrite(text_.data(), 1, text_.size(), stdout) == text_.size();
}

bool MessagePrinter::flush() {
    return std::fflush(stdout) == 0;
}

}  // namespace cli
