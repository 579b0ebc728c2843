// The STOMP parser: any cut of any input gives the same frames, memory is bounded, encoding is
// stable. Input: three octets of choices (version and options, limits, cuts), then what a peer
// sends.
#include "protocol/encoder.hpp"
#include "protocol/escape.hpp"
#include "protocol/parser.hpp"
#include "protocol/request.hpp"
#include "tests/fuzz/choices.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using fuzz::require;

struct Frame {
    protocol::Command command{};
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    friend bool operator==(const Frame&, const Frame&) = default;
};

struct Setting {
    std::optional<protocol::Version> version;
    protocol::Parser::Role role{};
    protocol::Limits limits;
};

struct Outcome {
    std::vector<Frame> frames;
    std::optional<protocol::ErrorCode> error;
    bool is_mid_frame = false;
};

Setting setting_from(std::uint8_t mode, std::uint8_t limits) {
    Setting setting;
    if (mode % 4 != 3) { setting.version = static_cast<protocol::Version>(mode % 4); }
    setting.role =
        (mode & 4U) != 0 ? protocol::Parser::Role::client : protocol::Parser::Role::broker;
    setting.limits.strict = (mode & 8U) != 0;
    setting.limits.lenient_escapes = (mode & 16U) != 0;
    if (limits == 0) { return setting; }
    setting.limits.header_line_max = 4U + limits % 64U;
    setting.limits.header_line_before_connected_max = 4U + limits % 96U;
    setting.limits.header_count_max = 1U + limits % 7U;
    setting.limits.header_bytes_max = 16U + limits;
    setting.limits.frame_bytes_max = 16U + 2U * limits;
    setting.limits.before_connected_max = 16U + limits;
    return setting;
}

Frame own(const protocol::Frame& frame) {
    Frame owned{frame.command, {}, std::string(frame.body)};
    for (const protocol::Header& header : frame.headers) {
        for (const auto& earlier : owned.headers) {
            require(earlier.first != header.name, "one entry per name");
        }
        owned.headers.emplace_back(header.name, header.value);
    }
    return owned;
}

/// What typed requests make of a frame is not compared, only exercised.
void interpret(const protocol::Frame& frame, const Setting& setting) {
    const auto version = setting.version.value_or(protocol::Version::v1_0);
    const auto request = protocol::to_request(frame, version, setting.limits);
    if (!request) { require(!request.error().what.empty(), "a refusal says why"); }
}

/// True while the parser lives.
bool drain(protocol::Parser& parser, const Setting& setting, Outcome& outcome) {
    while (true) {
        switch (parser.next()) {
            case protocol::Parser::Event::need_more:
                return true;
            case protocol::Parser::Event::end_of_line:
                break;
            case protocol::Parser::Event::frame:
                interpret(parser.frame(), setting);
                outcome.frames.push_back(own(parser.frame()));
                break;
            case protocol::Parser::Event::failed:
                require(
                    !parser.error().what.empty() && !parser.error().remedy.empty(),
                    "a refusal says why"
                );
                outcome.error = parser.error().code;
                return false;
        }
    }
}

template <class Next>
Outcome run(std::string_view input, const Setting& setting, Next next) {
    protocol::ParserScratch scratch;
    protocol::Parser parser(setting.limits, scratch, setting.role);
    if (setting.version) { parser.connected(*setting.version); }
    Outcome outcome;
    for (std::size_t fed = 0; fed < input.size();) {
        const std::size_t size = next(input.size() - fed);
        // Each piece is a block of its own, so that stale views are found.
        std::vector<char> block(
            input.begin() + static_cast<std::ptrdiff_t>(fed),
            input.begin() + static_cast<std::ptrdiff_t>(fed + size)
        );
        fed += size;
        parser.feed(block);
        if (!drain(parser, setting, outcome)) { return outcome; }
        require(parser.held_bytes() <= 2 * fed + 64, "memory grows with octets received only");
        require(
            parser.is_mid_frame() || parser.held_bytes() == 0, "nothing is held between frames"
        );
    }
    outcome.is_mid_frame = parser.is_mid_frame();
    return outcome;
}

bool is_about_size(const Outcome& outcome) {
    return outcome.error == protocol::ErrorCode::header_too_large ||
           outcome.error == protocol::ErrorCode::frame_too_large;
}

void require_same(const Outcome& whole, const Outcome& cut) {
    require(whole.frames == cut.frames, "the same frames however the input is cut");
    require(
        whole.error.has_value() == cut.error.has_value(),
        "the same failure however the input is cut"
    );
    require(whole.is_mid_frame == cut.is_mid_frame, "the same end however the input is cut");
    // A line that is both too long and wrong may be refused for either.
    if (is_about_size(whole) || is_about_size(cut)) { return; }
    require(whole.error == cut.error, "the same refusal however the input is cut");
}

std::string encoded(const Frame& frame, protocol::Version version) {
    std::vector<protocol::Header> headers;
    for (const auto& header : frame.headers) {
        headers.push_back({header.first, header.second});
    }
    std::string out;
    protocol::append_frame(out, frame.command, headers, frame.body, version);
    return out;
}

bool survives(const Frame& frame, protocol::Version version) {
    return std::all_of(frame.headers.begin(), frame.headers.end(), [&](const auto& header) {
        return protocol::can_carry(header.first, header.second, version);
    });
}

bool is_connecting(protocol::Command command) {
    return command == protocol::Command::connect || command == protocol::Command::stomp ||
           command == protocol::Command::connected;
}

/// What was read, written and read again is what was read; but for the content-length that a body
/// adds.
void require_stable(Frame frame, const Setting& setting) {
    const auto version = *setting.version;
    const auto is_length = [](const auto& header) { return header.first == "content-length"; };
    std::erase_if(frame.headers, is_length);
    if (!survives(frame, version) || is_connecting(frame.command)) { return; }
    Setting roomy;
    roomy.version = version;
    roomy.role = setting.role;
    Outcome again = run(encoded(frame, version), roomy, [](std::size_t left) { return left; });
    require(
        again.error == std::nullopt && again.frames.size() == 1, "what was read can be written"
    );
    std::erase_if(again.frames[0].headers, is_length);
    require(again.frames[0] == frame, "encoding and decoding gives the frame back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices choices(data, size);
    const std::uint8_t mode = choices.octet();
    const Setting setting = setting_from(mode, choices.octet());
    fuzz::Cuts cuts(choices.octet());
    const std::string_view input = choices.rest();
    const Outcome whole = run(input, setting, [](std::size_t left) { return left; });
    require_same(whole, run(input, setting, [&](std::size_t left) { return cuts.next(left); }));
    require_same(whole, run(input, setting, [](std::size_t) { return std::size_t{1}; }));
    if (!setting.version) { return 0; }
    for (const Frame& frame : whole.frames) {
        require_stable(frame, setting);
    }
    return 0;
}
