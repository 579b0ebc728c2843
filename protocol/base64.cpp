#include "protocol/base64.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace protocol {

namespace {

constexpr std::string_view plain =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view for_urls =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 0 to 63, or -1.
int value_of(char digit, std::string_view alphabet) {
    if (digit >= 'A' && digit <= 'Z') { return digit - 'A'; }
    if (digit >= 'a' && digit <= 'z') { return digit - 'a' + 26; }
    if (digit >= '0' && digit <= '9') { return digit - '0' + 52; }
    if (digit == alphabet[62]) { return 62; }
    return digit == alphabet[63] ? 63 : -1;
}

std::string encode(std::string_view octets, std::string_view alphabet) {
    std::string text;
    text.reserve((octets.size() + 2) / 3 * 4);
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

// Without padding.
std::optional<std::string> decode(std::string_view text, std::string_view alphabet) {
    if (text.size() % 4 == 1) { return std::nullopt; }
    std::string octets;
    octets.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char digit : text) {
        const int value = value_of(digit, alphabet);
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

}  // namespace

std::string encode_base64(std::string_view octets) {
    std::string text = encode(octets, plain);
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
    if (text.size() % 4 != 0) { return std::nullopt; }
    const std::size_t end = text.find_last_not_of('=') + 1;
    if (text.size() - end > 2) { return std::nullopt; }
    return decode(text.substr(0, end), plain);
}

std::string encode_base64url(std::string_view octets) {
    return encode(octets, for_urls);
}

std::optional<std::string> decode_base64url(std::string_view text) {
    return decode(text, for_urls);
}

bool is_base64url(std::string_view text) {
    return std::ranges::all_of(text, [](char digit) { return value_of(digit, for_urls) >= 0; });
}

}  // namespace protocol
