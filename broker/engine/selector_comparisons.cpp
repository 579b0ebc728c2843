// What follows an operand: = and its like, BETWEEN, IN, LIKE, IS NULL (P-SEL-01).
// Part of SelectorParser.
#include "broker/engine/selector_parser.hpp"

#include <utility>

namespace engine {

namespace {

SelectorNode::Op relation_op(SelectorToken::Kind kind) {
    switch (kind) {
        case SelectorToken::Kind::less:
            return SelectorNode::Op::less;
        case SelectorToken::Kind::less_or_equal:
            return SelectorNode::Op::less_or_equal;
        case SelectorToken::Kind::greater:
            return SelectorNode::Op::greater;
        case SelectorToken::Kind::greater_or_equal:
            return SelectorNode::Op::greater_or_equal;
        default:
            return SelectorNode::Op::equal;
    }
}

constexpr std::string_view ordering = "<, >, <=, >= and BETWEEN compare numbers only";

}  // namespace

SelectorParser::Parsed SelectorParser::comparison(const Operand& left) {
    const bool is_negated = token_.kind == Kind::word_not;
    if (is_negated) { take(); }
    switch (token_.kind) {
        case Kind::word_between:
            return between(left, is_negated);
        case Kind::word_in:
            return in(left, is_negated);
        case Kind::word_like:
            return like(left, is_negated);
        default:
            break;
    }
    if (is_negated) { return unexpected_operand("BETWEEN, IN or LIKE"); }
    return token_.kind == Kind::word_is ? is_null(left) : relation(left);
}

SelectorParser::Parsed SelectorParser::relation(const Operand& left) {
    const Kind op = take_node().kind;
    const Parsed right = expression(Strength::sum);
    if (!right) { return right; }
    SelectorNode node = SelectorNode::of(relation_op(op));
    node.is_negated = op == Kind::not_equal;
    if (node.op == Op::equal) {
        require_alike(left, *right);
    } else {
        require(left, Type::number, ordering);
        require(*right, Type::number, ordering);
    }
    return test(node, left);
}

SelectorParser::Parsed SelectorParser::between(const Operand& left, bool is_negated) {
    take_node();
    const Parsed low = expression(Strength::sum);
    if (!low || !expect(Kind::word_and, "AND")) { return std::nullopt; }
    const Parsed high = expression(Strength::sum);
    if (!high) { return high; }
    require(left, Type::number, ordering);
    require(*low, Type::number, ordering);
    require(*high, Type::number, ordering);
    SelectorNode node = SelectorNode::of(Op::between);
    node.is_negated = is_negated;
    return test(node, left);
}

SelectorParser::Parsed SelectorParser::in(const Operand& left, bool is_negated) {
    take_node();
    if (!expect(Kind::left_parenthesis, "( and a list of literals")) { return std::nullopt; }
    const std::size_t index = program_.nodes.size();
    SelectorNode node = SelectorNode::of(Op::in);
    node.is_negated = is_negated;
    add(node);
    do {
        const Parsed literal = signed_literal();
        if (!literal) { return literal; }
        require_alike(left, *literal);
    } while (accept(Kind::comma));
    if (!expect(Kind::right_parenthesis, ", or )")) { return std::nullopt; }
    program_.nodes[index].size = static_cast<std::uint16_t>(program_.nodes.size() - index - 1);
    return Operand{Type::condition, left.at};
}

SelectorParser::Parsed SelectorParser::like(const Operand& left, bool is_negated) {
    take_node();
    const SelectorToken pattern = token_;
    if (!expect(Kind::text, "a pattern in single quotes")) { return std::nullopt; }
    count_node(pattern.at);
    require(left, Type::text, "LIKE looks at texts");
    std::optional<std::string> escape;
    if (accept(Kind::word_escape)) {
        const SelectorToken character = token_;
        if (!expect(Kind::text, "one character in single quotes")) { return std::nullopt; }
        escape = escape_character(character);
    }
    if (problem_) { return std::nullopt; }
    add_pattern(pattern, escape);
    SelectorNode node = SelectorNode::of(Op::like);
    node.is_negated = is_negated;
    node.index = static_cast<std::uint32_t>(program_.patterns.size() - 1);
    return problem_ ? std::nullopt : test(node, left);
}

std::string SelectorParser::escape_character(const SelectorToken& token) {
    std::string character = undoubled(token.text, '\'');
    Text rest = character;
    if (!rest.empty()) { static_cast<void>(take_character(rest)); }
    if (character.empty() || !rest.empty()) {
        fail(token.at, "ESCAPE takes exactly one character", "Write for example ESCAPE '\\'.");
    }
    return character;
}

void SelectorParser::add_pattern(
    const SelectorToken& pattern, const std::optional<std::string>& escape
) {
    auto compiled = LikePattern::compile(undoubled(pattern.text, '\''), escape);
    if (compiled) {
        program_.patterns.push_back(std::move(*compiled));
        return;
    }
    fail(
        pattern.at,
        "the pattern ends with its escape character",
        "Double the escape character if it stands for itself."
    );
}

SelectorParser::Parsed SelectorParser::is_null(const Operand& left) {
    take_node();
    SelectorNode node = SelectorNode::of(Op::is_null);
    node.is_negated = accept(Kind::word_not);
    if (!expect(Kind::word_null, node.is_negated ? "NULL" : "NULL or NOT NULL")) {
        return std::nullopt;
    }
    return test(node, left);
}

SelectorParser::Parsed SelectorParser::test(const SelectorNode& node, const Operand& left) {
    add(node);
    return Operand{Type::condition, left.at};
}

}  // namespace engine
