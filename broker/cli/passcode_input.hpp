// Reads a passcode: without echo and twice from a terminal, else the one line of a descriptor.
// Never from arguments, which every user of the machine can see (S-SEC-02).
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace cli {

/// A passcode in memory, wiped when it goes.
class Passcode {
public:
    /// `octets` must have a capacity that puts them on the heap, so that moving leaves none behind.
    explicit Passcode(std::string&& octets) : octets_(std::move(octets)) {}

    ~Passcode();
    Passcode(Passcode&&) = default;
    Passcode& operator=(Passcode&&) = delete;
    Passcode(const Passcode&) = delete;
    Passcode& operator=(const Passcode&) = delete;

    [[nodiscard]] std::string_view reveal() const { return octets_; }

private:
    std::string octets_;
};

/// If `input` is a terminal, asks on `prompts` for the passcode of `name` twice; else takes the
/// only line of `input`, without its end. Throws Failure if the two differ, if there is more than
/// one line, or if it cannot be read. Signals that end the process leave the terminal as it was.
[[nodiscard]] Passcode read_passcode(int input, int prompts, std::string_view name);

}  // namespace cli
