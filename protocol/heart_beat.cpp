// Heart-beat header and arithmetic.
// Milliseconds in 64 bits: ten digits doubled do not overflow.
#include "protocol/heart_beat.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace protocol {

namespace {

constexpr std::size_t digits_max = 10;

/// A client that can send at least this often asks for fast detection (P-HB-02).
constexpr std::uint64_t fast_detection_max_ms = 2'000;

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) { return {}; }
    return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

std::optional<std::uint64_t> number(std::string_view text) {
    if (text.empty() || text.size() > digits_max) { return std::nullopt; }
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole = ec == std::errc() && end == text.data() + text.size();
    return is_whole ? std::optional(value) : std::nullopt;
}

Error bad_heart_beat(std::string_view header) {
    return {
        ErrorCode::bad_header,
        "Header heart-beat has the value \"" + quoted(header) +
            "\", which is not two decimal integers with a comma.",
        "Send for example heart-beat:10000,10000 (milliseconds, at most 10 digits each).",
        "P-HB-01"};
}

/// What the broker offers to send.
std::uint64_t offer(std::uint64_t wanted, const HeartBeatOptions& options) {
    if (wanted == 0 || wanted >= options.offer_ms) { return options.offer_ms; }
    return std::max<std::uint64_t>(wanted, options.floor_ms);
}

/// What the broker wants to hear.
std::uint64_t wish(std::uint64_t offered, const HeartBeatOptions& options) {
    if (offered > options.cap_ms) { return 0; }
    if (offered == 0 || offered > fast_detection_max_ms) { return options.offer_ms; }
    return std::max<std::uint64_t>(offered, options.floor_ms);
}

std::uint64_t interval(std::uint64_t can, std::uint64_t wants) {
    return can == 0 || wants == 0 ? 0 : std::max(can, wants);
}

}  // namespace

Result<HeartBeat> parse_heart_beat(std::optional<std::string_view> header) {
    if (!header) { return HeartBeat{}; }
    const std::size_t comma = header->find(',');
    if (comma == std::string_view::npos) { return bad_heart_beat(*header); }
    const auto can_send = number(trimmed(header->substr(0, comma)));
    const auto wants = number(trimmed(header->substr(comma + 1)));
    if (!can_send || !wants) { return bad_heart_beat(*header); }
    return HeartBeat{*can_send, *wants};
}

Agreed agree(HeartBeat client, Version version, const HeartBeatOptions& options) {
    // An offer of 0 is how an operator turns heart-beats off.
    if (version == Version::v1_0 || options.offer_ms == 0) { return {}; }
    const HeartBeat answer{offer(client.wants, options), wish(client.can_send, options)};
    const std::uint64_t send_every = interval(answer.can_send, client.wants);
    return {
        answer,
        std::min<std::uint64_t>(send_every, options.cap_ms),
        interval(client.can_send, answer.wants)};
}

std::uint64_t dead_after(std::uint64_t hear_every) {
    return 2 * hear_every + std::min<std::uint64_t>(1'000, hear_every / 4);
}

std::uint64_t beat_after(std::uint64_t send_every) {
    // The middle of the permitted span leaves room for a coarse timer on both sides.
    return send_every * 13 / 20;
}

}  // namespace protocol
