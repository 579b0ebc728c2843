// Escaping of header names and values per version.
// Both directions copy runs between special octets; most headers have none.
#include "protocol/escape.hpp"

#include <array>
#include <cstring>

namespace protocol {

namespace {

/// The octet that backslash + `letter` stands for in `version`, or nothing.
std::optional<char> meaning(char letter, Version version) {
    switch (letter) {
        case 'n':
            return '\n';
        case 'c':
            return ':';
        case '\\':
            return '\\';
        case 'r':
            return version == Version::v1_2 ? std::optional('\r') : std::nullopt;
        default:
            return std::nullopt;
    }
}

/// The letter that stands for `octet` after a backslash, or 0 if it is written as it is.
char letter_for(char octet, Version version) {
    switch (octet) {
        case '\n':
            return 'n';
        case ':':
            return 'c';
        case '\\':
            return '\\';
        case '\r':
            return version == Version::v1_2 ? 'r' : '\0';
        default:
            return '\0';
    }
}

constexpr std::array<bool, 256> make_special() {
    std::array<bool, 256> special{};
    for (const char octet : {'\r', '\n', ':', '\\'}) {
        special[static_cast<unsigned char>(octet)] = true;
    }
    return special;
}

constexpr std::array<bool, 256> is_special = make_special();

std::size_t find_special(std::string_view text, std::size_t from) {
    while (from < text.size() && !is_special[static_cast<unsigned char>(text[from])]) {
        ++from;
    }
    return from;
}

bool contains(std::string_view text, char octet) {
    return text.find(octet) != std::string_view::npos;
}

bool contains_any(std::string_view name, std::string_view value, char octet) {
    return contains(name, octet) || contains(value, octet);
}

}  // namespace

std::optional<std::size_t> unescape_in_place(
    char* text, std::size_t size, Version version, bool lenient
) {
    if (version == Version::v1_0 || size == 0) { return size; }
    const void* const first = std::memchr(text, '\\', size);
    if (first == nullptr) { return size; }
    const char* const end = text + size;
    char* out = text + (static_cast<const char*>(first) - text);
    for (const char* in = out; in != end; ++in) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        const auto octet = in + 1 == end ? std::nullopt : meaning(in[1], version);
        if (octet) {
            *out++ = *octet;
            ++in;
            continue;
        }
        if (!lenient) { return std::nullopt; }
        // Both octets stay; the second cannot begin an escape, or the first would have been one.
        *out++ = '\\';
    }
    return static_cast<std::size_t>(out - text);
}

bool has_undefined_escape(std::string_view text, Version version) {
    if (version == Version::v1_0) { return false; }
    std::size_t at = text.find('\\');
    while (at != std::string_view::npos) {
        if (at + 1 == text.size() || !meaning(text[at + 1], version)) { return true; }
        at = text.find('\\', at + 2);
    }
    return false;
}

bool needs_escape(std::string_view text) {
    return find_special(text, 0) != text.size();
}

void append_escaped(std::string& out, std::string_view text, Version version) {
    if (version == Version::v1_0) {
        out += text;
        return;
    }
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = find_special(text, begin);
        out.append(text, begin, end - begin);
        if (end == text.size()) { return; }
        const char letter = letter_for(text[end], version);
        if (letter != '\0') { out += '\\'; }
        out += letter != '\0' ? letter : text[end];
        begin = end + 1;
    }
}

bool can_carry(std::string_view name, std::string_view value, Version version) {
    if (name.empty() || contains_any(name, value, '\0')) { return false; }
    if (version == Version::v1_2) { return true; }
    if (contains_any(name, value, '\r')) { return false; }
    if (version == Version::v1_1) { return true; }
    return !contains_any(name, value, '\n') && !contains(name, ':');
}

}  // namespace protocol
