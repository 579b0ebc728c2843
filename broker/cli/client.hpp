// One STOMP connection as a client, over TCP or WebSocket, plain or TLS, for the sub-commands.
// Blocking calls with deadlines on one thread; heart-beats are kept both ways during every call.
#pragma once

#include "broker/cli/target.hpp"
#include "protocol/frame.hpp"
#include "protocol/version.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cli {

using Clock = std::chrono::steady_clock;

/// What was agreed while connecting, and how long each step took.
struct Session {
    protocol::Version version = protocol::Version::v1_2;
    std::string server;
    std::string id;
    std::string user;
    std::string sub_protocol;  ///< Empty: none was chosen, or not a WebSocket.
    std::string tls;           ///< Version and cipher; empty without TLS.
    std::string certificate;   ///< The peer's subject and last day; empty without TLS.
    std::chrono::milliseconds send_every{0};  ///< We owe a beat this often; 0: never.
    std::chrono::milliseconds hear_every{0};  ///< The broker owes a beat this often; 0: never.
    std::chrono::nanoseconds tcp_time{0};
    std::chrono::nanoseconds tls_time{0};
    std::chrono::nanoseconds upgrade_time{0};
    std::chrono::nanoseconds stomp_time{0};
};

/// Every call throws Failure for what goes wrong with the connection: refused, lost, silent, an
/// ERROR frame, a WebSocket close. The object is of no use afterwards. SIGINT and SIGTERM end the
/// wait that is under way; a second one ends the process.
class Client {
public:
    /// Connects, upgrades and logs in, within `target.timeout`.
    explicit Client(const Target& target);
    ~Client();

    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] const Session& session() const;

    /// Encodes a frame into the output; it is written at the latest by the next receive() or
    /// flush().
    void send(
        protocol::Command command,
        std::span<const protocol::Header> headers,
        std::string_view body = {}
    );

    void send(protocol::Command command, std::initializer_list<protocol::Header> headers) {
        send(command, std::span(headers.begin(), headers.size()));
    }

    /// Writes all output. Fails if the broker takes nothing for `target.timeout`.
    void flush();

    /// The next frame, never ERROR; its views live until the next call. Null if none came before
    /// `until`, or after an interrupt.
    [[nodiscard]] const protocol::Frame* receive(Clock::time_point until);

    /// Waits until `descriptor` has input, then returns true, or until receive() has something to
    /// look at or `until` has passed, then returns false.
    [[nodiscard]] bool wait_for_input(int descriptor, Clock::time_point until);

    /// Whether SIGINT or SIGTERM has come.
    [[nodiscard]] bool is_interrupted() const;

    /// DISCONNECT with receipt, then the closing handshake: when it returns, the broker has handled
    /// every frame that was sent. Messages that still arrive are dropped.
    void disconnect();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace cli
