// How a selector is read token by token, and refused (P-SEL-04, P-LIM-01).
// Part of SelectorParser.
#include "broker/engine/selector_parser.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace engine {

namespace {

constexpr std::string_view word_remedy =
    "This word is SQL's own: put it in double quotes if it is the name of a header, in single "
    "quotes if it is a text.";
constexpr std::string_view type_remedy =
    "Compare alike: texts in quotes with = and <>, numbers without quotes, conditions with AND, OR "
    "and NOT.";

}  // namespace

void SelectorParser::count_node(std::size_t at) {
    if (++node_count_ <= limits_.nodes_max) { return; }
    fail(
        at,
        "it has more than " + std::to_string(limits_.nodes_max) + " names, literals and operators",
        "Shorten the selector, subscribe more than once, or raise limits.selector_nodes.",
        protocol::LimitKey::selector_nodes
    );
}

void SelectorParser::add(const SelectorNode& node) {
    program_.nodes.push_back(node);
}

SelectorToken SelectorParser::take() {
    const SelectorToken taken = token_;
    advance();
    return taken;
}

SelectorToken SelectorParser::take_node() {
    count_node(token_.at);
    return take();
}

void SelectorParser::advance() {
    token_ = lexer_.next();
}

bool SelectorParser::accept(Kind kind) {
    if (token_.kind != kind) { return false; }
    advance();
    return true;
}

bool SelectorParser::expect(Kind kind, Text name) {
    if (accept(kind)) { return true; }
    unexpected(name);
    return false;
}

SelectorParser::Parsed SelectorParser::unexpected_operand(Text expected) {
    unexpected(expected);
    return std::nullopt;
}

void SelectorParser::unexpected(Text expected) {
    if (token_.kind == Kind::wrong) {
        return fail(token_.at, std::string(token_.problem), token_.remedy);
    }
    const std::string found =
        token_.kind == Kind::end ? std::string("the end") : protocol::quoted(token_.text);
    fail(
        token_.at,
        "expected " + std::string(expected) + ", found " + found,
        token_.kind >= Kind::word_and ? word_remedy : grammar_remedy
    );
}

void SelectorParser::require(const Operand& operand, Type type, Text what) {
    if (operand.type == Type::any || operand.type == type) { return; }
    fail(operand.at, std::string(what), type_remedy);
}

void SelectorParser::require_alike(const Operand& left, const Operand& right) {
    if (left.type == Type::any) { return; }
    require(right, left.type, "what is compared is not alike");
}

void SelectorParser::fail(std::size_t at, std::string what, Text remedy, protocol::LimitKey limit) {
    if (!problem_) { problem_ = Problem{at, std::move(what), remedy, limit}; }
}

protocol::Error SelectorParser::error() const {
    const Text before = selector_.substr(0, problem_->at);
    const auto characters = std::count_if(before.begin(), before.end(), [](char octet) {
        return (static_cast<unsigned char>(octet) & 0xC0U) != 0x80;
    });
    return {
        protocol::ErrorCode::bad_selector,
        "The selector is wrong at column " + std::to_string(characters + 1) + ": " +
            problem_->what + ". It reads: " + protocol::quoted(selector_),
        std::string(problem_->remedy),
        "P-SEL-04",
        problem_->limit};
}

}  // namespace engine
