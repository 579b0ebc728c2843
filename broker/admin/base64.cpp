#include "broker/admin/base64.hpp"

#include <cstdint>

namespace admin {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string to_base64(std::string_view octets) {
    std::string out;
    out.reserve((octets.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char octet : octets) {
        bits = (bits << 8 | static_cast<unsigned char>(octet)) & 0xFFFFU;
        for (held += 8; held >= 6; held -= 6) {
            out.push_back(alphabet[bits >> (held - 6) & 63U]);
        }
    }
    if (held > 0) { out.push_back(alphabet[bits << (6 - held) & 63U]); }
    out.append((4 - out.size() % 4) % 4, '=');
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    const std::size_t end = text.find_last_not_of('=') + 1;
    if (text.size() % 4 != 0 || text.size() - end > 2) { return std::nullopt; }
    std::string octets;
    octets.reserve(end * 3 / 4);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char digit : text.substr(0, end)) {
        const std::size_t value = alphabet.find(digit);
        if (value == std::string_view::npos) { return std::nullopt; }
        bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xFFFFU;
        held += 6;
        if (held < 8) { continue; }
        held -= 8;
        octets.push_back(static_cast<char>(bits >> held & 0xFFU));
    }
    const bool is_canonical = held < 6 && (bits & ((1U << held) - 1U)) == 0;
    if (!is_canonical) { return std::nullopt; }
    return octets;
}

}  // namespace admin
