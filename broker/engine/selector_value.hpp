// Values and three-valued logic of selectors (P-SEL-03): comparison, arithmetic, conversion.
// Pure; nothing allocates, throws or knows a locale. Text is referred to, never owned.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace engine {

/// What a condition is in SQL.
enum class Truth : std::uint8_t { no, yes, unknown };

[[nodiscard]] Truth negation(Truth a);
[[nodiscard]] Truth both(Truth a, Truth b);
[[nodiscard]] Truth either(Truth a, Truth b);

/// A header's value is text that becomes a number or a boolean where the other operand is one; a
/// literal's text never does. Trivial, so that an unused stack of them costs nothing.
struct SelectorValue {
    enum class Kind : std::uint8_t { null, boolean, integer, real, text, header };

    struct Characters {
        const char* data;
        std::size_t size;
    };

    Kind kind;

    union {
        bool boolean;
        std::int64_t integer;
        double real;
        Characters characters;
    };

    [[nodiscard]] static SelectorValue null() { return {Kind::null, {}}; }

    [[nodiscard]] static SelectorValue of(Truth truth) {
        SelectorValue value{truth == Truth::unknown ? Kind::null : Kind::boolean, {}};
        value.boolean = truth == Truth::yes;
        return value;
    }

    [[nodiscard]] static SelectorValue of(std::int64_t number) {
        SelectorValue value{Kind::integer, {}};
        value.integer = number;
        return value;
    }

    /// NULL for what is not finite.
    [[nodiscard]] static SelectorValue of(double number) {
        SelectorValue value{std::isfinite(number) ? Kind::real : Kind::null, {}};
        value.real = number;
        return value;
    }

    [[nodiscard]] static SelectorValue of_text(std::string_view text) {
        SelectorValue value{Kind::text, {}};
        value.characters = {text.data(), text.size()};
        return value;
    }

    [[nodiscard]] static SelectorValue of_header(std::string_view text) {
        SelectorValue value{Kind::header, {}};
        value.characters = {text.data(), text.size()};
        return value;
    }

    [[nodiscard]] bool is_null() const { return kind == Kind::null; }

    [[nodiscard]] bool is_number() const { return kind == Kind::integer || kind == Kind::real; }

    [[nodiscard]] bool is_text() const { return kind == Kind::text || kind == Kind::header; }

    /// Only if is_text().
    [[nodiscard]] std::string_view text() const { return {characters.data, characters.size}; }
};

/// Octets of the unsigned number that `text` begins with: `7`, `7.5`, `7.`, `.5`, any of them with
/// an exponent; 0 if it begins with none.
[[nodiscard]] std::size_t number_size(std::string_view text);

/// All of `text` as a number, with at most one sign and nothing around it; else NULL. Integers
/// beyond 64 bits become doubles; what a double cannot hold is NULL.
[[nodiscard]] SelectorValue parse_number(std::string_view text);

/// The value as a condition; a header is TRUE or FALSE if it says `true` or `false` in any case.
[[nodiscard]] Truth truth(const SelectorValue& value);

/// The value as a number, or NULL.
[[nodiscard]] SelectorValue number(const SelectorValue& value);

/// `=`. Compares as numbers if one operand is a number, as booleans if one is a boolean, else
/// octet by octet.
[[nodiscard]] Truth equal(const SelectorValue& a, const SelectorValue& b);

/// `<` and `<=`, always of numbers; integers are compared as such, mixed pairs as doubles.
[[nodiscard]] Truth less(const SelectorValue& a, const SelectorValue& b);
[[nodiscard]] Truth less_or_equal(const SelectorValue& a, const SelectorValue& b);

/// Java's promotion, as JMS asks: two integers give an integer (5 / 2 is 2), else a double. An
/// integer overflow gives a double; division by zero and what is not finite give NULL.
[[nodiscard]] SelectorValue sum(const SelectorValue& a, const SelectorValue& b);
[[nodiscard]] SelectorValue difference(const SelectorValue& a, const SelectorValue& b);
[[nodiscard]] SelectorValue product(const SelectorValue& a, const SelectorValue& b);
[[nodiscard]] SelectorValue quotient(const SelectorValue& a, const SelectorValue& b);
[[nodiscard]] SelectorValue negative(const SelectorValue& a);

}  // namespace engine
