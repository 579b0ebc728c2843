// What the operating system's signals ask the broker for.
// Lives on the first shard; a signal is handled there, between two turns, like any other event.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>

namespace server {

/// What each signal starts; all of them run on the io_context of `Signals`.
struct SignalActions {
    std::function<void()> stop;       ///< SIGTERM or SIGINT; the first of them.
    std::function<void()> reload;     ///< SIGHUP
    std::function<void()> lame_duck;  ///< SIGUSR2
};

/// Until there are Signals, those that ask a running broker for something must not end the one that
/// starts. SIGPIPE is ignored for good.
void ignore_signals();

class Signals {
public:
    /// From now on signals wait for `io`. A second SIGTERM or SIGINT ends the process at once, with
    /// code 1; SIGUSR1 has the log's file opened anew.
    Signals(boost::asio::io_context& io, SignalActions actions);

private:
    void wait();
    void on_signal(int number);
    void on_stop();

    boost::asio::signal_set set_;
    const SignalActions actions_;
    bool has_been_told_to_stop_ = false;
};

}  // namespace server
