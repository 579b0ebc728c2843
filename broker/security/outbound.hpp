// The thread on which the broker's own requests to others run, so that no network thread waits.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

namespace security {

/// Outlives everything that was made with it.
class Outbound {
public:
    /// Throws std::system_error if the system has no thread.
    Outbound();
    ~Outbound();
    Outbound(const Outbound&) = delete;
    Outbound& operator=(const Outbound&) = delete;

    [[nodiscard]] boost::asio::io_context& io() { return io_; }

    /// What is under way is dropped, and its caller never answered. May be called again.
    void stop();

private:
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

}  // namespace security
