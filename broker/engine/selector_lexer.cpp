#include "broker/engine/selector_lexer.hpp"

#include "broker/engine/selector_value.hpp"

#include <algorithm>
#include <array>

namespace engine {

namespace {

using Text = std::string_view;
using Kind = SelectorToken::Kind;

struct Spelling {
    Text text;
    Kind kind;
};

// Lower case.
constexpr std::array<Spelling, 11> words = {{
    {"and", Kind::word_and},
    {"or", Kind::word_or},
    {"not", Kind::word_not},
    {"between", Kind::word_between},
    {"in", Kind::word_in},
    {"like", Kind::word_like},
    {"escape", Kind::word_escape},
    {"is", Kind::word_is},
    {"null", Kind::word_null},
    {"true", Kind::word_true},
    {"false", Kind::word_false},
}};

// Longer ones first.
constexpr std::array<Spelling, 13> symbols = {{
    {"<>", Kind::not_equal},
    {"<=", Kind::less_or_equal},
    {">=", Kind::greater_or_equal},
    {"=", Kind::equal},
    {"<", Kind::less},
    {">", Kind::greater},
    {"(", Kind::left_parenthesis},
    {")", Kind::right_parenthesis},
    {",", Kind::comma},
    {"+", Kind::plus},
    {"-", Kind::minus},
    {"*", Kind::times},
    {"/", Kind::divide},
}};

// ActiveMQ and Artemis know them; what they ask for is always so here.
constexpr std::array<Text, 2> prefixes = {"hyphenated_props:", "convert_string_expressions:"};

constexpr Text blanks = " \t\r\n\f";

bool is_digit(char octet) {
    return octet >= '0' && octet <= '9';
}

// Beyond ASCII everything is a letter.
bool begins_name(char octet) {
    return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') || octet == '_' ||
           octet == '$' || static_cast<unsigned char>(octet) >= 0x80;
}

bool continues_name(char octet) {
    return begins_name(octet) || is_digit(octet);
}

/// A hyphen or dot belongs to a name if it is directly between two of its characters.
bool joins_name(Text text, std::size_t at) {
    return (text[at] == '-' || text[at] == '.') && at + 1 < text.size() &&
           continues_name(text[at + 1]);
}

std::size_t name_size(Text text) {
    std::size_t size = 1;
    while (size < text.size() && (continues_name(text[size]) || joins_name(text, size))) {
        size += continues_name(text[size]) ? 1U : 2U;
    }
    return size;
}

bool is_word(Text text, Text lower) {
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), same);
}

}  // namespace

SelectorToken SelectorLexer::next() {
    do {
        skip_blanks();
    } while (skip_prefix());
    if (at_ == selector_.size()) { return {Kind::end, at_, {}, {}, {}}; }
    const char first = selector_[at_];
    if (first == '\'') { return quoted(Kind::text); }
    if (first == '"') { return quoted(Kind::quoted_name); }
    if (number_size(rest()) != 0) { return number(); }
    return begins_name(first) ? name_or_word() : symbol();
}

SelectorToken SelectorLexer::token(Kind kind, std::size_t size) {
    const SelectorToken found{kind, at_, selector_.substr(at_, size), {}, {}};
    at_ += size;
    return found;
}

SelectorToken SelectorLexer::wrong(Text problem, Text remedy) const {
    return {Kind::wrong, at_, {}, problem, remedy};
}

SelectorToken SelectorLexer::quoted(Kind kind) {
    const char quote = selector_[at_];
    std::size_t end = at_ + 1;
    while (true) {
        end = selector_.find(quote, end);
        if (end == Text::npos) {
            return wrong(
                "the quote that begins here has no end",
                "Close the quote; double a quote that is inside the text."
            );
        }
        if (end + 1 == selector_.size() || selector_[end + 1] != quote) { break; }
        end += 2;
    }
    if (kind == Kind::quoted_name && end == at_ + 1) {
        return wrong("a name is empty", "Put the name of a header between the double quotes.");
    }
    const SelectorToken found{kind, at_, selector_.substr(at_ + 1, end - at_ - 1), {}, {}};
    at_ = end + 1;
    return found;
}

SelectorToken SelectorLexer::number() {
    const std::size_t size = number_size(rest());
    const std::size_t end = at_ + size;
    if (end < selector_.size() && continues_name(selector_[end])) {
        return wrong(
            "a number goes on with letters",
            "Write numbers as 7, -7.5 or 7e3; put a name that begins with a digit in double quotes."
        );
    }
    return token(Kind::number, size);
}

SelectorToken SelectorLexer::name_or_word() {
    const std::size_t size = name_size(rest());
    const Text text = rest().substr(0, size);
    for (const Spelling& word : words) {
        if (is_word(text, word.text)) { return token(word.kind, size); }
    }
    return token(Kind::name, size);
}

SelectorToken SelectorLexer::symbol() {
    for (const Spelling& symbol : symbols) {
        if (rest().starts_with(symbol.text)) { return token(symbol.kind, symbol.text.size()); }
    }
    if (rest().starts_with("!=")) { return wrong("!= is no operator", "Write <> instead."); }
    return wrong(
        "this character begins nothing that a selector knows",
        "Put texts in single quotes, and names with characters other than letters, digits, "
        "underscores, hyphens and dots in double quotes."
    );
}

bool SelectorLexer::skip_prefix() {
    for (const Text prefix : prefixes) {
        if (!rest().starts_with(prefix)) { continue; }
        at_ += prefix.size();
        return true;
    }
    return false;
}

void SelectorLexer::skip_blanks() {
    at_ = std::min(selector_.find_first_not_of(blanks, at_), selector_.size());
}

std::string undoubled(std::string_view text, char quote) {
    std::string single;
    single.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        single += text[at];
        if (text[at] == quote) { ++at; }
    }
    return single;
}

}  // namespace engine
