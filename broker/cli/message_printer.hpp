// Received messages on stdout, in the form that the options of `sub` and `req` ask for.
// Only on a terminal without --raw, what messages say is made harmless for it.
#pragma once

#include "broker/cli/format.hpp"
#include "protocol/frame.hpp"

#include <string>

namespace CLI {
class App;
}

namespace cli {

struct PrintOptions {
    std::string format = "%b\\n";
    bool as_json = false;
    bool raw = false;
    bool headers_only = false;
};

/// Adds `--format --json --raw --headers-only`, of which one at a time.
void add_print_options(CLI::App& command, PrintOptions& options);

/// What `--format` knows, for the help text of the command.
[[nodiscard]] const char* format_help();

class MessagePrinter {
public:
    /// Throws Failure (usage) for a format that means nothing.
    explicit MessagePrinter(const PrintOptions& options);

    /// False if stdout takes no more, as when a reader such as head(1) has ended.
    [[nodiscard]] bool print(const protocol::Frame& message);

    [[nodiscard]] bool flush();

private:
    const PrintOptions& options_;
    const bool is_escaping_;
    const MessageFormat format_;
    std::string text_;
};

}  // namespace cli
