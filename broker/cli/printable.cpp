// Character by character: each is taken whole or written as its octets.
#include "broker/cli/printable.hpp"

#include "protocol/utf8.hpp"

#include <array>
#include <cstdio>

namespace cli {
namespace {

std::size_t octets_of_lead(char lead) {
    const auto octet = static_cast<unsigned char>(lead);
    if (octet < 0x80U) { return 1; }
    if (octet < 0xe0U) { return 2; }
    return octet < 0xf0U ? 3 : 4;
}

// U+202A to U+202E and U+2066 to U+2069.
bool turns_direction(std::string_view character) {
    const bool is_mark = character.starts_with("\xe2\x80") && character[2] >= '\xaa';
    const bool is_isolate = character.starts_with("\xe2\x81") && character[2] >= '\xa6';
    return (is_mark && character[2] <= '\xae') || (is_isolate && character[2] <= '\xa9');
}

bool is_control(std::string_view character, Blanks blanks) {
    const char first = character.front();
    if (first == '\n' || first == '\t') { return blanks == Blanks::escaped; }
    if (static_cast<unsigned char>(first) < ' ' || first == '\x7f') { return true; }
    const bool is_c1 = first == '\xc2' && character[1] < '\xa0';
    return is_c1 || (character.size() == 3 && turns_direction(character));
}

void append_octets(std::string& out, std::string_view octets) {
    for (const char octet : octets) {
        std::array<char, 8> text{};
        std::snprintf(text.data(), text.size(), "\\x%02x", static_cast<unsigned char>(octet));
        out += text.data();
    }
}

}  // namespace

void append_printable(std::string& out, std::string_view text, Blanks blanks) {
    while (!text.empty()) {
        const std::string_view character = text.substr(0, octets_of_lead(text.front()));
        if (!protocol::is_utf8(character)) {
            append_octets(out, text.substr(0, 1));
            text.remove_prefix(1);
            continue;
        }
        if (is_control(character, blanks)) {
            append_octets(out, character);
        } else {
            out += character;
        }
        text.remove_prefix(character.size());
    }
}

std::string printable(std::string_view text, Blanks blanks) {
    std::string out;
    append_printable(out, text, blanks);
    return out;
}

}  // namespace cli
