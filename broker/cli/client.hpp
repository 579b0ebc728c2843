// One STOMP connection as a client, over TCP or WebSocket, plain or TLS, for the sub-commands.
// Blocking calls with deadlines on one thread; heart-beats are kept both ways during every call.
#pragma once

#include "broker/cli/wire.hpp"
#include "protocol/frame.hpp"
#include "protocol/limits.hpp"
#include "protocol/parser.hpp"
#include "protocol/version.hpp"
#include "protocol/web_socket.hpp"

#include <chrono>
#include <initializer_list>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace cli {

/// What was agreed in CONNECTED.
struct Session {
    protocol::Version version = protocol::Version::v1_2;
    std::string server;
    std::string id;
    std::string user;
    std::chrono::milliseconds send_every{0};  ///< We owe a beat this often; 0: never.
    std::chrono::milliseconds hear_every{0};  ///< The broker owes a beat this often; 0: never.
    std::chrono::nanoseconds log_in_time{0};
};

/// Every call throws Failure for what goes wrong with the connection: refused, lost, silent, an
/// ERROR frame, a WebSocket close. The object is of no use afterwards.
class Client {
public:
    /// Connects, upgrades and logs in, each within `target.timeout`.
    explicit Client(const Target& target);

    [[nodiscard]] const Opening& opening() const { return wire_.opening(); }

    [[nodiscard]] const Session& session() const { return session_; }

    /// Encodes a frame into the output, which is written when it is large, and by receive(),
    /// wait_for_input() and flush().
    void send(
        protocol::Command command,
        std::span<const protocol::Header> headers,
        std::string_view body = {}
    );

    void send(protocol::Command command, std::initializer_list<protocol::Header> headers) {
        send(command, std::span(headers.begin(), headers.size()));
    }

    void flush();

    /// The next frame, never ERROR; its views live until the next call. Null if none came before
    /// `until`, or after SIGINT or SIGTERM.
    [[nodiscard]] const protocol::Frame* receive(Clock::time_point until);

    /// Waits until `descriptor` has input, then returns true; false if receive() may have
    /// something, after a signal, and when `until` has passed.
    [[nodiscard]] bool wait_for_input(int descriptor, Clock::time_point until);

    /// Whether SIGINT or SIGTERM has come.
    [[nodiscard]] bool is_interrupted() const { return wire_.is_interrupted(); }

    /// DISCONNECT with receipt, then the closing handshake: when it returns, the broker has handled
    /// every frame that was sent. Messages that still arrive are dropped.
    void disconnect();

private:
    // Connecting.
    void log_in();
    void take_connected(const protocol::Frame& frame);
    void take_heart_beat(const protocol::Frame& frame);

    // Output.
    void append(std::string_view octets);
    void append_frame(protocol::Opcode opcode, std::string_view payload);
    void beat();

    // Input.
    const protocol::Frame* next_frame();
    void next_piece();
    bool wait_for_octets(Clock::time_point until);
    void take_octets();
    void check_alive() const;
    [[nodiscard]] Clock::time_point next_duty(Clock::time_point until) const;
    [[nodiscard]] bool is_ending() const;

    void close_web_socket(Clock::time_point until);

    [[nodiscard]] std::string where() const { return target_.url.text(); }

    // Constant after construction.
    const Target target_;
    const protocol::Limits limits_;
    std::chrono::milliseconds beat_after_{0};
    std::chrono::milliseconds dead_after_{0};

    Wire wire_;
    Session session_;
    protocol::ParserScratch scratch_;
    protocol::Parser parser_;
    protocol::WebSocketDecoder decoder_;
    bool is_parsing_ = false;   ///< The parser has input that it has not consumed.
    bool is_decoding_ = false;  ///< The same of the decoder.

    std::random_device random_;
    std::string encoded_;  ///< One frame, before WebSocket framing.
    std::string output_;
    Clock::time_point last_heard_;
    Clock::time_point last_sent_;
    bool is_closing_ = false;  ///< DISCONNECT is sent: the end is no surprise.
    bool is_closed_ = false;   ///< The broker's close frame has come since.
};

}  // namespace cli
