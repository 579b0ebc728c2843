#include "broker/security/outbound.hpp"

#include "broker/log/log.hpp"

#include <exception>

namespace security {

namespace {

// What a handler throws costs its request only.
void run(boost::asio::io_context& io) {
    for (;;) {
        try {
            io.run();
            return;
        } catch (const std::exception& error) {
            logging::error(
                "handler-failed", "An outbound request's handler failed.", {{"err", error.what()}}
            );
        }
    }
}

}  // namespace

Outbound::Outbound() : work_(boost::asio::make_work_guard(io_)), thread_([this] { run(io_); }) {}

Outbound::~Outbound() {
    stop();
}

void Outbound::stop() {
    io_.stop();
    if (thread_.joinable()) { thread_.join(); }
}

}  // namespace security
