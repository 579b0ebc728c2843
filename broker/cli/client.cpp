// Octets to frames and back by the protocol library; time and sockets by Wire.
// Input flows down: wire, WebSocket decoder, parser. Each is drained before the one above is asked.
#include "broker/cli/client.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/cli/refusals.hpp"
#include "protocol/encoder.hpp"
#include "protocol/heart_beat.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace cli {
namespace {

constexpr std::size_t output_high = 64 * 1024;
constexpr std::size_t frame_max = 256 * 1024 * 1024;
constexpr std::uint64_t beat_offer_ms = 10'000;
constexpr std::string_view goodbye = "goodbye";

[[noreturn]] void fail(const std::string& what, ExitCode code = ExitCode::failure) {
    throw Failure(code, what);
}

// A broker's headers may be large, and its messages larger than what it takes itself.
protocol::Limits client_limits() {
    protocol::Limits limits;
    limits.header_line_max = 64 * 1024;
    limits.header_line_before_connected_max = 64 * 1024;
    limits.header_count_max = 1000;
    limits.header_bytes_max = 256 * 1024;
    limits.frame_bytes_max = frame_max;
    limits.before_connected_max = 1024 * 1024;
    return limits;
}

std::string_view text_of(std::span<const char> octets) {
    return {octets.data(), octets.size()};
}

}  // namespace

Client::Client(const Target& target)
    : target_(target),
      limits_(client_limits()),
      wire_(target),
      parser_(limits_, scratch_, protocol::Parser::Role::client),
      decoder_(protocol::WebSocketDecoder::Role::client, frame_max),
      last_heard_(Clock::now()),
      last_sent_(last_heard_) {
    log_in();
}

// ---- Connecting.

void Client::log_in() {
    const auto begin = Clock::now();
    const std::string beats = std::to_string(beat_offer_ms) + ',' + std::to_string(beat_offer_ms);
    std::vector<protocol::Header> headers{
        {"accept-version", "1.0,1.1,1.2"}, {"host", target_.virtual_host}, {"heart-beat", beats}};
    if (!target_.login.empty()) {
        headers.push_back({"login", target_.login});
        headers.push_back({"passcode", target_.passcode});
    }
    append_views(headers, target_.connect_headers);
    send(protocol::Command::connect, headers);
    const protocol::Frame* const frame = receive(begin + target_.timeout);
    if (is_interrupted()) { fail("interrupted while logging in to " + where()); }
    if (frame == nullptr) {
        fail(where() + " does not answer CONNECT; does it speak STOMP?", ExitCode::timeout);
    }
    if (frame->command != protocol::Command::connected) {
        fail(where() + " answered CONNECT with " + std::string(to_string(frame->command)));
    }
    take_connected(*frame);
    session_.log_in_time = Clock::now() - begin;
}

void Client::take_connected(const protocol::Frame& frame) {
    const std::string_view version = frame.find("version").value_or("1.0");
    const auto agreed = protocol::negotiate(version, std::nullopt);
    if (!agreed) { fail(where() + " chose STOMP version " + std::string(version)); }
    session_.version = *agreed;
    session_.server = frame.find("server").value_or("");
    session_.id = frame.find("session").value_or("");
    session_.user = frame.find("user-name").value_or("");
    take_heart_beat(frame);
    parser_.connected(*agreed);
}

void Client::take_heart_beat(const protocol::Frame& frame) {
    const auto theirs = protocol::parse_heart_beat(frame.find("heart-beat"));
    if (!theirs) { fail(where() + ": " + theirs.error().what); }
    if (theirs->wants != 0) {
        const std::uint64_t every = std::max(beat_offer_ms, theirs->wants);
        session_.send_every = std::chrono::milliseconds(every);
        beat_after_ = std::chrono::milliseconds(protocol::beat_after(every));
    }
    if (theirs->can_send != 0) {
        const std::uint64_t every = std::max(beat_offer_ms, theirs->can_send);
        session_.hear_every = std::chrono::milliseconds(every);
        dead_after_ = std::chrono::milliseconds(protocol::dead_after(every));
    }
}

// ---- Output.

void Client::send(
    protocol::Command command, std::span<const protocol::Header> headers, std::string_view body
) {
    encoded_.clear();
    protocol::append_frame(encoded_, command, headers, body, session_.version);
    append(encoded_);
    if (output_.size() > output_high) { flush(); }
}

void Client::append(std::string_view octets) {
    if (!target_.url.is_web_socket) {
        output_ += octets;
        return;
    }
    append_frame(
        protocol::is_utf8(octets) ? protocol::Opcode::text : protocol::Opcode::binary, octets
    );
}

void Client::append_frame(protocol::Opcode opcode, std::string_view payload) {
    const std::uint32_t mask = random_();
    protocol::append_web_socket_frame(output_, opcode, payload, &mask);
}

void Client::flush() {
    if (output_.empty()) { return; }
    const std::string octets = std::exchange(output_, {});
    try {
        wire_.write(octets);
    } catch (const Failure&) {
        // The broker may have said why before it closed: that is the better message.
        const auto until = Clock::now() + std::chrono::seconds(1);
        while (receive(until) != nullptr) {}
        throw;
    }
    last_sent_ = Clock::now();
}

