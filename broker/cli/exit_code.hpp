// Exit codes of all sub-commands, and the exception that ends a client command with one of them.
// Values are part of the command line's interface; scripts depend on them.
#pragma once

#include <stdexcept>
#include <string>

namespace cli {

enum class ExitCode : int {
    ok = 0,
    failure = 1,
    usage = 2,
    configuration = 3,
    refused = 4,  ///< Authentication or permission.
    timeout = 5,  ///< Or nothing received.
    damaged = 6,  ///< The store.
    storage = 7,  ///< The store failed while the broker ran.
};

[[nodiscard]] constexpr int to_int(ExitCode code) {
    return static_cast<int>(code);
}

/// Ends a command: `what()` is printed after the program's name, `code()` is what it exits with.
/// The text says what happened, where, and how to mend it.
class Failure : public std::runtime_error {
public:
    Failure(ExitCode code, const std::string& what) : std::runtime_error(what), code_(code) {}

    [[nodiscard]] ExitCode code() const { return code_; }

private:
    ExitCode code_;
};

}  // namespace cli
