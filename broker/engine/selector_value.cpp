#include "broker/engine/selector_value.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <system_error>

namespace engine {

namespace {

using Text = std::string_view;
using Kind = SelectorValue::Kind;

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();

bool is_digit(char octet) {
    return octet >= '0' && octet <= '9';
}

std::size_t digits(Text text, std::size_t from) {
    std::size_t end = from;
    while (end < text.size() && is_digit(text[end])) {
        ++end;
    }
    return end - from;
}

/// The octets of `e5`, `E-5` or `e+5` at `from`, or 0.
std::size_t exponent_size(Text text, std::size_t from) {
    if (from == text.size() || (text[from] != 'e' && text[from] != 'E')) { return 0; }
    std::size_t at = from + 1;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) { ++at; }
    const std::size_t count = digits(text, at);
    return count == 0 ? 0 : at + count - from;
}

bool is_word(Text text, Text lower) {
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), same);
}

double as_real(const SelectorValue& number) {
    return number.kind == Kind::integer ? static_cast<double>(number.integer) : number.real;
}

Truth of(bool condition) {
    return condition ? Truth::yes : Truth::no;
}

template <class Compare>
Truth compare_numbers(const SelectorValue& a, const SelectorValue& b, Compare compare) {
    if (a.is_null() || b.is_null()) { return Truth::unknown; }
    // What is a number already is not copied.
    if (!a.is_number()) { return compare_numbers(number(a), b, compare); }
    if (!b.is_number()) { return compare_numbers(a, number(b), compare); }
    if (a.kind == Kind::integer && b.kind == Kind::integer) {
        return of(compare(a.integer, b.integer));
    }
    return of(compare(as_real(a), as_real(b)));
}

Truth compare_conditions(Truth a, Truth b) {
    if (a == Truth::unknown || b == Truth::unknown) { return Truth::unknown; }
    return of(a == b);
}

/// `exact` computes on integers and says whether it overflowed.
template <class Exact, class Rough>
SelectorValue compute(const SelectorValue& a, const SelectorValue& b, Exact exact, Rough rough) {
    const SelectorValue left = number(a);
    const SelectorValue right = number(b);
    if (left.is_null() || right.is_null()) { return SelectorValue::null(); }
    std::int64_t result = 0;
    if (left.kind == Kind::integer && right.kind == Kind::integer &&
        !exact(left.integer, right.integer, &result)) {
        return SelectorValue::of(result);
    }
    return SelectorValue::of(rough(as_real(left), as_real(right)));
}

}  // namespace

Truth negation(Truth a) {
    if (a == Truth::unknown) { return a; }
    return of(a == Truth::no);
}

Truth both(Truth a, Truth b) {
    if (a == Truth::no || b == Truth::no) { return Truth::no; }
    return a == Truth::yes && b == Truth::yes ? Truth::yes : Truth::unknown;
}

Truth either(Truth a, Truth b) {
    return negation(both(negation(a), negation(b)));
}

std::size_t number_size(std::string_view text) {
    std::size_t end = digits(text, 0);
    std::size_t count = end;
    if (end < text.size() && text[end] == '.') {
        const std::size_t behind = digits(text, end + 1);
        count += behind;
        end += 1 + behind;
    }
    return count == 0 ? 0 : end + exponent_size(text, end);
}

SelectorValue parse_number(std::string_view text) {
    const bool is_signed = !text.empty() && (text[0] == '-' || text[0] == '+');
    const Text magnitude = text.substr(is_signed ? 1 : 0);
    if (magnitude.empty() || number_size(magnitude) != magnitude.size()) {
        return SelectorValue::null();
    }
    const Text whole = text.substr(text[0] == '+' ? 1 : 0);  // from_chars() knows no plus.
    const char* const end = whole.data() + whole.size();
    if (digits(magnitude, 0) == magnitude.size()) {
        std::int64_t integer = 0;
        const auto exact = std::from_chars(whole.data(), end, integer);
        if (exact.ec == std::errc()) { return SelectorValue::of(integer); }
    }
    double real = 0;
    const auto rough = std::from_chars(whole.data(), end, real);
    if (rough.ec != std::errc() || rough.ptr != end) { return SelectorValue::null(); }
    return SelectorValue::of(real);
}

Truth truth(const SelectorValue& value) {
    if (value.kind == Kind::boolean) { return of(value.boolean); }
    if (value.kind != Kind::header) { return Truth::unknown; }
    if (is_word(value.text(), "true")) { return Truth::yes; }
    return is_word(value.text(), "false") ? Truth::no : Truth::unknown;
}

SelectorValue number(const SelectorValue& value) {
    if (value.is_number()) { return value; }
    return value.kind == Kind::header ? parse_number(value.text()) : SelectorValue::null();
}

Truth equal(const SelectorValue& a, const SelectorValue& b) {
    if (a.is_null() || b.is_null()) { return Truth::unknown; }
    if (a.is_text() && b.is_text()) { return of(a.text() == b.text()); }
    if (a.is_number() || b.is_number()) { return compare_numbers(a, b, std::equal_to<>()); }
    return compare_conditions(truth(a), truth(b));
}

Truth less(const SelectorValue& a, const SelectorValue& b) {
    return compare_numbers(a, b, std::less<>());
}

Truth less_or_equal(const SelectorValue& a, const SelectorValue& b) {
    return compare_numbers(a, b, std::less_equal<>());
}

SelectorValue sum(const SelectorValue& a, const SelectorValue& b) {
    const auto exact = [](std::int64_t x, std::int64_t y, std::int64_t* result) {
        return __builtin_add_overflow(x, y, result);
    };
    return compute(a, b, exact, std::plus<>());
}

SelectorValue difference(const SelectorValue& a, const SelectorValue& b) {
    const auto exact = [](std::int64_t x, std::int64_t y, std::int64_t* result) {
        return __builtin_sub_overflow(x, y, result);
    };
    return compute(a, b, exact, std::minus<>());
}

SelectorValue product(const SelectorValue& a, const SelectorValue& b) {
    const auto exact = [](std::int64_t x, std::int64_t y, std::int64_t* result) {
        return __builtin_mul_overflow(x, y, result);
    };
    return compute(a, b, exact, std::multiplies<>());
}

SelectorValue quotient(const SelectorValue& a, const SelectorValue& b) {
    const SelectorValue divisor = number(b);
    if (divisor.is_null() || as_real(divisor) == 0) { return SelectorValue::null(); }
    const auto exact = [](std::int64_t x, std::int64_t y, std::int64_t* result) {
        if (x == lowest && y == -1) { return true; }
        *result = x / y;
        return false;
    };
    return compute(a, divisor, exact, std::divides<>());
}

SelectorValue negative(const SelectorValue& a) {
    const SelectorValue value = number(a);
    if (value.kind == Kind::real) { return SelectorValue::of(-value.real); }
    return difference(SelectorValue::of(std::int64_t{0}), value);
}

}  // namespace engine
