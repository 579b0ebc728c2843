#include "broker/engine/selector_program.hpp"

#include <array>
#include <cassert>

namespace engine {

namespace {

using Op = SelectorNode::Op;
using Value = SelectorValue;

Value header_value(const MessageHeaders& headers, std::string_view name) {
    const auto found = headers.find(name);
    return found ? Value::of_header(*found) : Value::null();
}

Value priority(const MessageHeaders& headers) {
    return Value::of_header(headers.find("priority").value_or("4"));
}

Value delivery_mode(const MessageHeaders& headers) {
    const auto persistent = headers.find("persistent");
    const bool is_not = persistent && (*persistent == "false" || *persistent == "False");
    return Value::of_text(is_not ? "NON_PERSISTENT" : "PERSISTENT");
}

Truth negated_if(bool is_negated, Truth truth) {
    return is_negated ? negation(truth) : truth;
}

/// The stack and the place in the program.
class Run {
public:
    // The stack is written before it is read.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
    Run(const SelectorProgram& program, const MessageHeaders& headers)
        : program_(program), headers_(headers) {}

    Truth result() {
        while (at_ < program_.nodes.size()) {
            step(program_.nodes[at_++]);
        }
        assert(height_ == 1);
        return truth(stack_[0]);
    }

private:
    void step(const SelectorNode& node) {
        if (node.op <= Op::boolean) {
            push(operand(node));
        } else if (node.op <= Op::divide) {
            compute(node.op);
        } else if (node.op <= Op::greater_or_equal) {
            compare(node);
        } else if (node.op <= Op::is_null) {
            test(node);
        } else {
            combine(node);
        }
    }

    Value operand(const SelectorNode& node) const {
        switch (node.op) {
            case Op::header:
                return header_value(headers_, program_.text(node));
            case Op::priority:
                return priority(headers_);
            case Op::delivery_mode:
                return delivery_mode(headers_);
            case Op::text:
                return Value::of_text(program_.text(node));
            case Op::integer:
                return Value::of(node.integer);
            case Op::real:
                return Value::of(node.real);
            default:
                return Value::of(node.index != 0 ? Truth::yes : Truth::no);
        }
    }

    void compute(Op op) {
        if (op == Op::plus) { return push(number(pop())); }
        if (op == Op::minus) { return push(negative(pop())); }
        const Value& right = pop();
        const Value& left = pop();
        switch (op) {
            case Op::add:
                return push(sum(left, right));
            case Op::subtract:
                return push(difference(left, right));
            case Op::multiply:
                return push(product(left, right));
            default:
                return push(quotient(left, right));
        }
    }

    void compare(const SelectorNode& node) {
        const Value& right = pop();
        const Value& left = pop();
        switch (node.op) {
            case Op::equal:
                return push(negated_if(node.is_negated, equal(left, right)));
            case Op::less:
                return push(less(left, right));
            case Op::less_or_equal:
                return push(less_or_equal(left, right));
            case Op::greater:
                return push(less(right, left));
            default:
                return push(less_or_equal(right, left));
        }
    }

    void test(const SelectorNode& node) { push(negated_if(node.is_negated, tested(node))); }

    Truth tested(const SelectorNode& node) {
        const Value& value = pop();
        switch (node.op) {
            case Op::between:
                return is_between(value);
            case Op::in:
                return is_in(value, node.size);
            case Op::like:
                return is_like(value, program_.patterns[node.index]);
            default:
                return value.is_null() ? Truth::yes : Truth::no;
        }
    }

    Truth is_between(const Value& high) {
        const Value& low = pop();
        const Value& value = pop();
        return both(less_or_equal(low, value), less_or_equal(value, high));
    }

    Truth is_in(const Value& value, std::size_t count) {
        Truth found = Truth::no;
        for (const std::size_t end = at_ + count; at_ < end; ++at_) {
            found = either(found, equal(value, operand(program_.nodes[at_])));
        }
        return found;
    }

    static Truth is_like(const Value& value, const LikePattern& pattern) {
        if (!value.is_text()) { return Truth::unknown; }
        return pattern.matches(value.text()) ? Truth::yes : Truth::no;
    }

    void combine(const SelectorNode& node) {
        const Truth last = truth(pop());
        switch (node.op) {
            case Op::logical_not:
                return push(negation(last));
            case Op::logical_and:
                return push(both(truth(pop()), last));
            case Op::logical_or:
                return push(either(truth(pop()), last));
            default:
                break;
        }
        push(last);
        const Truth deciding = node.op == Op::skip_if_no ? Truth::no : Truth::yes;
        if (last == deciding) { at_ = node.index; }
    }

    void push(const Value& value) { stack_[height_++] = value; }

    void push(Truth truth) { push(Value::of(truth)); }

    // Stays until the next push: operands are not copied.
    const Value& pop() { return stack_[--height_]; }

    const SelectorProgram& program_;
    const MessageHeaders& headers_;
    std::size_t at_ = 0;
    std::size_t height_ = 0;
    std::array<Value, SelectorProgram::nodes_max> stack_;
};

}  // namespace

Truth evaluate(const SelectorProgram& program, const MessageHeaders& headers) {
    return Run(program, headers).result();
}

}  // namespace engine
