#include "broker/engine/selector_parser.hpp"

#include "broker/engine/selector_lexer.hpp"

#include <algorithm>
#include <cassert>
#include <optional>
#include <string>
#include <utility>

namespace engine {

namespace {

using Kind = SelectorToken::Kind;
using Op = SelectorNode::Op;
using Text = std::string_view;

// How tightly operators bind.
enum class Strength { none, logical_or, logical_and, logical_not, comparison, sum, product, sign };

// What is known of an operand before there is a message; a header may become anything.
enum class Type { any, condition, number, text };

struct Operand {
    Type type;
    std::size_t at;
};

using Parsed = std::optional<Operand>;

constexpr Text grammar_remedy =
    "Write conditions such as name = 'text' or number > 5, joined with AND, OR and NOT.";
constexpr Text word_remedy =
    "This word is SQL's own: put it in double quotes if it is the name of a header, in single "
    "quotes if it is a text.";
constexpr Text type_remedy =
    "Compare alike: texts in quotes with = and <>, numbers without quotes, conditions with AND, OR "
    "and NOT.";

Strength strength_of(Kind kind) {
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

Op op_of(Kind kind) {
    switch (kind) {
        case Kind::plus:
            return Op::add;
        case Kind::minus:
            return Op::subtract;
        case Kind::times:
            return Op::multiply;
        case Kind::divide:
            return Op::divide;
        case Kind::less:
            return Op::less;
        case Kind::less_or_equal:
            return Op::less_or_equal;
        case Kind::greater:
            return Op::greater;
        case Kind::greater_or_equal:
            return Op::greater_or_equal;
        default:
            return Op::equal;
    }
}

/// The STOMP header that a JMS name means (P-SEL-02).
Text stomp_name(Text name) {
    if (name == "JMSTimestamp") { return "timestamp"; }
    if (name == "JMSCorrelationID") { return "correlation-id"; }
    return name == "JMSType" ? Text("type") : name;
}

bool is_literal(Kind kind) {
    return kind == Kind::text || kind == Kind::number || kind == Kind::word_true ||
           kind == Kind::word_false;
}

SelectorNode node_of(Op op) {
    SelectorNode node{};
    node.op = op;
    return node;
}

SelectorLimits bounded(const SelectorLimits& limits) {
    return {
        std::min(limits.bytes_max, selector_limits_max.bytes_max),
        std::min(limits.nodes_max, selector_limits_max.nodes_max),
        std::min(limits.depth_max, selector_limits_max.depth_max)};
}

class Parser {
public:
    Parser(Text selector, const SelectorLimits& limits)
        : selector_(selector), limits_(bounded(limits)), lexer_(selector) {}

    protocol::Result<SelectorProgram> parse() {
        if (selector_.size() > limits_.bytes_max) {
            fail(
                limits_.bytes_max,
                "it is longer than " + std::to_string(limits_.bytes_max) + " octets",
                "Shorten the selector, or subscribe more than once."
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

private:
    struct Problem {
        std::size_t at;
        std::string what;
        Text remedy;
    };

    // --- The grammar ---

    void parse_whole() {
        if (problem_) { return; }
        const Parsed whole = expression(Strength::logical_or);
        if (!whole) { return; }
        if (token_.kind != Kind::end) { return unexpected("an operator or the end"); }
        require(*whole, Type::condition, "the selector as a whole must be a condition");
    }

    /// Operators that bind at least as tightly as `least`, and what they join.
    Parsed expression(Strength least) {
        Parsed left = operand(least);
        while (left && !problem_) {
            const Strength strength = strength_of(token_.kind);
            if (strength == Strength::none || strength < least) { break; }
            left = infix(*left, strength);
        }
        return problem_ ? std::nullopt : left;
    }

    Parsed infix(const Operand& left, Strength strength) {
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

    Parsed junction(const Operand& left, Op op, Op skip, Strength right_strength) {
        take_node();
        require(left, Type::condition, "AND and OR join conditions");
        const std::size_t skip_index = program_.nodes.size();
        program_.nodes.push_back(node_of(skip));
        const Parsed right = expression(right_strength);
        if (!right) { return right; }
        require(*right, Type::condition, "AND and OR join conditions");
        add(node_of(op));
        program_.nodes[skip_index].index = static_cast<std::uint32_t>(program_.nodes.size());
        return Operand{Type::condition, left.at};
    }

    Parsed arithmetic(const Operand& left, Strength right_strength) {
        const Kind op = take_node().kind;
        require(left, Type::number, "arithmetic needs numbers");
        const Parsed right = expression(right_strength);
        if (!right) { return right; }
        require(*right, Type::number, "arithmetic needs numbers");
        add(node_of(op_of(op)));
        return Operand{Type::number, left.at};
    }

    /// In SQL a comparison is no operand of the next one.
    Parsed only_comparison(const Parsed& done) {
        if (done && strength_of(token_.kind) == Strength::comparison) {
            fail(
                token_.at,
                "a comparison follows a comparison",
                "Join comparisons with AND, or put the first one in parentheses."
            );
        }
        return done;
    }

    Parsed comparison(const Operand& left) {
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

    Parsed relation(const Operand& left) {
        const Kind op = take_node().kind;
        const Parsed right = expression(Strength::sum);
        if (!right) { return right; }
        SelectorNode node = node_of(op_of(op));
        node.is_negated = op == Kind::not_equal;
        if (node.op == Op::equal) {
            require_alike(left, *right);
        } else {
            require(left, Type::number, ordering);
            require(*right, Type::number, ordering);
        }
        return test(node, left);
    }

    Parsed between(const Operand& left, bool is_negated) {
        take_node();
        const Parsed low = expression(Strength::sum);
        if (!low || !expect(Kind::word_and, "AND")) { return std::nullopt; }
        const Parsed high = expression(Strength::sum);
        if (!high) { return high; }
        require(left, Type::number, ordering);
        require(*low, Type::number, ordering);
        require(*high, Type::number, ordering);
        SelectorNode node = node_of(Op::between);
        node.is_negated = is_negated;
        return test(node, left);
    }

    Parsed in(const Operand& left, bool is_negated) {
        take_node();
        if (!expect(Kind::left_parenthesis, "( and a list of literals")) { return std::nullopt; }
        const std::size_t index = program_.nodes.size();
        SelectorNode node = node_of(Op::in);
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

    Parsed signed_literal() {
        const bool is_minus = token_.kind == Kind::minus;
        if (is_minus || token_.kind == Kind::plus) {
            take();
            if (token_.kind != Kind::number) { return unexpected_operand("a number"); }
        }
        if (!is_literal(token_.kind)) { return unexpected_operand("a literal"); }
        return literal(is_minus);
    }

    Parsed like(const Operand& left, bool is_negated) {
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
        SelectorNode node = node_of(Op::like);
        node.is_negated = is_negated;
        node.index = static_cast<std::uint32_t>(program_.patterns.size() - 1);
        return problem_ ? std::nullopt : test(node, left);
    }

    std::string escape_character(const SelectorToken& token) {
        std::string character = undoubled(token.text, '\'');
        Text rest = character;
        if (!rest.empty()) { static_cast<void>(take_character(rest)); }
        if (character.empty() || !rest.empty()) {
            fail(token.at, "ESCAPE takes exactly one character", "Write for example ESCAPE '\\'.");
        }
        return character;
    }

    void add_pattern(const SelectorToken& pattern, const std::optional<std::string>& escape) {
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

    Parsed is_null(const Operand& left) {
        take_node();
        SelectorNode node = node_of(Op::is_null);
        node.is_negated = accept(Kind::word_not);
        if (!expect(Kind::word_null, node.is_negated ? "NULL" : "NULL or NOT NULL")) {
            return std::nullopt;
        }
        return test(node, left);
    }

    Parsed operand(Strength least) {
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

    Parsed parentheses() {
        const std::size_t at = take().at;
        Parsed inside = deeper(at, Strength::logical_or);
        if (!inside || !expect(Kind::right_parenthesis, ")")) { return std::nullopt; }
        inside->at = at;
        return inside;
    }

    Parsed negation(Strength least) {
        if (least > Strength::logical_not) { return unexpected_operand("a value"); }
        const std::size_t at = take_node().at;
        const Parsed inside = deeper(at, Strength::logical_not);
        if (!inside) { return inside; }
        require(*inside, Type::condition, "NOT needs a condition");
        add(node_of(Op::logical_not));
        return Operand{Type::condition, at};
    }

    Parsed sign() {
        const SelectorToken op = take();
        const bool is_minus = op.kind == Kind::minus;
        if (token_.kind == Kind::number) { return literal(is_minus); }
        count_node(op.at);
        const Parsed inside = deeper(op.at, Strength::sign);
        if (!inside) { return inside; }
        require(*inside, Type::number, "arithmetic needs numbers");
        add(node_of(is_minus ? Op::minus : Op::plus));
        return Operand{Type::number, op.at};
    }

    Parsed deeper(std::size_t at, Strength least) {
        if (depth_ == limits_.depth_max) {
            fail(
                at,
                "it is nested more than " + std::to_string(limits_.depth_max) + " deep",
                "Use fewer parentheses, NOTs and signs around one another."
            );
            return std::nullopt;
        }
        ++depth_;
        const Parsed inside = expression(least);
        --depth_;
        return inside;
    }

    Parsed name() {
        const SelectorToken token = take_node();
        const std::string written =
            token.kind == Kind::quoted_name ? undoubled(token.text, '"') : std::string(token.text);
        if (written == "JMSPriority") {
            add(node_of(Op::priority));
            return Operand{Type::any, token.at};
        }
        if (written == "JMSDeliveryMode") {
            add(node_of(Op::delivery_mode));
            return Operand{Type::text, token.at};
        }
        add_text(Op::header, stomp_name(written));
        return Operand{Type::any, token.at};
    }

    Parsed literal(bool is_minus) {
        const SelectorToken token = take_node();
        if (token.kind == Kind::text) {
            add_text(Op::text, undoubled(token.text, '\''));
            return Operand{Type::text, token.at};
        }
        if (token.kind == Kind::number) { return number_literal(token, is_minus); }
        SelectorNode node = node_of(Op::boolean);
        node.index = token.kind == Kind::word_true ? 1 : 0;
        add(node);
        return Operand{Type::condition, token.at};
    }

    Parsed number_literal(const SelectorToken& token, bool is_minus) {
        const SelectorValue magnitude = parse_number(token.text);
        if (magnitude.is_null()) {
            fail(token.at, "the number is out of range", "Use numbers that a double can hold.");
            return std::nullopt;
        }
        const SelectorValue value = is_minus ? negative(magnitude) : magnitude;
        const bool is_integer = value.kind == SelectorValue::Kind::integer;
        SelectorNode node = node_of(is_integer ? Op::integer : Op::real);
        if (is_integer) {
            node.integer = value.integer;
        } else {
            node.real = value.real;
        }
        add(node);
        return Operand{Type::number, token.at};
    }

    // --- The program ---

    void count_node(std::size_t at) {
        if (++node_count_ <= limits_.nodes_max) { return; }
        fail(
            at,
            "it has more than " + std::to_string(limits_.nodes_max) +
                " names, literals and operators",
            "Shorten the selector, or subscribe more than once."
        );
    }

    void add(const SelectorNode& node) { program_.nodes.push_back(node); }

    void add_text(Op op, Text text) {
        SelectorNode node = node_of(op);
        node.index = static_cast<std::uint32_t>(program_.characters.size());
        node.size = static_cast<std::uint16_t>(text.size());
        program_.characters += text;
        add(node);
    }

    Parsed test(const SelectorNode& node, const Operand& left) {
        add(node);
        return Operand{Type::condition, left.at};
    }

    // --- Tokens and refusals ---

    void advance() { token_ = lexer_.next(); }

    SelectorToken take() {
        const SelectorToken taken = token_;
        advance();
        return taken;
    }

    /// Takes a name, literal or operator, which count against the limit as they are read.
    SelectorToken take_node() {
        count_node(token_.at);
        return take();
    }

    bool accept(Kind kind) {
        if (token_.kind != kind) { return false; }
        advance();
        return true;
    }

    bool expect(Kind kind, Text name) {
        if (accept(kind)) { return true; }
        unexpected(name);
        return false;
    }

    Parsed unexpected_operand(Text expected) {
        unexpected(expected);
        return std::nullopt;
    }

    void unexpected(Text expected) {
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

    void require(const Operand& operand, Type type, Text what) {
        if (operand.type == Type::any || operand.type == type) { return; }
        fail(operand.at, std::string(what), type_remedy);
    }

    void require_alike(const Operand& left, const Operand& right) {
        if (left.type == Type::any) { return; }
        require(right, left.type, "what is compared is not alike");
    }

    /// Only the first problem is told.
    void fail(std::size_t at, std::string what, Text remedy) {
        if (!problem_) { problem_ = Problem{at, std::move(what), remedy}; }
    }

    protocol::Error error() const {
        const Text before = selector_.substr(0, problem_->at);
        const auto characters = std::count_if(before.begin(), before.end(), [](char octet) {
            return (static_cast<unsigned char>(octet) & 0xC0U) != 0x80;
        });
        return {
            protocol::ErrorCode::bad_selector,
            "The selector is wrong at column " + std::to_string(characters + 1) + ": " +
                problem_->what + ". It reads: " + protocol::quoted(selector_),
            std::string(problem_->remedy),
            "P-SEL-04"};
    }

    static constexpr Text ordering = "<, >, <=, >= and BETWEEN compare numbers only";

    const Text selector_;
    const SelectorLimits limits_;
    SelectorLexer lexer_;
    SelectorToken token_;
    SelectorProgram program_;
    std::size_t node_count_ = 0;
    std::size_t depth_ = 0;
    std::optional<Problem> problem_;
};

}  // namespace

protocol::Result<SelectorProgram> parse_selector(
    std::string_view text, const SelectorLimits& limits
) {
    return Parser(text, limits).parse();
}

}  // namespace engine
