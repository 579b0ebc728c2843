#include "broker/cli/passcode_input.hpp"

#include "broker/cli/exit_code.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string.h>
#include <termios.h>
#include <unistd.h>

namespace cli {
namespace {

constexpr std::size_t line_max = 4096;
constexpr std::array<int, 4> fatal_signals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

volatile std::sig_atomic_t signal_seen = 0;

void note_signal(int number) {
    signal_seen = number;
}

/// While it lives, signals that would end the process only interrupt a read; then they count.
class HeldSignals {
public:
    HeldSignals() {
        signal_seen = 0;

        struct sigaction action {};

        action.sa_handler = note_signal;
        for (std::size_t i = 0; i < fatal_signals.size(); ++i) {
            ::sigaction(fatal_signals[i], &action, &before_[i]);
        }
        action.sa_handler = SIG_IGN;
        ::sigaction(SIGTSTP, &action, &stop_before_);
    }

    ~HeldSignals() {
        for (std::size_t i = 0; i < fatal_signals.size(); ++i) {
            ::sigaction(fatal_signals[i], &before_[i], nullptr);
        }
        ::sigaction(SIGTSTP, &stop_before_, nullptr);
        if (signal_seen != 0) { ::raise(signal_seen); }
    }

    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;

private:
    std::array<struct sigaction, fatal_signals.size()> before_{};

    struct sigaction stop_before_ {};
};

/// While it lives, the terminal does not show what is typed.
class Silence {
public:
    explicit Silence(int terminal) : terminal_(terminal) {
        if (::tcgetattr(terminal, &before_) != 0) { fail(); }
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        // The end of a line shows, so that the next prompt has a line of its own.
        silent.c_lflag |= ECHONL;
        if (::tcsetattr(terminal, TCSAFLUSH, &silent) != 0) { fail(); }
    }

    ~Silence() { ::tcsetattr(terminal_, TCSAFLUSH, &before_); }

    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

private:
    [[noreturn]] static void fail() {
        throw Failure(
            ExitCode::failure, std::string("cannot silence the terminal: ") + std::strerror(errno)
        );
    }

    int terminal_;
    termios before_{};
};

[[noreturn]] void fail(const std::string& what) {
    throw Failure(ExitCode::failure, what);
}

void write_prompt(int descriptor, std::string_view text) {
    if (::write(descriptor, text.data(), text.size()) < 0) {
        fail(std::string("cannot ask for the passcode: ") + std::strerror(errno));
    }
}

/// Octets up to the first LF, which is taken away, or to the end. Octet by octet: what follows the
/// line stays unread.
std::string read_line(int descriptor) {
    std::string line;
    line.reserve(line_max);
    char octet = 0;
    while (line.size() < line_max) {
        const ssize_t count = ::read(descriptor, &octet, 1);
        if (count < 0 && errno == EINTR && signal_seen == 0) { continue; }
        if (count < 0) { fail(std::string("cannot read the passcode: ") + std::strerror(errno)); }
        if (count == 0 || octet == '\n') { break; }
        line.push_back(octet);
    }
    if (line.ends_with('\r')) { line.pop_back(); }
    return line;
}

bool has_more(int descriptor) {
    char octet = 0;
    ssize_t count = 0;
    do {
        count = ::read(descriptor, &octet, 1);
    } while (count < 0 && errno == EINTR);
    return count > 0;
}

Passcode read_from_terminal(int input, int prompts, std::string_view name) {
    const HeldSignals signals;
    const Silence silence(input);
    write_prompt(prompts, "Passcode for " + std::string(name) + ": ");
    Passcode first(read_line(input));
    write_prompt(prompts, "The same again: ");
    const Passcode second(read_line(input));
    if (first.reveal() != second.reveal()) {
        fail("the two passcodes differ; nothing was changed");
    }
    return first;
}

}  // namespace

Passcode::~Passcode() {
    ::explicit_bzero(octets_.data(), octets_.capacity());
}

Passcode read_passcode(int input, int prompts, std::string_view name) {
    if (::isatty(input) == 1) { return read_from_terminal(input, prompts, name); }
    Passcode passcode(read_line(input));
    if (has_more(input)) { fail("stdin holds more than the one line of the passcode"); }
    return passcode;
}

}  // namespace cli
