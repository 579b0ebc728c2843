// From the text of a selector to its program (P-SEL-01, -02, -04).
// Precedence climbing; recursion is bounded by SelectorLimits::depth_max.
#pragma once

#include "broker/engine/selector_lexer.hpp"
#include "broker/engine/selector_limits.hpp"
#include "broker/engine/selector_program.hpp"
#include "protocol/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace engine {

/// Parses one selector, once.
class SelectorParser {
public:
    SelectorParser(std::string_view selector, const SelectorLimits& limits);

    /// Refuses `bad-selector`, with the column counted in characters from 1, for what is empty, too
    /// large, ungrammatical, or can be seen to have operands of the wrong type.
    [[nodiscard]] protocol::Result<SelectorProgram> parse();

private:
    using Text = std::string_view;
    using Kind = SelectorToken::Kind;
    using Op = SelectorNode::Op;

    // How tightly operators bind.
    enum class Strength : std::uint8_t {
        none,
        logical_or,
        logical_and,
        logical_not,
        comparison,
        sum,
        product,
        sign
    };

    // What is known of an operand before there is a message; a header may become anything.
    enum class Type : std::uint8_t { any, condition, number, text };

    struct Operand {
        Type type;
        std::size_t at;
    };

    // Nothing if there is a problem.
    using Parsed = std::optional<Operand>;

    struct Problem {
        std::size_t at;
        std::string what;
        Text remedy;
        protocol::LimitKey limit;
    };

    [[nodiscard]] static Strength strength_of(Kind kind);
    [[nodiscard]] static bool is_literal(Kind kind);

    // The grammar: selector_parser.cpp.
    void parse_whole();
    /// Operators that bind at least as tightly as `least`, and what they join.
    Parsed expression(Strength least);
    Parsed infix(const Operand& left, Strength strength);
    Parsed junction(const Operand& left, Op op, Op skip, Strength right_strength);
    Parsed arithmetic(const Operand& left, Strength right_strength);
    /// In SQL a comparison is no operand of the next one.
    Parsed only_comparison(const Parsed& done);
    Parsed operand(Strength least);
    Parsed parentheses();
    Parsed negation(Strength least);
    Parsed sign();
    Parsed deeper(std::size_t at, Strength least);

    // Comparisons and tests: selector_comparisons.cpp.
    Parsed comparison(const Operand& left);
    Parsed relation(const Operand& left);
    Parsed between(const Operand& left, bool is_negated);
    Parsed in(const Operand& left, bool is_negated);
    Parsed like(const Operand& left, bool is_negated);
    std::string escape_character(const SelectorToken& token);
    void add_pattern(const SelectorToken& pattern, const std::optional<std::string>& escape);
    Parsed is_null(const Operand& left);
    Parsed test(const SelectorNode& node, const Operand& left);

    // Names and literals: selector_operands.cpp.
    Parsed name();
    Parsed literal(bool is_minus);
    Parsed number_literal(const SelectorToken& token, bool is_minus);
    void add_text(Op op, Text text);
    Parsed signed_literal();

    // Tokens, limits and refusals: selector_refusals.cpp.
    void count_node(std::size_t at);
    void add(const SelectorNode& node);
    SelectorToken take();
    /// Takes a name, literal or operator, which count against the limit as they are read.
    SelectorToken take_node();
    void advance();
    bool accept(Kind kind);
    bool expect(Kind kind, Text name);
    Parsed unexpected_operand(Text expected);
    void unexpected(Text expected);
    void require(const Operand& operand, Type type, Text what);
    void require_alike(const Operand& left, const Operand& right);
    /// Only the first problem is told.
    void fail(
        std::size_t at,
        std::string what,
        Text remedy,
        protocol::LimitKey limit = protocol::LimitKey::none
    );
    protocol::Error error() const;

    static constexpr Text grammar_remedy =
        "Write conditions such as name = 'text' or number > 5, joined with AND, OR and NOT.";

    const Text selector_;
    const SelectorLimits limits_;
    SelectorLexer lexer_;
    SelectorToken token_;
    SelectorProgram program_;
    std::size_t node_count_ = 0;
    std::size_t depth_ = 0;
    std::optional<Problem> problem_;
};

}  // namespace engine
