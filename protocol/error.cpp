// The table of tokens and close codes (P-ERR-08), and quoting of the peer's text.
// Constant data; nothing here knows who sends an ERROR or when.
#include "protocol/error.hpp"

#include "protocol/utf8.hpp"

#include <array>
#include <cassert>

namespace protocol {

namespace {

struct Entry {
    std::string_view token;
    std::uint16_t close_code;
};

/// In the order of ErrorCode.
constexpr std::array<Entry, error_code_count> table{{
    {"bad-frame", 1002},
    {"bad-header", 1002},
    {"missing-header", 1002},
    {"bad-state", 1002},
    {"version-unsupported", 1002},
    {"frame-timeout", 1002},
    {"bad-utf8", 1007},
    {"auth-failed", 1008},
    {"token-expired", 1008},
    {"access-denied", 1008},
    {"connect-timeout", 1008},
    {"bad-destination", 1008},
    {"bad-selector", 1008},
    {"unsupported", 1008},
    {"limit-subscriptions", 1008},
    {"limit-transaction", 1008},
    {"limit-queues", 1008},
    {"abuse", 1008},
    {"kicked", 1008},
    {"replaced", 1008},
    {"revoked", 1008},
    {"frame-too-large", 1009},
    {"header-too-large", 1009},
    {"internal", 1011},
    {"storage-failed", 1011},
    {"shutdown", 1012},
    {"overload", 1013},
    {"disk-full", 1013},
    {"queue-full", 1013},
    {"storage-timeout", 1013},
    {"slow-consumer", 1013},
    {"heartbeat-timeout", 1013},
    {"rate-limited", 1013},
    {"limit-connections", 1013},
}};

// A code without an entry would leave the last one empty.
static_assert(!table.back().token.empty());

constexpr std::size_t quoted_bytes_max = 200;

const Entry& entry(ErrorCode code) {
    const auto index = static_cast<std::size_t>(code);
    assert(index < table.size());
    return table[index];
}

std::size_t sequence_size(unsigned char lead) {
    if (lead < 0xC0) { return 1; }
    if (lead < 0xE0) { return 2; }
    return lead < 0xF0 ? 3 : 4;
}

/// The character at the start of `rest` can be shown as it is: neither a C0 nor a C1 control.
bool is_printable(std::string_view character) {
    const auto lead = static_cast<unsigned char>(character[0]);
    if (character.size() == 1) { return lead >= 0x20 && lead < 0x7F; }
    return lead != 0xC2 || static_cast<unsigned char>(character[1]) >= 0xA0;
}

std::string escaped_octets(std::string_view octets) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char octet : octets) {
        const auto value = static_cast<unsigned char>(octet);
        if (octet == '\n') {
            out += "\\n";
        } else if (octet == '\r') {
            out += "\\r";
        } else {
            out.append({'\\', 'x', digits[value >> 4], digits[value & 15U]});
        }
    }
    return out;
}

}  // namespace

std::string_view token(ErrorCode code) {
    return entry(code).token;
}

std::uint16_t close_code(ErrorCode code) {
    return entry(code).close_code;
}

std::string quoted(std::string_view text) {
    // Octets that are no UTF-8 are shown one by one, so that the ERROR stays a text.
    const bool whole_characters = is_utf8(text);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t size = whole_characters ? sequence_size(lead) : 1;
        const std::string_view character = text.substr(at, size);
        const std::string shown =
            is_printable(character) ? std::string(character) : escaped_octets(character);
        if (out.size() + shown.size() > quoted_bytes_max) { break; }
        out += shown;
        at += size;
    }
    return out;
}

}  // namespace protocol
