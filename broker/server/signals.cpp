#include "broker/server/signals.hpp"

#include "broker/log/log.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

namespace server {

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
        case SIGTERM:
        case SIGINT:
            return on_stop(number);
        case SIGHUP:
            return actions_.reload();
        default:
            logging::warn(
                "signal-ignored",
                "This version does not reopen logs: restart it instead.",
                {{"signal", number}}
            );
    }
}

void Signals::on_stop(int number) {
    if (has_been_told_to_stop_) {
        logging::warn("stopped", "A second signal: stopping at once.", {{"signal", number}});
        logging::shutdown();
        std::_Exit(1);
    }
    has_been_told_to_stop_ = true;
    actions_.stop(number);
}

}  // namespace server
