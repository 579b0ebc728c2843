#include "broker/server/signals.hpp"

#include "broker/log/log.hpp"

#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>

namespace server {

namespace {

void reopen_log() {
    const std::string error = logging::reopen();
    if (error.empty()) {
        logging::info("log-reopened", "The log goes on here.");
    } else {
        logging::error("log-reopened", error + "; the log goes on in the old file");
    }
}

}  // namespace

void ignore_signals() {
    for (const int number : {SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2}) {
        std::signal(number, SIG_IGN);
    }
}

Signals::Signals(boost::asio::io_context& io, SignalActions actions)
    : set_(io), actions_(std::move(actions)) {
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) {
        set_.add(number);
    }
    wait();
}

void Signals::wait() {
    set_.async_wait([this](const boost::system::error_code& ec, int number) {
        if (ec) { return; }
        wait();
        on_signal(number);
    });
}

void Signals::on_signal(int number) {
    switch (number) {
        case SIGHUP:
            return actions_.reload();
        case SIGUSR1:
            return reopen_log();
        case SIGUSR2:
            return actions_.lame_duck();
        default:
            return on_stop();
    }
}

void Signals::on_stop() {
    if (has_been_told_to_stop_) {
        logging::warn("stopped", "A second signal: stopping at once.");
        logging::shutdown();
        std::_Exit(1);
    }
    has_been_told_to_stop_ = true;
    actions_.stop();
}

}  // namespace server
