#include "broker/engine/like_pattern.hpp"

#include <algorithm>
#include <array>

namespace engine {

namespace {

// Octets that are no UTF-8 come after all characters.
constexpr std::uint32_t stray_octet = 0x110000;

std::size_t sequence_size(unsigned char lead) {
    if (lead < 0xC2 || lead > 0xF4) { return 1; }
    if (lead < 0xE0) { return 2; }
    return lead < 0xF0 ? 3 : 4;
}

bool is_continuation(char octet) {
    return (static_cast<unsigned char>(octet) & 0xC0U) == 0x80;
}

}  // namespace

std::uint32_t take_character(std::string_view& text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t size = sequence_size(lead);
    const auto behind = text.substr(1, size - 1);
    if (size == 1 || behind.size() != size - 1 ||
        !std::all_of(behind.begin(), behind.end(), is_continuation)) {
        text.remove_prefix(1);
        return lead < 0x80 ? lead : stray_octet + lead;
    }
    std::uint32_t character = lead & (0xFFU >> (size + 1));
    for (const char octet : behind) {
        character = character << 6U | (static_cast<unsigned char>(octet) & 0x3FU);
    }
    text.remove_prefix(size);
    return character;
}

/// A place in the pattern before one of its characters, or (the last) after all of them.
struct LikePattern::Position {
    std::uint32_t character = 0;
    bool is_any_character = false;
    bool is_at_percent = false;
};

std::optional<LikePattern> LikePattern::compile(
    std::string_view pattern, std::optional<std::string_view> escape
) {
    if (pattern.size() > octets_max) { return std::nullopt; }
    std::optional<std::uint32_t> escaping;
    if (escape && !escape->empty()) { escaping = take_character(*escape); }
    std::vector<Position> positions(1);
    while (!pattern.empty()) {
        std::uint32_t character = take_character(pattern);
        const bool is_escaped = character == escaping;
        if (is_escaped) {
            if (pattern.empty()) { return std::nullopt; }
            character = take_character(pattern);
        } else if (character == '%') {
            positions.back().is_at_percent = true;
            continue;
        }
        positions.back().character = character;
        positions.back().is_any_character = !is_escaped && character == '_';
        positions.emplace_back();
    }
    return LikePattern(positions);
}

LikePattern::LikePattern(const std::vector<Position>& positions)
    : words_((positions.size() + word_bits - 1) / word_bits), last_(positions.size() - 1) {
    for (std::size_t at = 0; at < last_; ++at) {
        if (!positions[at].is_any_character) { known_.push_back(positions[at].character); }
    }
    std::sort(known_.begin(), known_.end());
    known_.erase(std::unique(known_.begin(), known_.end()), known_.end());
    known_.shrink_to_fit();
    loops_.resize(words_);
    std::vector<Word> any(words_);
    for (std::size_t at = 0; at <= last_; ++at) {
        const Word bit = Word{1} << at % word_bits;
        if (positions[at].is_at_percent) { loops_[at / word_bits] |= bit; }
        if (positions[at].is_any_character) { any[at / word_bits] |= bit; }
    }
    steps_.reserve((known_.size() + 1) * words_);
    for (std::size_t row = 0; row <= known_.size(); ++row) {
        steps_.insert(steps_.end(), any.begin(), any.end());
    }
    for (std::size_t at = 0; at < last_; ++at) {
        if (positions[at].is_any_character) { continue; }
        steps_[row(positions[at].character) * words_ + at / word_bits] |= Word{1} << at % word_bits;
    }
}

std::size_t LikePattern::row(std::uint32_t character) const {
    const auto found = std::lower_bound(known_.begin(), known_.end(), character);
    const bool is_known = found != known_.end() && *found == character;
    return is_known ? static_cast<std::size_t>(found - known_.begin()) : known_.size();
}

const LikePattern::Word* LikePattern::steps(std::uint32_t character) const {
    return steps_.data() + row(character) * words_;
}

bool LikePattern::matches(std::string_view text) const {
    return words_ == 1 ? matches_short(text) : matches_long(text);
}

bool LikePattern::matches_short(std::string_view text) const {
    const Word loops = loops_[0];
    const Word last = Word{1} << last_;
    Word at = 1;
    while (!text.empty()) {
        if (at == 0) { return false; }
        if ((at & loops & last) != 0) { return true; }
        const Word on = at & *steps(take_character(text));
        at = (on << 1U) | (at & loops);
    }
    return (at & last) != 0;
}

bool LikePattern::matches_long(std::string_view text) const {
    std::array<Word, words_max> at{};
    at[0] = 1;
    const Word last = Word{1} << last_ % word_bits;
    const std::size_t last_word = last_ / word_bits;
    while (!text.empty()) {
        if ((at[last_word] & loops_[last_word] & last) != 0) { return true; }
        const Word* const step = steps(take_character(text));
        Word carried = 0;
        Word any = 0;
        for (std::size_t word = 0; word < words_; ++word) {
            const Word on = at[word] & step[word];
            at[word] = (on << 1U) | carried | (at[word] & loops_[word]);
            carried = on >> (word_bits - 1);
            any |= at[word];
        }
        if (any == 0) { return false; }
    }
    return (at[last_word] & last) != 0;
}

}  // namespace engine
