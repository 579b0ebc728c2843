// What the service manager is told, as sd_notify(3) does it: ready, reloading, stopping, alive.
// One datagram each to $NOTIFY_SOCKET, without libsystemd. Where there is none, nothing happens.
#pragma once

#include "broker/files/descriptor.hpp"
#include "broker/server/config.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace server {

class Notifier {
public:
    /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    explicit Notifier(const GetEnv& getenv);

    /// Everything listens; also ends a reload. `status` is what `systemctl status` shows.
    void ready(std::string_view status);

    void reloading();

    /// Whatever the unit says, the manager waits `at_most` for the end. From here on only alive()
    /// is sent.
    void stopping(std::string_view status, std::chrono::milliseconds at_most);

    /// To be called more often than watchdog_period().
    void alive();

    /// Time without alive() after which the manager ends the process; 0: it does not watch.
    [[nodiscard]] std::chrono::milliseconds watchdog_period() const { return watchdog_period_; }

private:
    void send(const std::string& text);

    std::string path_;  ///< Empty: nobody listens. Begins with NUL if it is abstract.
    files::Descriptor socket_;
    std::chrono::milliseconds watchdog_period_{0};
    bool is_stopping_ = false;
};

}  // namespace server
