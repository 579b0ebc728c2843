// The controlling terminal as a full screen: entered, drawn on, and always left as it was found.
// One at a time in a process. Signals that end or stop the process restore it first.
#pragma once

#include "broker/cli/top_screen.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace cli {

struct TerminalSize {
    std::size_t width = 80;
    std::size_t height = 24;
};

class Terminal {
public:
    /// Stdin and stdout must be terminals. Throws Failure if the mode cannot be changed.
    Terminal();
    ~Terminal();

    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    [[nodiscard]] static TerminalSize size();

    void draw(const std::vector<ScreenLine>& lines);

    enum class Event { keys, resized, ended, timeout };

    /// Waits for keys, which are then in `keys`, a new size, or a signal to end.
    [[nodiscard]] Event wait(std::chrono::milliseconds timeout, std::string& keys);

private:
    std::string frame_;
};

}  // namespace cli
