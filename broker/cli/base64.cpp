// Three octets at a time; the last group is padded.
#include "broker/cli/base64.hpp"

#include <cstdint>

namespace cli {

std::string to_base64(std::string_view octets) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((octets.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < octets.size(); at += 3) {
        const std::string_view group = octets.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            out += i <= group.size() ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
        }
    }
    return out;
}

}  // namespace cli
