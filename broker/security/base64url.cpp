#include "broker/security/base64url.hpp"

#include <algorithm>
#include <cstdint>

namespace security {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 0 to 63, or -1.
int value_of(char digit) {
    if (digit >= 'A' && digit <= 'Z') { return digit - 'A'; }
    if (digit >= 'a' && digit <= 'z') { return digit - 'a' + 26; }
    if (digit >= '0' && digit <= '9') { return digit - '0' + 52; }
    if (digit == '-') { return 62; }
    return digit == '_' ? 63 : -1;
}

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
    if (text.size() % 4 == 1) { return std::nullopt; }
    std::string octets;
    octets.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char digit : text) {
        const int value = value_of(digit);
        if (value < 0) { return std::nullopt; }
        bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xFFFFU;
        held += 6;
        if (held < 8) { continue; }
        held -= 8;
        octets.push_back(static_cast<char>(bits >> held & 0xFFU));
    }
    const bool is_canonical = (bits & ((1U << held) - 1U)) == 0;
    if (!is_canonical) { return std::nullopt; }
    return octets;
}

std::string encode_base64url(std::string_view octets) {
    std::string text;
    text.reserve((octets.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char octet : octets) {
        bits = (bits << 8 | static_cast<unsigned char>(octet)) & 0xFFFFU;
        for (held += 8; held >= 6; held -= 6) {
            text.push_back(alphabet[bits >> (held - 6) & 63U]);
        }
    }
    if (held > 0) { text.push_back(alphabet[bits << (6 - held) & 63U]); }
    return text;
}

bool is_base64url(std::string_view text) {
    return std::ranges::all_of(text, [](char digit) { return value_of(digit) >= 0; });
}

}  // namespace security
