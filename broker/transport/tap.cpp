#include "broker/transport/tap.hpp"

#include <algorithm>
#include <array>

namespace transport {

using protocol::Parser;
using protocol::WebSocketDecoder;

namespace {

constexpr std::size_t frame_max = 64 * 1024 * 1024;

constexpr std::array<std::string_view, 7> secrets{
    "passcode", "password", "authorization", "token", "secret", "cookie", "api-key"};

// What the broker itself writes may have any size.
protocol::Limits own_limits() {
    protocol::Limits limits;
    limits.frame_bytes_max = frame_max;
    limits.header_bytes_max = frame_max;
    limits.header_line_max = frame_max;
    limits.header_count_max = 4096;
    return limits;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string_view shown_value(std::string_view name, std::string_view value) {
    std::string lowered(name);
    std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
    const bool is_secret = std::any_of(secrets.begin(), secrets.end(), [&](std::string_view word) {
        return lowered.find(word) != std::string::npos;
    });
    return is_secret ? "***" : value;
}

std::size_t TappedFrame::weight() const {
    std::size_t octets = 64 + command.size() + (body ? body->size() : 0);
    for (const auto& [name, value] : headers) {
        octets += name.size() + value.size() + 8;
    }
    return octets;
}

Tap::Tap(
    const IoShard& shard,
    const engine::Outbox& outbox,
    protocol::Version version,
    Options options,
    Show show,
    End end
)
    : shard_(shard),
      options_(options),
      until_(shard.now() + std::min<std::chrono::milliseconds>(options.time, time_max)),
      limits_(own_limits()),
      show_(std::move(show)),
      end_(std::move(end)),
      parser_(limits_, scratch_, Parser::Role::client),
      skipped_(outbox.ahead()) {
    parser_.connected(version);
    if (outbox.framing() == engine::Framing::web_socket) {
        web_socket_ = std::make_unique<WebSocketDecoder>(WebSocketDecoder::Role::client, frame_max);
    }
}

bool Tap::in(const protocol::Frame& frame) {
    return show_frame(frame, true);
}

bool Tap::out(std::span<const engine::Segment> segments, std::size_t octets) {
    std::string taken;
    for (const engine::Segment& segment : segments) {
        const std::size_t part = std::min(segment.size(), octets);
        const std::size_t skipped = std::min(part, skipped_);
        taken.append(segment.data() + skipped, part - skipped);
        skipped_ -= skipped;
        octets -= part;
        if (octets == 0) { break; }
    }
    return taken.empty() || read(taken);
}

bool Tap::read(std::span<char> octets) {
    if (!web_socket_) { return read_frames(octets); }
    web_socket_->feed(octets);
    for (;;) {
        switch (web_socket_->next()) {
            case WebSocketDecoder::Event::need_more:
            case WebSocketDecoder::Event::close:
                return true;
            case WebSocketDecoder::Event::data:
                if (!read_frames(web_socket_->payload())) { return false; }
                break;
            case WebSocketDecoder::Event::ping:
            case WebSocketDecoder::Event::pong:
                break;
            case WebSocketDecoder::Event::failed:
                return stop("What was sent cannot be shown.");
        }
    }
}

bool Tap::read_frames(std::span<char> octets) {
    parser_.feed(octets);
    for (;;) {
        bool goes_on = true;
        switch (parser_.next()) {
            case Parser::Event::need_more:
                return true;
            case Parser::Event::end_of_line:
                goes_on = show_beat(false);
                break;
            case Parser::Event::frame:
                goes_on = show_frame(parser_.frame(), false);
                break;
            case Parser::Event::failed:
                return stop("What was sent cannot be shown.");
        }
        if (!goes_on) { return false; }
    }
}

bool Tap::show_frame(const protocol::Frame& frame, bool is_in) {
    TappedFrame shown;
    shown.is_in = is_in;
    shown.command = protocol::to_string(frame.command);
    for (const protocol::Header& header : frame.headers) {
        shown.headers.emplace_back(header.name, shown_value(header.name, header.value));
    }
    shown.size = frame.body.size();
    if (options_.shows_bodies) { shown.body = std::string(frame.body.substr(0, body_max)); }
    return show(std::move(shown));
}

bool Tap::show_beat(bool is_in) {
    TappedFrame beat;
    beat.is_in = is_in;
    beat.command = "heart-beat";
    return show(std::move(beat));
}

bool Tap::show(TappedFrame frame) {
    if (!end_) { return false; }
    if (shard_.now() >= until_) { return stop("The time is over."); }
    const std::size_t weight = frame.weight();
    if (shown_ + weight > bytes_max) { return stop("10 MiB were shown."); }
    if (unseen_ + weight > lag_max) { return stop("The reader lags behind by 1 MiB."); }
    shown_ += weight;
    unseen_ += weight;
    frame.at = shard_.wall_clock_ms();
    show_(std::move(frame));
    return true;
}

bool Tap::stop(std::string_view why) {
    end(why);
    return false;
}

void Tap::end(std::string_view why) {
    if (const End end = std::exchange(end_, nullptr)) { end(why); }
}

}  // namespace transport
