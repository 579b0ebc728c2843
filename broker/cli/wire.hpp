// An open connection as octets: blocking calls with deadlines over one Asio loop, TCP or TLS.
// Knows neither WebSocket frames nor STOMP; one thread.
#pragma once

#include "broker/cli/dial.hpp"
#include "broker/cli/target.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>

namespace cli {

using Clock = std::chrono::steady_clock;

/// SIGINT and SIGTERM are caught while it lives: the first one only shows in is_interrupted() and
/// ends the wait that is under way, a second one ends the process.
class Wire {
public:
    /// Dials within `target.timeout`. Throws Failure.
    explicit Wire(const Target& target);
    ~Wire();

    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    [[nodiscard]] const Opening& opening() const;

    /// Waits until take() has something, `until` has passed, or a signal has come: of the last two
    /// returns false. A signal that came before counts only if `heeds_signals`.
    [[nodiscard]] bool wait_for_octets(Clock::time_point until, bool heeds_signals);

    /// The octets that have come, to be modified as you like; they live until the next
    /// wait_for_octets(). Throws Failure if the connection has ended instead.
    [[nodiscard]] std::span<char> take();

    /// Writes all. Throws Failure if that fails or takes longer than `target.timeout`.
    void write(const std::string& octets);

    enum class Woken : unsigned char { input, octets, neither };

    /// Waits until `descriptor` can be read, or as wait_for_octets().
    [[nodiscard]] Woken wait_for_input(int descriptor, Clock::time_point until);

    [[nodiscard]] bool is_interrupted() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cli
