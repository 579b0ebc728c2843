// What the operating system's signals ask the broker for.
// Lives on the first shard; a signal is handled there, between two turns, like any other event.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>

namespace server {

/// What each signal starts; all of them run on the io_context of `Signals`.
struct SignalActions {
    std::function<void(int number)> stop;  ///< SIGTERM or SIGINT; the first of them.
    std::function<void()> reload;          ///< SIGHUP
};

class Signals {
public:
    /// From now on signals wait for `io`. A second SIGTERM or SIGINT ends the process at once, with
    /// code 1.
    Signals(boost::asio::io_context& io, SignalActions actions);

private:
    void wait();
    void on_signal(int number);
    void on_stop(int number);

    boost::asio::signal_set set_;
    const SignalActions actions_;
    bool has_been_told_to_stop_ = false;
};

}  // namespace server
