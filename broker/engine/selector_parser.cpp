#include "broker/engine/selector_parser.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace engine {

namespace {

SelectorLimits bounded(const SelectorLimits& limits) {
    return {
        std::min(limits.bytes_max, selector_limits_max.bytes_max),
        std::min(limits.nodes_max, selector_limits_max.nodes_max),
        std::min(limits.depth_max, selector_limits_max.depth_max)};
}

SelectorNode::Op arithmetic_op(SelectorToken::Kind kind) {
    switch (kind) {
        case SelectorToken::Kind::plus:
            return SelectorNode::Op::add;
        case SelectorToken::Kind::minus:
            return SelectorNode::Op::subtract;
        case SelectorToken::Kind::times:
            return SelectorNode::Op::multiply;
        default:
            return SelectorNode::Op::divide;
    }
}

}  // namespace

SelectorParser::SelectorParser(std::string_view selector, const SelectorLimits& limits)
    : selector_(selector), limits_(bounded(limits)), lexer_(selector) {}

SelectorParser::Strength SelectorParser::strength_of(Kind kind) {
    switch (kind) {
        case Kind::word_or:
            return Strength::logical_or;
        case Kind::word_and:
            return Strength::logical_and;
        case Kind::plus:
        case Kind::minus:
            return Strength::sum;
        case Kind::times:
        case Kind::divide:
            return Strength::product;
        case Kind::equal:
        case Kind::not_equal:
        case Kind::less:
        case Kind::less_or_equal:
        case Kind::greater:
        case Kind::greater_or_equal:
        case Kind::word_between:
        case Kind::word_in:
        case Kind::word_like:
        case Kind::word_is:
        case Kind::word_not:  // Begins NOT BETWEEN, NOT IN, NOT LIKE here.
            return Strength::comparison;
        default:
            return Strength::none;
    }
}

protocol::Result<SelectorProgram> SelectorParser::parse() {
    if (selector_.size() > limits_.bytes_max) {
        fail(
            limits_.bytes_max,
            "it is longer than " + std::to_string(limits_.bytes_max) + " octets",
            "Shorten the selector, subscribe more than once, or raise limits.selector_bytes.",
            protocol::LimitKey::selector_bytes
        );
        return error();
    }
    advance();
    if (token_.kind == Kind::end) { fail(token_.at, "it is empty", grammar_remedy); }
    parse_whole();
    if (problem_) { return error(); }
    program_.nodes.shrink_to_fit();
    program_.characters.shrink_to_fit();
    return std::move(program_);
}

void SelectorParser::parse_whole() {
    if (problem_) { return; }
    const Parsed whole = expression(Strength::logical_or);
    if (!whole) { return; }
    if (token_.kind != Kind::end) { return unexpected("an operator or the end"); }
    require(*whole, Type::condition, "the selector as a whole must be a condition");
}

SelectorParser::Parsed SelectorParser::expression(Strength least) {
    Parsed left = operand(least);
    while (left && !problem_) {
        const Strength strength = strength_of(token_.kind);
        if (strength == Strength::none || strength < least) { break; }
        left = infix(*left, strength);
    }
    return problem_ ? std::nullopt : left;
}

SelectorParser::Parsed SelectorParser::infix(const Operand& left, Strength strength) {
    switch (strength) {
        case Strength::logical_or:
            return junction(left, Op::logical_or, Op::skip_if_yes, Strength::logical_and);
        case Strength::logical_and:
            return junction(left, Op::logical_and, Op::skip_if_no, Strength::logical_not);
        case Strength::comparison:
            return only_comparison(comparison(left));
        case Strength::sum:
            return arithmetic(left, Strength::product);
        default:
            return arithmetic(left, Strength::sign);
    }
}

SelectorParser::Parsed SelectorParser::junction(
    const Operand& left, Op op, Op skip, Strength right_strength
) {
    take_node();
    require(left, Type::condition, "AND and OR join conditions");
    const std::size_t skip_index = program_.nodes.size();
    program_.nodes.push_back(SelectorNode::of(skip));
    const Parsed right = expression(right_strength);
    if (!right) { return right; }
    require(*right, Type::condition, "AND and OR join conditions");
    add(SelectorNode::of(op));
    program_.nodes[skip_index].index = static_cast<std::uint32_t>(program_.nodes.size());
    return Operand{Type::condition, left.at};
}

SelectorParser::Parsed SelectorParser::arithmetic(const Operand& left, Strength right_strength) {
    const Kind op = take_node().kind;
    require(left, Type::number, "arithmetic needs numbers");
    const Parsed right = expression(right_strength);
    if (!right) { return right; }
    require(*right, Type::number, "arithmetic needs numbers");
    add(SelectorNode::of(arithmetic_op(op)));
    return Operand{Type::number, left.at};
}

SelectorParser::Parsed SelectorParser::only_comparison(const Parsed& done) {
    if (done && strength_of(token_.kind) == Strength::comparison) {
        fail(
            token_.at,
            "a comparison follows a comparison",
            "Join comparisons with AND, or put the first one in parentheses."
        );
    }
    return done;
}

SelectorParser::Parsed SelectorParser::operand(Strength least) {
    switch (token_.kind) {
        case Kind::left_parenthesis:
            return parentheses();
        case Kind::word_not:
            return negation(least);
        case Kind::plus:
        case Kind::minus:
            return sign();
        case Kind::name:
        case Kind::quoted_name:
            return name();
        default:
            return is_literal(token_.kind) ? literal(false) : unexpected_operand("a value");
    }
}

SelectorParser::Parsed SelectorParser::parentheses() {
    const std::size_t at = take().at;
    Parsed inside = deeper(at, Strength::logical_or);
    if (!inside || !expect(Kind::right_parenthesis, ")")) { return std::nullopt; }
    inside->at = at;
    return inside;
}

SelectorParser::Parsed SelectorParser::negation(Strength least) {
    if (least > Strength::logical_not) { return unexpected_operand("a value"); }
    const std::size_t at = take_node().at;
    const Parsed inside = deeper(at, Strength::logical_not);
    if (!inside) { return inside; }
    require(*inside, Type::condition, "NOT needs a condition");
    add(SelectorNode::of(Op::logical_not));
    return Operand{Type::condition, at};
}

SelectorParser::Parsed SelectorParser::sign() {
    const SelectorToken op = take();
    const bool is_minus = op.kind == Kind::minus;
    if (token_.kind == Kind::number) { return literal(is_minus); }
    count_node(op.at);
    const Parsed inside = deeper(op.at, Strength::sign);
    if (!inside) { return inside; }
    require(*inside, Type::number, "arithmetic needs numbers");
    add(SelectorNode::of(is_minus ? Op::minus : Op::plus));
    return Operand{Type::number, op.at};
}

SelectorParser::Parsed SelectorParser::deeper(std::size_t at, Strength least) {
    if (depth_ == limits_.depth_max) {
        fail(
            at,
            "it is nested more than " + std::to_string(limits_.depth_max) + " deep",
            "Use fewer parentheses, NOTs and signs around one another, or raise "
            "limits.selector_depth.",
            protocol::LimitKey::selector_depth
        );
        return std::nullopt;
    }
    ++depth_;
    const Parsed inside = expression(least);
    --depth_;
    return inside;
}

}  // namespace engine
