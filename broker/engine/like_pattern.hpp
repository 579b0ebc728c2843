// LIKE patterns of selectors: `%` any text, `_` one character, matched in linear time.
// One pass over the text with a set of positions as bits: nothing is ever tried twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace engine {

class LikePattern {
public:
    static constexpr std::size_t octets_max = 4096;

    /// Nothing if the pattern ends with its escape character, or has more than `octets_max`
    /// octets. `escape` is one character, which makes the next one stand for itself.
    [[nodiscard]] static std::optional<LikePattern> compile(
        std::string_view pattern, std::optional<std::string_view> escape
    );

    /// A character is what UTF-8 makes one; an octet that is no UTF-8 is a character of its own.
    [[nodiscard]] bool matches(std::string_view text) const;

private:
    using Word = std::uint64_t;
    static constexpr std::size_t word_bits = 64;
    static constexpr std::size_t words_max = octets_max / word_bits + 1;

    struct Position;

    explicit LikePattern(const std::vector<Position>& positions);
    [[nodiscard]] std::size_t row(std::uint32_t character) const;
    [[nodiscard]] const Word* steps(std::uint32_t character) const;
    [[nodiscard]] bool matches_short(std::string_view text) const;
    [[nodiscard]] bool matches_long(std::string_view text) const;

    std::size_t words_;                 // Of a set of positions.
    std::size_t last_;                  // The position after the whole pattern.
    std::vector<std::uint32_t> known_;  // Characters of the pattern, sorted.
    std::vector<Word> steps_;           // Per known character: positions it leads on from;
                                        // at the end: those from which any other character does.
    std::vector<Word> loops_;           // Positions at a `%`.
};

/// Takes the first character off `text`, which is not empty.
[[nodiscard]] std::uint32_t take_character(std::string_view& text);

}  // namespace engine
