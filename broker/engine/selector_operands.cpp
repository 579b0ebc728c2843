// Names and literals of selectors (P-SEL-01, -02).
// Part of SelectorParser.
#include "broker/engine/selector_parser.hpp"

namespace engine {

namespace {

/// The STOMP header that a JMS name means (P-SEL-02).
std::string_view stomp_name(std::string_view name) {
    if (name == "JMSTimestamp") { return "timestamp"; }
    if (name == "JMSCorrelationID") { return "correlation-id"; }
    return name == "JMSType" ? std::string_view("type") : name;
}

}  // namespace

bool SelectorParser::is_literal(Kind kind) {
    return kind == Kind::text || kind == Kind::number || kind == Kind::word_true ||
           kind == Kind::word_false;
}

SelectorParser::Parsed SelectorParser::name() {
    const SelectorToken token = take_node();
    const std::string written =
        token.kind == Kind::quoted_name ? undoubled(token.text, '"') : std::string(token.text);
    if (written == "JMSPriority") {
        add(SelectorNode::of(Op::priority));
        return Operand{Type::any, token.at};
    }
    if (written == "JMSDeliveryMode") {
        add(SelectorNode::of(Op::delivery_mode));
        return Operand{Type::text, token.at};
    }
    add_text(Op::header, stomp_name(written));
    return Operand{Type::any, token.at};
}

SelectorParser::Parsed SelectorParser::literal(bool is_minus) {
    const SelectorToken token = take_node();
    if (token.kind == Kind::text) {
        add_text(Op::text, undoubled(token.text, '\''));
        return Operand{Type::text, token.at};
    }
    if (token.kind == Kind::number) { return number_literal(token, is_minus); }
    SelectorNode node = SelectorNode::of(Op::boolean);
    node.index = token.kind == Kind::word_true ? 1 : 0;
    add(node);
    return Operand{Type::condition, token.at};
}

SelectorParser::Parsed SelectorParser::number_literal(const SelectorToken& token, bool is_minus) {
    const SelectorValue magnitude = parse_number(token.text);
    if (magnitude.is_null()) {
        fail(token.at, "the number is out of range", "Use numbers that a double can hold.");
        return std::nullopt;
    }
    const SelectorValue value = is_minus ? negative(magnitude) : magnitude;
    const bool is_integer = value.kind == SelectorValue::Kind::integer;
    SelectorNode node = SelectorNode::of(is_integer ? Op::integer : Op::real);
    if (is_integer) {
        node.integer = value.integer;
    } else {
        node.real = value.real;
    }
    add(node);
    return Operand{Type::number, token.at};
}

void SelectorParser::add_text(Op op, Text text) {
    SelectorNode node = SelectorNode::of(op);
    node.index = static_cast<std::uint32_t>(program_.characters.size());
    node.size = static_cast<std::uint16_t>(text.size());
    program_.characters += text;
    add(node);
}

SelectorParser::Parsed SelectorParser::signed_literal() {
    const bool is_minus = token_.kind == Kind::minus;
    if (is_minus || token_.kind == Kind::plus) {
        take();
        if (token_.kind != Kind::number) { return unexpected_operand("a number"); }
    }
    if (!is_literal(token_.kind)) { return unexpected_operand("a literal"); }
    return literal(is_minus);
}

}  // namespace engine
