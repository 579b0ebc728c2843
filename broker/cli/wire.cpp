// One read is always under way; a call runs the loop until its own condition or deadline.
#include "broker/cli/wire.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/cli/refusals.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

namespace cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t input_size = 128 * 1024;

}  // namespace

struct Wire::Impl {
    explicit Impl(const Target& to) : target(to), signals(io, SIGINT, SIGTERM) {}

    static asio::awaitable<void> open(Impl& self) {
        self.dialed.emplace(co_await dial(self.io, self.target));
    }

    void connect();
    void watch_signals();
    void start_reading();
    void end_writing(const bool& is_done);
    void run_until(Clock::time_point until);

    [[nodiscard]] std::string where() const { return target.url.text(); }

    template <class Function>
    void on_stream(Function function) {
        std::visit(function, dialed->stream);
    }

    const Target target;
    asio::io_context io{1};
    asio::signal_set signals;
    std::optional<Dialed> dialed;
    std::vector<char> input = std::vector<char>(input_size);
    std::size_t received = 0;
    error_code read_error;
    bool is_reading = false;
    bool has_read = false;
    bool interrupted = false;
};

void Wire::Impl::run_until(Clock::time_point until) {
    if (io.stopped()) { io.restart(); }
    io.run_one_until(until);
}

void Wire::Impl::watch_signals() {
    signals.async_wait([this](error_code ec, int) {
        if (ec) { return; }
        interrupted = true;
        signals.clear();
    });
}

void Wire::Impl::connect() {
    watch_signals();
    const auto until = Clock::now() + target.timeout;
    bool is_done = false;
    std::exception_ptr error;
    asio::co_spawn(io, open(*this), [&](std::exception_ptr thrown) {
        is_done = true;
        error = std::move(thrown);
    });
    while (!is_done && !interrupted && Clock::now() < until) {
        run_until(until);
    }
    if (error) { std::rethrow_exception(error); }
    if (interrupted) {
        throw Failure(ExitCode::failure, "interrupted while connecting to " + where());
    }
    if (!is_done) {
        throw Failure(
            ExitCode::timeout,
            "no answer while connecting to " + where() + "; is the address right?"
        );
    }
    received = dialed->first_octets.size();
    if (received > input.size()) { input.resize(received); }
    std::copy(dialed->first_octets.begin(), dialed->first_octets.end(), input.begin());
    has_read = received != 0;
}

void Wire::Impl::start_reading() {
    if (is_reading || has_read) { return; }
    is_reading = true;
    on_stream([this](auto& stream) {
        stream.async_read_some(asio::buffer(input), [this](error_code ec, std::size_t size) {
            is_reading = false;
            has_read = true;
            read_error = ec;
            received = size;
        });
    });
}

// The write refers to variables of the caller's: it must have ended before they go.
void Wire::Impl::end_writing(const bool& is_done) {
    on_stream([](auto& stream) { stream.lowest_layer().close(); });
    while (!is_done) {
        run_until(Clock::time_point::max());
    }
}

Wire::Wire(const Target& target) : impl_(std::make_unique<Impl>(target)) {
    impl_->connect();
}

Wire::~Wire() = default;

const Opening& Wire::opening() const {
    return impl_->dialed->opening;
}

bool Wire::is_interrupted() const {
    return impl_->interrupted;
}

bool Wire::wait_for_octets(Clock::time_point until, bool heeds_signals) {
    impl_->start_reading();
    impl_->io.poll();
    while (!impl_->has_read) {
        if ((heeds_signals && impl_->interrupted) || Clock::now() >= until) { return false; }
        impl_->run_until(until);
    }
    return true;
}

std::span<char> Wire::take() {
    impl_->has_read = false;
    const error_code ec = impl_->read_error;
    if (!ec) { return {impl_->input.data(), impl_->received}; }
    if (is_certificate_wanted(ec)) { throw certificate_wanted(impl_->where()); }
    if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated) {
        throw Failure(
            ExitCode::failure, impl_->where() + " closed the connection; see the broker's log"
        );
    }
    throw Failure(ExitCode::failure, impl_->where() + ": connection lost: " + ec.message());
}

void Wire::write(const std::string& octets) {
    bool is_done = false;
    error_code error;
    impl_->on_stream([&](auto& stream) {
        asio::async_write(stream, asio::buffer(octets), [&](error_code ec, std::size_t) {
            is_done = true;
            error = ec;
        });
    });
    const auto until = Clock::now() + impl_->target.timeout;
    while (!is_done && Clock::now() < until) {
        impl_->run_until(until);
    }
    if (!is_done) {
        impl_->end_writing(is_done);
        throw Failure(
            ExitCode::timeout, impl_->where() + " stopped reading from us; it may be overloaded"
        );
    }
    if (error) {
        throw Failure(
            ExitCode::failure,
            impl_->where() + ": connection lost while sending: " + error.message()
        );
    }
}

Wire::Woken Wire::wait_for_input(int descriptor, Clock::time_point until) {
    impl_->start_reading();
    asio::posix::stream_descriptor input(impl_->io, ::dup(descriptor));
    bool is_done = false;
    bool is_ready = false;
    // A regular file cannot be waited for and can always be read: the error means the same.
    input.async_wait(asio::posix::descriptor_base::wait_read, [&](error_code ec) {
        is_done = true;
        is_ready = ec != asio::error::operation_aborted;
    });
    while (!is_done && !impl_->has_read && !impl_->interrupted && Clock::now() < until) {
        impl_->run_until(until);
    }
    input.cancel();
    while (!is_done) {
        impl_->run_until(Clock::time_point::max());
    }
    if (is_ready) { return Woken::input; }
    return impl_->has_read ? Woken::octets : Woken::neither;
}

}  // namespace cli
