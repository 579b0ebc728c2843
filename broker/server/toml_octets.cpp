#include "broker/server/toml_octets.hpp"

#include <algorithm>

namespace server {

namespace {

/// Behind the text in quotes that begins at `begin`; at the end of the line if that ends first.
std::size_t end_of_line_of_quotes(std::string_view text, std::size_t begin) {
    const char quote = text[begin];
    for (std::size_t i = begin + 1; i < text.size(); ++i) {
        if (text[i] == '\n') { return i; }
        if (text[i] == quote) { return i + 1; }
        if (text[i] == '\\' && quote == '"') { ++i; }
    }
    return text.size();
}

/// The same with three quotes, which may hold line ends, and one or two quotes before the last.
std::size_t end_of_block(std::string_view text, std::size_t begin) {
    const std::string_view three = text.substr(begin, 3);
    for (std::size_t i = begin + 3; i < text.size(); ++i) {
        if (text.substr(i, 3) == three) {
            const std::size_t end = text.find_first_not_of(three.front(), i);
            return std::min({end, i + 5, text.size()});
        }
        if (text[i] == '\\' && three.front() == '"') { ++i; }
    }
    return text.size();
}

}  // namespace

std::optional<std::size_t> stray_octet(std::string_view text) {
    std::size_t i = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    while (i < text.size()) {
        const char c = text[i];
        if (static_cast<unsigned char>(c) >= 0x80) { return i; }
        if (c == '#') {
            i = std::min(text.find('\n', i), text.size());
        } else if (c == '"' || c == '\'') {
            const bool is_block = text.substr(i, 3) == (c == '"' ? "\"\"\"" : "'''");
            i = is_block ? end_of_block(text, i) : end_of_line_of_quotes(text, i);
        } else {
            ++i;
        }
    }
    return std::nullopt;
}

std::string in_ascii(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) { text.remove_prefix(3); }
    std::string ascii(text);
    std::ranges::replace_if(
        ascii, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, 'x'
    );
    return ascii;
}

}  // namespace server
