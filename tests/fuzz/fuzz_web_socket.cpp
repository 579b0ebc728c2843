// The WebSocket decoder: any cut gives the same messages, limits hold, what it reads can be written
// again. Input: two octets of choices (role and limit, cuts), then what a peer sends.
#include "protocol/utf8.hpp"
#include "protocol/web_socket.hpp"
#include "tests/fuzz/choices.hpp"

#include <string>
#include <vector>

namespace {

using fuzz::require;
using protocol::Opcode;
using protocol::WebSocketDecoder;

struct Item {
    WebSocketDecoder::Event event{};
    bool is_text = false;
    std::string payload;
    std::uint16_t code = 0;

    friend bool operator==(const Item&, const Item&) = default;
};

struct Setting {
    WebSocketDecoder::Role role{};
    std::size_t message_max = 0;
};

struct Outcome {
    std::vector<Item> items;  ///< Whole messages and control frames.
    std::string partial;      ///< Of the message that has not ended.
    std::uint16_t failed = 0;
    std::string reason;
    bool is_mid_message = false;
};

bool is_control(WebSocketDecoder::Event event) {
    return event != WebSocketDecoder::Event::data;
}

void take_data(
    const WebSocketDecoder& decoder,
    std::string_view payload,
    const Setting& setting,
    Outcome& outcome
) {
    outcome.partial += payload;
    require(outcome.partial.size() <= setting.message_max, "no message above the limit");
    if (!decoder.is_message_end()) { return; }
    if (decoder.is_text()) { require(protocol::is_utf8(outcome.partial), "text is UTF-8"); }
    outcome.items.push_back({WebSocketDecoder::Event::data, decoder.is_text(), outcome.partial, 0});
    outcome.partial.clear();
}

void take_control(
    const WebSocketDecoder& decoder,
    WebSocketDecoder::Event event,
    std::string_view payload,
    Outcome& outcome
) {
    require(payload.size() <= 125, "control frames are short");
    const bool is_close = event == WebSocketDecoder::Event::close;
    const std::uint16_t code = is_close ? decoder.close_code() : std::uint16_t{0};
    if (is_close) {
        require(code == 1005 || protocol::is_valid_close_code(code), "close codes are valid");
    }
    outcome.items.push_back({event, false, std::string(payload), code});
}

/// True while the decoder lives.
bool drain(WebSocketDecoder& decoder, const Setting& setting, Outcome& outcome) {
    while (true) {
        const auto event = decoder.next();
        if (event == WebSocketDecoder::Event::need_more) { return true; }
        if (event == WebSocketDecoder::Event::failed) {
            outcome.failed = decoder.close_code();
            outcome.reason = decoder.reason();
            require(!outcome.reason.empty(), "a failure says why");
            return false;
        }
        const std::string_view payload(decoder.payload().data(), decoder.payload().size());
        if (is_control(event)) {
            take_control(decoder, event, payload, outcome);
        } else {
            take_data(decoder, payload, setting, outcome);
        }
    }
}

template <class Next>
Outcome run(std::string_view input, const Setting& setting, Next next) {
    WebSocketDecoder decoder(setting.role, setting.message_max);
    Outcome outcome;
    for (std::size_t fed = 0; fed < input.size();) {
        const std::size_t size = next(input.size() - fed);
        std::vector<char> block(
            input.begin() + static_cast<std::ptrdiff_t>(fed),
            input.begin() + static_cast<std::ptrdiff_t>(fed + size)
        );
        fed += size;
        decoder.feed(block);
        if (!drain(decoder, setting, outcome)) { return outcome; }
    }
    outcome.is_mid_message = decoder.is_mid_message();
    return outcome;
}

void require_same(const Outcome& whole, const Outcome& cut) {
    require(whole.items == cut.items, "the same messages however the input is cut");
    require(
        whole.failed == cut.failed && whole.reason == cut.reason,
        "the same failure however the input is cut"
    );
    if (whole.failed != 0) { return; }
    require(whole.partial == cut.partial, "the same payload however the input is cut");
    require(whole.is_mid_message == cut.is_mid_message, "the same end however the input is cut");
}

Opcode opcode_of(const Item& item) {
    switch (item.event) {
        case WebSocketDecoder::Event::ping:
            return Opcode::ping;
        case WebSocketDecoder::Event::pong:
            return Opcode::pong;
        default:
            return item.is_text ? Opcode::text : Opcode::binary;
    }
}

void require_stable(const std::vector<Item>& items, const Setting& setting) {
    const std::uint32_t mask = 0x5A17C3E9;
    std::string wire;
    std::vector<Item> expected;
    for (const Item& item : items) {
        if (item.event == WebSocketDecoder::Event::close) { continue; }
        const bool masks = setting.role == WebSocketDecoder::Role::broker;
        protocol::append_web_socket_frame(
            wire, opcode_of(item), item.payload, masks ? &mask : nullptr
        );
        expected.push_back(item);
    }
    const Outcome again = run(wire, setting, [](std::size_t left) { return left; });
    require(again.failed == 0 && again.items == expected, "what was read can be written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices choices(data, size);
    const std::uint8_t mode = choices.octet();
    Setting setting;
    setting.role =
        (mode & 1U) != 0 ? WebSocketDecoder::Role::client : WebSocketDecoder::Role::broker;
    setting.message_max = (mode & 2U) != 0 ? mode : std::size_t{1} << 24U;
    fuzz::Cuts cuts(choices.octet());
    const std::string_view input = choices.rest();
    const Outcome whole = run(input, setting, [](std::size_t left) { return left; });
    require_same(whole, run(input, setting, [&](std::size_t left) { return cuts.next(left); }));
    require_same(whole, run(input, setting, [](std::size_t) { return std::size_t{1}; }));
    require_stable(whole.items, setting);
    return 0;
}
