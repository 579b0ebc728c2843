// From the text of a selector to its tokens (P-SEL-01, -02).
// Pure; tokens refer to the text, nothing is copied. One token at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace engine {

struct SelectorToken {
    enum class Kind : std::uint8_t {
        end,
        wrong,  ///< `problem` and `remedy` say what is wrong.
        name,
        quoted_name,
        text,
        number,
        left_parenthesis,
        right_parenthesis,
        comma,
        plus,
        minus,
        times,
        divide,
        equal,
        not_equal,
        less,
        less_or_equal,
        greater,
        greater_or_equal,
        word_and,
        word_or,
        word_not,
        word_between,
        word_in,
        word_like,
        word_escape,
        word_is,
        word_null,
        word_true,
        word_false,
    };

    Kind kind = Kind::end;
    std::size_t at = 0;     ///< Where it begins in the selector, in octets.
    std::string_view text;  ///< As written; of quoted ones what is between the quotes.
    std::string_view problem;
    std::string_view remedy;
};

class SelectorLexer {
public:
    explicit SelectorLexer(std::string_view selector) : selector_(selector) {}

    /// The next token; at the end always `end`. Blanks and the prefixes of P-SEL-02 are no tokens.
    [[nodiscard]] SelectorToken next();

private:
    [[nodiscard]] SelectorToken token(SelectorToken::Kind kind, std::size_t size);
    [[nodiscard]] SelectorToken wrong(std::string_view problem, std::string_view remedy) const;
    [[nodiscard]] SelectorToken quoted(SelectorToken::Kind kind);
    [[nodiscard]] SelectorToken number();
    [[nodiscard]] SelectorToken name_or_word();
    [[nodiscard]] SelectorToken symbol();

    [[nodiscard]] std::string_view rest() const { return selector_.substr(at_); }

    [[nodiscard]] bool skip_prefix();
    void skip_blanks();

    std::string_view selector_;
    std::size_t at_ = 0;
};

/// What is between quotes, doubled `quote`s made single.
[[nodiscard]] std::string undoubled(std::string_view text, char quote);

}  // namespace engine
