// RFC 6455 frames: decoder, header writer, masking.
// The decoder copies headers and control frames only; data stays where it was received.
#include "protocol/web_socket.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace protocol {

namespace {

constexpr std::uint8_t fin_bit = 0x80;
constexpr std::uint8_t rsv_bits = 0x70;
constexpr std::uint8_t opcode_bits = 0x0F;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_bits = 0x7F;
constexpr std::uint8_t length_is_16_bits = 126;
constexpr std::uint8_t length_is_64_bits = 127;
constexpr std::size_t control_payload_max = 125;
constexpr std::size_t close_reason_max = control_payload_max - 2;
constexpr std::size_t mask_size = 4;

constexpr std::uint16_t no_code = 1005;
constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t bad_text = 1007;
constexpr std::uint16_t too_large = 1009;

std::uint8_t octet(char c) {
    return static_cast<std::uint8_t>(c);
}

std::size_t length_size(std::uint8_t second) {
    switch (second & length_bits) {
        case length_is_16_bits:
            return 2;
        case length_is_64_bits:
            return 8;
        default:
            return 0;
    }
}

std::uint64_t big_endian(const char* data, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        value = value << 8 | octet(data[i]);
    }
    return value;
}

void put_big_endian(char* out, std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i > 0; --i, value >>= 8) {
        out[i - 1] = static_cast<char>(value & 0xFFU);
    }
}

bool is_known(std::uint8_t opcode) {
    return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

bool is_control(Opcode opcode) {
    return opcode >= Opcode::close;
}

/// The longest length that the next shorter encoding could have carried.
std::uint64_t shorter_max(std::size_t extended_size) {
    if (extended_size == 0) { return 0; }
    return extended_size == 2 ? 125 : 0xFFFF;
}

/// `mask` after `count` more octets.
std::uint32_t rotated(std::uint32_t mask, std::size_t count) {
    const int bits = static_cast<int>(count % mask_size) * 8;
    return std::endian::native == std::endian::little ? std::rotr(mask, bits)
                                                      : std::rotl(mask, bits);
}

}  // namespace

WebSocketDecoder::Event WebSocketDecoder::next() {
    if (failed_) { return Event::failed; }
    // RFC 6455, 5.5.1: nothing counts after a close frame.
    if (closed_) { input_ = {}; }
    while (true) {
        if (!in_frame_) {
            if (!take_head()) { return failed_ ? Event::failed : Event::need_more; }
            if (!begin_frame()) { return Event::failed; }
        }
        if (is_control(opcode_)) { return take_control() ? end_of_control() : Event::need_more; }
        if (remaining_ > 0 && input_.empty()) { return Event::need_more; }
        // Empty fragments too: the caller counts what brings nothing.
        return data_piece();
    }
}

WebSocketDecoder::Event WebSocketDecoder::fail(std::uint16_t code, std::string_view reason) {
    failed_ = true;
    close_code_ = code;
    reason_ = reason;
    payload_ = {};
    return Event::failed;
}

bool WebSocketDecoder::refuse(std::uint16_t code, std::string_view reason) {
    fail(code, reason);
    return false;
}

/// Collects the frame header in head_. The first two octets are judged as soon as they are there.
bool WebSocketDecoder::take_head() {
    if (head_size_ < 2) {
        if (!take_head_octets(2) || !check_start()) { return false; }
    }
    const std::uint8_t second = octet(head_[1]);
    return take_head_octets(2 + length_size(second) + ((second & mask_bit) != 0 ? mask_size : 0));
}

bool WebSocketDecoder::take_head_octets(std::size_t wanted) {
    const std::size_t size = std::min(wanted - head_size_, input_.size());
    if (size > 0) { std::memcpy(head_.data() + head_size_, input_.data(), size); }
    input_ = input_.subspan(size);
    head_size_ = static_cast<std::uint8_t>(head_size_ + size);
    return head_size_ == wanted;
}

/// What the first two octets of a header already show.
bool WebSocketDecoder::check_start() {
    const std::uint8_t first = octet(head_[0]);
    const std::uint8_t second = octet(head_[1]);
    if ((first & rsv_bits) != 0) {
        return refuse(protocol_error, "reserved bit set; no extension was negotiated");
    }
    if (!is_known(first & opcode_bits)) { return refuse(protocol_error, "reserved opcode"); }
    const bool masked = (second & mask_bit) != 0;
    if (masked != (role_ == Role::broker)) {
        return refuse(protocol_error, masked ? "frame is masked" : "frame is not masked");
    }
    const auto opcode = static_cast<Opcode>(first & opcode_bits);
    if (is_control(opcode)) { return check_control(first, second); }
    if ((opcode == Opcode::continuation) == in_message_) { return true; }
    return refuse(
        protocol_error,
        in_message_ ? "new message inside a fragmented one" : "continuation of no message"
    );
}

bool WebSocketDecoder::check_control(std::uint8_t first, std::uint8_t second) {
    if ((first & fin_bit) == 0) { return refuse(protocol_error, "control frame is fragmented"); }
    if ((second & length_bits) > control_payload_max) {
        return refuse(protocol_error, "control frame above 125 octets");
    }
    return true;
}

/// Reads the complete header; refuses its length.
bool WebSocketDecoder::begin_frame() {
    const std::uint8_t first = octet(head_[0]);
    const std::uint8_t second = octet(head_[1]);
    const std::size_t extended = length_size(second);
    const std::uint64_t length =
        extended == 0 ? second & length_bits : big_endian(head_.data() + 2, extended);
    if (extended != 0 && length <= shorter_max(extended)) {
        return refuse(protocol_error, "length is not in its shortest form");
    }
    if (length >> 63 != 0) { return refuse(protocol_error, "length has its top bit set"); }
    opcode_ = static_cast<Opcode>(first & opcode_bits);
    masked_ = (second & mask_bit) != 0;
    if (masked_) { std::memcpy(&mask_, head_.data() + 2 + extended, mask_size); }
    remaining_ = length;
    in_frame_ = true;
    head_size_ = 0;
    control_size_ = 0;
    return is_control(opcode_) || begin_data((first & fin_bit) != 0, length);
}