void Client::beat() {
    if (beat_after_.count() == 0 || Clock::now() < last_sent_ + beat_after_) { return; }
    append("\n");
    flush();
}

// ---- Input.

bool Client::is_ending() const {
    return is_closed_ || (is_interrupted() && !is_closing_);
}

const protocol::Frame* Client::receive(Clock::time_point until) {
    while (!is_ending()) {
        if (is_parsing_) {
            const protocol::Frame* const frame = next_frame();
            if (frame != nullptr) { return frame; }
        } else if (is_decoding_) {
            next_piece();
        } else {
            flush();
            if (!wait_for_octets(until)) { return nullptr; }
            take_octets();
        }
    }
    return nullptr;
}

const protocol::Frame* Client::next_frame() {
    switch (parser_.next()) {
        case protocol::Parser::Event::need_more:
            is_parsing_ = false;
            return nullptr;
        case protocol::Parser::Event::end_of_line:
            return nullptr;
        case protocol::Parser::Event::failed:
            fail(
                where() + " does not speak STOMP as we know it: " + parser_.error().what +
                " Is this the port of a STOMP listener?"
            );
        case protocol::Parser::Event::frame:
            break;
    }
    const protocol::Frame& frame = parser_.frame();
    if (frame.command == protocol::Command::error) { throw refused_by_error(frame); }
    return &frame;
}

void Client::next_piece() {
    using Event = protocol::WebSocketDecoder::Event;
    switch (decoder_.next()) {
        case Event::need_more:
            is_decoding_ = false;
            break;
        case Event::data:
            parser_.feed(decoder_.payload());
            is_parsing_ = true;
            break;
        case Event::ping:
            append_frame(protocol::Opcode::pong, text_of(decoder_.payload()));
            break;
        case Event::pong:
            break;
        case Event::close:
            if (!is_closing_) {
                throw refused_by_close(decoder_.close_code(), text_of(decoder_.payload()));
            }
            is_closed_ = true;
            break;
        case Event::failed:
            fail(where() + " broke the WebSocket protocol: " + std::string(decoder_.reason()));
    }
}

bool Client::wait_for_octets(Clock::time_point until) {
    while (!wire_.wait_for_octets(next_duty(until), !is_closing_)) {
        if (is_ending() || Clock::now() >= until) { return false; }
        beat();
        check_alive();
    }
    return true;
}

/// When a wait until `until` must be interrupted because of heart-beats.
Clock::time_point Client::next_duty(Clock::time_point until) const {
    if (beat_after_.count() != 0) { until = std::min(until, last_sent_ + beat_after_); }
    if (dead_after_.count() != 0) { until = std::min(until, last_heard_ + dead_after_); }
    return until;
}

void Client::take_octets() {
    const std::span<char> octets = wire_.take();
    last_heard_ = Clock::now();
    if (target_.url.is_web_socket) {
        decoder_.feed(octets);
        is_decoding_ = true;
    } else {
        parser_.feed(octets);
        is_parsing_ = true;
    }
}

void Client::check_alive() const {
    if (dead_after_.count() == 0 || Clock::now() < last_heard_ + dead_after_) { return; }
    fail(
        where() + " sent nothing for " + std::to_string(dead_after_.count()) +
            " ms although it promised heart-beats: the connection or the broker is dead",
        ExitCode::timeout
    );
}

bool Client::wait_for_input(int descriptor, Clock::time_point until) {
    flush();
    while (true) {
        const Wire::Woken woken = wire_.wait_for_input(descriptor, next_duty(until));
        if (woken == Wire::Woken::input) { return true; }
        if (woken == Wire::Woken::octets || is_ending() || Clock::now() >= until) { return false; }
        beat();
        check_alive();
    }
}

// ---- The end.

void Client::disconnect() {
    is_closing_ = true;
    const auto until = Clock::now() + target_.timeout;
    send(protocol::Command::disconnect, {{"receipt", goodbye}});
    bool is_confirmed = false;
    while (!is_confirmed) {
        const protocol::Frame* const frame = receive(until);
        // Closing in good order confirms as well: DISCONNECT was the last frame.
        if (frame == nullptr && is_closed_ && decoder_.close_code() == 1000) { break; }
        if (frame == nullptr) {
            fail(
                where() + " did not confirm DISCONNECT; the last messages may be lost",
                ExitCode::timeout
            );
        }
        is_confirmed =
            frame->command == protocol::Command::receipt && frame->find("receipt-id") == goodbye;
    }
    if (target_.url.is_web_socket) { close_web_socket(Clock::now() + std::chrono::seconds(1)); }
}

void Client::close_web_socket(Clock::time_point until) {
    append_frame(protocol::Opcode::close, "\x03\xe8");
    try {
        flush();
        while (receive(until) != nullptr) {}
    } catch (const Failure&) {
        // All was confirmed: how the connection ends does not matter any more.
        is_closed_ = true;
    }
}

}  // namespace cli
