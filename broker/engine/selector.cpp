#include "broker/engine/selector.hpp"

#include "broker/engine/selector_parser.hpp"

#include <utility>

namespace engine {

namespace {

using Op = SelectorNode::Op;

std::optional<Selector::Equality> equality_of(const SelectorProgram& program) {
    if (program.nodes.size() != 3) { return std::nullopt; }
    const SelectorNode& test = program.nodes[2];
    if (test.op != Op::equal || test.is_negated) { return std::nullopt; }
    const bool is_header_first = program.nodes[0].op == Op::header;
    const SelectorNode& header = program.nodes[is_header_first ? 0 : 1];
    const SelectorNode& literal = program.nodes[is_header_first ? 1 : 0];
    if (header.op != Op::header || literal.op != Op::text) { return std::nullopt; }
    return Selector::Equality{
        std::string(program.text(header)), std::string(program.text(literal))};
}

}  // namespace

protocol::Result<SelectorRef> Selector::parse(std::string_view text, const SelectorLimits& limits) {
    auto program = SelectorParser(text, limits).parse();
    if (!program) { return program.error(); }
    return SelectorRef(std::make_shared<const Selector>(Private{}, text, std::move(*program)));
}

Selector::Selector(Private, std::string_view text, SelectorProgram program)
    : text_(text), program_(std::move(program)), equality_(equality_of(program_)) {}

bool Selector::selects(const MessageHeaders& headers) const {
    if (!equality_) { return evaluate(program_, headers) == Truth::yes; }
    const auto value = headers.find(equality_->name);
    return value && *value == equality_->literal;
}

}  // namespace engine