bool WebSocketDecoder::begin_data(bool fin, std::uint64_t length) {
    fin_ = fin;
    if (opcode_ != Opcode::continuation) {
        text_ = opcode_ == Opcode::text;
        message_size_ = 0;
        in_message_ = true;
    }
    if (message_size_ > message_max_ || length > message_max_ - message_size_) {
        return refuse(too_large, "message too large");
    }
    message_size_ += length;
    return true;
}

WebSocketDecoder::Event WebSocketDecoder::data_piece() {
    payload_ = take_payload();
    if (masked_) { mask_ = apply_mask(payload_.data(), payload_.size(), mask_); }
    in_frame_ = remaining_ > 0;
    message_end_ = fin_ && !in_frame_;
    in_message_ = !message_end_;
    if (text_ && !accept_text()) { return fail(bad_text, "text is not UTF-8"); }
    return Event::data;
}

std::span<char> WebSocketDecoder::take_payload() {
    const std::size_t size = std::min<std::uint64_t>(remaining_, input_.size());
    const std::span<char> piece = input_.first(size);
    input_ = input_.subspan(size);
    remaining_ -= size;
    return piece;
}

bool WebSocketDecoder::accept_text() {
    return utf8_.accept({payload_.data(), payload_.size()}) && (!message_end_ || utf8_.finish());
}

/// Collects a control frame's payload; true when it is complete.
bool WebSocketDecoder::take_control() {
    const std::span<char> piece = take_payload();
    if (!piece.empty()) {
        std::memcpy(control_.data() + control_size_, piece.data(), piece.size());
    }
    control_size_ = static_cast<std::uint8_t>(control_size_ + piece.size());
    return remaining_ == 0;
}

WebSocketDecoder::Event WebSocketDecoder::end_of_control() {
    in_frame_ = false;
    payload_ = std::span(control_).first(control_size_);
    if (masked_) { apply_mask(payload_.data(), payload_.size(), mask_); }
    if (opcode_ == Opcode::close) { return end_of_close(); }
    return opcode_ == Opcode::ping ? Event::ping : Event::pong;
}

WebSocketDecoder::Event WebSocketDecoder::end_of_close() {
    closed_ = true;
    close_code_ = no_code;
    if (payload_.empty()) { return Event::close; }
    if (payload_.size() == 1) { return fail(protocol_error, "close frame with half a code"); }
    const auto code = static_cast<std::uint16_t>(big_endian(payload_.data(), 2));
    if (!is_valid_close_code(code)) { return fail(protocol_error, "close code is not allowed"); }
    payload_ = payload_.subspan(2);
    if (!is_utf8({payload_.data(), payload_.size()})) {
        return fail(bad_text, "close reason is not UTF-8");
    }
    close_code_ = code;
    return Event::close;
}

std::size_t write_web_socket_header(char* out, Opcode opcode, std::size_t payload_size) {
    out[0] = static_cast<char>(fin_bit | static_cast<std::uint8_t>(opcode));
    if (payload_size <= shorter_max(2)) {
        out[1] = static_cast<char>(payload_size);
        return 2;
    }
    const std::size_t extended = payload_size <= shorter_max(8) ? 2 : 8;
    out[1] = static_cast<char>(extended == 2 ? length_is_16_bits : length_is_64_bits);
    put_big_endian(out + 2, payload_size, extended);
    return 2 + extended;
}

void append_web_socket_frame(
    std::string& out, Opcode opcode, std::string_view payload, const std::uint32_t* mask
) {
    std::array<char, web_socket_header_max> head{};
    std::size_t head_size = write_web_socket_header(head.data(), opcode, payload.size());
    if (mask != nullptr) {
        head[1] = static_cast<char>(octet(head[1]) | mask_bit);
        std::memcpy(head.data() + head_size, mask, mask_size);
        head_size += mask_size;
    }
    out.append(head.data(), head_size);
    const std::size_t begin = out.size();
    out.append(payload);
    if (mask != nullptr) { apply_mask(out.data() + begin, payload.size(), *mask); }
}

void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason) {
    std::string payload;
    if (code != no_code) {
        payload.resize(2);
        put_big_endian(payload.data(), code, 2);
        payload += cut_utf8(reason, close_reason_max);
    }
    append_web_socket_frame(out, Opcode::close, payload);
}

std::uint32_t apply_mask(char* data, std::size_t size, std::uint32_t mask) {
    const std::uint64_t wide = std::uint64_t{mask} << 32 | mask;
    std::size_t at = 0;
    for (; size - at >= sizeof wide; at += sizeof wide) {
        std::uint64_t word = 0;
        std::memcpy(&word, data + at, sizeof word);
        word ^= wide;
        std::memcpy(data + at, &word, sizeof word);
    }
    std::array<char, sizeof wide> key{};
    std::memcpy(key.data(), &wide, sizeof wide);
    for (std::size_t i = 0; at < size; ++at, ++i) {
        data[at] = static_cast<char>(octet(data[at]) ^ octet(key[i]));
    }
    return rotated(mask, size);
}

bool is_valid_close_code(std::uint16_t code) {
    if (code >= 3000) { return code <= 4999; }
    if (code >= 1007) { return code <= 1014; }
    return code >= 1000 && code <= 1003;
}

}  // namespace protocol
