// Plain ANSI sequences that every terminal of today knows; no database of terminals.
#include "broker/cli/terminal.hpp"

#include "broker/cli/exit_code.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace cli {
namespace {

// Alternate screen, no cursor, no wrapping; and back.
constexpr std::string_view enter_text = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view leave_text = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

constexpr std::array ending{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array crashing{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// What signal handlers need; there is one terminal.
termios found_mode;                          // As it was.
termios own_mode;                            // As we use it.
volatile std::sig_atomic_t has_ended = 0;    // A signal asks us to end.
volatile std::sig_atomic_t has_resized = 0;  // Or to draw anew.

void write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t size = ::write(STDOUT_FILENO, text.data(), text.size());
        if (size < 0 && errno != EINTR) { return; }
        if (size > 0) { text.remove_prefix(static_cast<std::size_t>(size)); }
    }
}

void enter() {
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &own_mode);
    write_all(enter_text);
}

void leave() {
    write_all(leave_text);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &found_mode);
}

void on_end(int) {
    has_ended = 1;
}

void on_resize(int) {
    has_resized = 1;
}

// The default action of `number` follows, once the terminal is as it was.
void on_crash(int number) {
    leave();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

void on_stop(int) {
    const int saved = errno;
    leave();
    std::raise(SIGSTOP);
    enter();
    has_resized = 1;
    errno = saved;
}

void handle(int number, void (*handler)(int)) {
    struct sigaction action {};

    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
}

void handle_all(bool is_on) {
    for (const int number : ending) {
        handle(number, is_on ? on_end : SIG_DFL);
    }
    for (const int number : crashing) {
        handle(number, is_on ? on_crash : SIG_DFL);
    }
    handle(SIGWINCH, is_on ? on_resize : SIG_DFL);
    handle(SIGTSTP, is_on ? on_stop : SIG_DFL);
}

std::string_view begin_of(LineStyle style) {
    static const bool has_colors = std::getenv("NO_COLOR") == nullptr;
    switch (style) {
        case LineStyle::plain:
            return "";
        case LineStyle::bold:
            return "\x1b[1m";
        case LineStyle::reverse:
            return "\x1b[7m";
        case LineStyle::alarm:
            break;
    }
    return has_colors ? "\x1b[1;31m" : "\x1b[1m";
}

}  // namespace

Terminal::Terminal() {
    if (::tcgetattr(STDIN_FILENO, &found_mode) != 0) {
        throw Failure(ExitCode::failure, "stdin is no terminal: use --once or --json");
    }
    own_mode = found_mode;
    own_mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    own_mode.c_iflag &= ~static_cast<tcflag_t>(IXON);
    own_mode.c_cc[VMIN] = 0;
    own_mode.c_cc[VTIME] = 0;
    has_ended = 0;
    handle_all(true);
    enter();
}

Terminal::~Terminal() {
    leave();
    handle_all(false);
}

TerminalSize Terminal::size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        return {};
    }
    return {size.ws_col, size.ws_row};
}

void Terminal::draw(const std::vector<ScreenLine>& lines) {
    frame_ = "\x1b[H";
    for (std::size_t n = 0; n < lines.size(); ++n) {
        if (n != 0) { frame_ += "\r\n"; }
        frame_.append(begin_of(lines[n].style)).append(lines[n].text).append("\x1b[0m\x1b[K");
    }
    frame_ += "\x1b[J";
    write_all(frame_);
}

Terminal::Event Terminal::wait(std::chrono::milliseconds timeout, std::string& keys) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const bool has_come = has_ended != 0;  // While we were busy.

    const int ready = has_come ? 0 : ::poll(&input, 1, static_cast<int>(timeout.count()));
    if (has_ended != 0) { return Event::ended; }
    if (has_resized != 0) {
        has_resized = 0;
        return Event::resized;
    }
    if (ready <= 0) { return Event::timeout; }
    std::array<char, 256> octets{};
    const ssize_t size = ::read(STDIN_FILENO, octets.data(), octets.size());
    // The terminal has gone.
    if (size <= 0) { return size < 0 && errno == EINTR ? Event::timeout : Event::ended; }
    keys.assign(octets.data(), static_cast<std::size_t>(size));
    return Event::keys;
}

}  // namespace cli
