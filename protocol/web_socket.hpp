// RFC 6455 frame codec for one direction each: decoder of what a peer sends, encoder of headers.
// Sans I/O. Payload is unmasked in place and handed out as it arrives, so nothing is buffered but
// control frames (125 octets at most). Limits are checked at the frame header, never by allocation.
#pragma once

#include "protocol/limits.hpp"
#include "protocol/utf8.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace protocol {

enum class Opcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10
};

class WebSocketDecoder {
public:
    enum class Event : std::uint8_t {
        need_more,  ///< All input is consumed.
        data,  ///< payload() is a piece of a text or binary message, in order; may be empty at its
               ///< end.
        ping,  ///< payload() is to be sent back in a pong.
        pong,
        close,   ///< close_code() (1005 if none was given) and payload(), the reason.
        failed,  ///< close_code() is what to close with: 1002, 1007, 1009; reason() says why.
    };

    /// Whose frames are read: a broker refuses unmasked frames, a client masked ones (RFC
    /// 6455, 5.1).
    enum class Role : std::uint8_t { broker, client };

    explicit WebSocketDecoder(Role role, std::size_t message_max)
        : message_max_(message_max), role_(role) {}

    /// Largest message from now on, counted over its fragments; crossing it fails with 1009.
    void set_message_max(std::size_t octets) { message_max_ = octets; }

    /// `input` is unmasked in place and must stay valid until next() answered `need_more`.
    void feed(std::span<char> input) { input_ = input; }

    [[nodiscard]] Event next();

    /// Takes back the input that next() has not reached, still masked.
    [[nodiscard]] std::span<char> take_rest() { return std::exchange(input_, {}); }

    [[nodiscard]] std::span<char> payload() const { return payload_; }

    /// With `data`: this piece ends its message.
    [[nodiscard]] bool is_message_end() const { return message_end_; }

    /// With `data`: the message is text (validated as UTF-8 as far as it has come) or binary.
    [[nodiscard]] bool is_text() const { return text_; }

    [[nodiscard]] std::uint16_t close_code() const { return close_code_; }

    [[nodiscard]] std::string_view reason() const { return reason_; }

    /// Inside a frame header, a payload, or between the fragments of a message.
    [[nodiscard]] bool is_mid_message() const {
        return in_message_ || in_frame_ || head_size_ != 0;
    }

private:
    Event fail(std::uint16_t code, std::string_view reason);
    bool refuse(std::uint16_t code, std::string_view reason);
    bool take_head();
    bool take_head_octets(std::size_t wanted);
    bool check_start();
    bool check_control(std::uint8_t first, std::uint8_t second);
    bool begin_frame();
    bool begin_data(bool fin, std::uint64_t length);
    Event data_piece();
    std::span<char> take_payload();
    bool accept_text();
    bool take_control();
    Event end_of_control();
    Event end_of_close();

    std::span<char> input_;
    std::span<char> payload_;
    std::string_view reason_;
    std::size_t message_max_;
    std::uint64_t message_size_ = 0;  ///< Payload octets declared by the message's frames so far.
    std::uint64_t remaining_ = 0;     ///< Payload octets of the current frame still to come.
    std::uint32_t mask_ = 0;          ///< Rotated to the next octet.
    std::array<char, 14> head_{};
    std::uint8_t head_size_ = 0;
    Role role_;
    Opcode opcode_ = Opcode::text;  ///< Of the current frame.
    bool fin_ = false;
    bool masked_ = false;
    bool in_frame_ = false;
    bool in_message_ = false;
    bool text_ = false;
    bool message_end_ = false;
    bool failed_ = false;
    bool closed_ = false;  ///< A close frame has come: what follows is ignored.
    std::uint16_t close_code_ = 1005;
    Utf8Stream utf8_;
    std::uint8_t control_size_ = 0;
    std::array<char, 125> control_{};
};

inline constexpr std::size_t web_socket_header_max = 14;

/// Writes the header of an unfragmented, unmasked frame into `out` (room for 10 octets); returns
/// its size.
[[nodiscard]] std::size_t write_web_socket_header(
    char* out, Opcode opcode, std::size_t payload_size
);

/// Appends a whole frame; with `mask` as a client sends it (RFC 6455, 5.3), the key taken from
/// `*mask`.
void append_web_socket_frame(
    std::string& out, Opcode opcode, std::string_view payload, const std::uint32_t* mask = nullptr
);

/// Appends a close frame; `reason` is cut to 123 octets at a UTF-8 boundary (P-WS-16). Code 1005,
/// which must not be sent, gives an empty payload.
void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason);

/// XORs `data` with the mask, eight octets at a time, starting at mask octet 0 of `mask` (in memory
/// order); returns the mask rotated to the octet after the last.
std::uint32_t apply_mask(char* data, std::size_t size, std::uint32_t mask);

/// Whether a peer may send `code` in a close frame (RFC 6455, 7.4).
[[nodiscard]] bool is_valid_close_code(std::uint16_t code);

}  // namespace protocol
