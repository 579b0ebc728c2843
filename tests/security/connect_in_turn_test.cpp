// Addresses that do not answer: what they cost those behind them (S-AUTH-11, S-AUTH-14).
#include "broker/security/connect_in_turn.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <exception>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace security {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Endpoint = asio::generic::stream_protocol::endpoint;
using Socket = asio::generic::stream_protocol::socket;

const tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);

class ConnectInTurnTest : public ::testing::Test {
protected:
    // What comes while its queue is full gets no answer at all.
    ConnectInTurnTest() : full(io), refusing(io), good(io, any_port) {
        full.open(tcp::v4());
        full.bind(any_port);
        full.listen(0);
        for (tcp::socket& filler : fillers) {
            filler.open(tcp::v4());
            filler.native_non_blocking(true);
            const tcp::endpoint place = full.local_endpoint();
            (void
            )::connect(filler.native_handle(), place.data(), static_cast<socklen_t>(place.size()));
        }
        refusing.open(tcp::v4());
        refusing.bind(any_port);
    }

    error_code connect(std::vector<Endpoint> endpoints, milliseconds time) {
        error_code result;
        asio::co_spawn(
            io,
            connect_in_turn(socket, std::move(endpoints), Clock::now() + time),
            [&result](const std::exception_ptr& failure, error_code ec) {
                EXPECT_FALSE(failure);
                result = ec;
            }
        );
        io.restart();
        io.run();
        return result;
    }

    asio::io_context io{1};
    tcp::acceptor full;
    tcp::acceptor refusing;
    tcp::acceptor good;
    std::array<tcp::socket, 3> fillers{tcp::socket(io), tcp::socket(io), tcp::socket(io)};
    Socket socket{io};
};

}  // namespace

TEST_F(ConnectInTurnTest, S_AUTH_14_AnAddressThatDoesNotAnswerLeavesTimeToTheNext) {
    const auto ec = connect({full.local_endpoint(), good.local_endpoint()}, milliseconds(2000));
    EXPECT_FALSE(ec) << ec.message();
    EXPECT_EQ(socket.remote_endpoint(), Endpoint(good.local_endpoint()));
}

TEST_F(ConnectInTurnTest, S_AUTH_14_AnAddressThatRefusesTakesNone) {
    const auto before = Clock::now();
    const auto ec =
        connect({refusing.local_endpoint(), good.local_endpoint()}, milliseconds(60'000));
    EXPECT_FALSE(ec) << ec.message();
    EXPECT_LT(Clock::now() - before, milliseconds(20'000));
}

TEST_F(ConnectInTurnTest, S_AUTH_14_AllOfThemTogetherEndAtTheDeadline) {
    const auto before = Clock::now();
    const Endpoint silent = full.local_endpoint();
    EXPECT_EQ(connect({silent, silent, silent}, milliseconds(300)), asio::error::timed_out);
    EXPECT_GE(Clock::now() - before, milliseconds(300));
    EXPECT_FALSE(socket.is_open());
    EXPECT_EQ(connect({good.local_endpoint()}, milliseconds(0)), asio::error::timed_out);
}

TEST_F(ConnectInTurnTest, S_AUTH_14_TheLastFailureIsTold) {
    EXPECT_EQ(
        connect({refusing.local_endpoint()}, milliseconds(60'000)), asio::error::connection_refused
    );
    EXPECT_EQ(connect({}, milliseconds(60'000)), asio::error::host_not_found);
}

}  // namespace security
