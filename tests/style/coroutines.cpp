// Lambda coroutines that capture: the captures die with the lambda, the coroutine reads them later.
// Lambdas are found by their brackets, without parsing; subscripts, attributes and bindings are
// told apart.
#include "tests/style/rules.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>

namespace style {
namespace {

/// A lambda found in code: what it captures and where its body is.
struct Lambda {
    std::size_t begin;
    std::string_view captures;
    std::size_t body;
    std::size_t end;
};

bool begins_expression(std::string_view code, std::size_t bracket) {
    const std::size_t last = code.find_last_not_of(" \t\n", bracket == 0 ? 0 : bracket - 1);
    if (bracket == 0 || last == std::string_view::npos) { return true; }
    if (code[last] == ')' || code[last] == ']' || code[last] == '[') { return false; }
    if (!is_word(code[last])) { return true; }
    const std::size_t before = code.find_last_of(" \t\n(){};,", last);
    const std::string_view word = code.substr(before + 1, last - before);
    static const std::set<std::string_view> openers = {
        "return", "co_return", "co_await", "co_yield"};
    return openers.contains(word);
}

/// The lambda whose introducer is the bracket at `open`, if it is one.
bool parse_lambda(std::string_view code, std::size_t open, Lambda& lambda) {
    if (code.substr(open).starts_with("[[") || !begins_expression(code, open)) { return false; }
    std::size_t at = behind_closing(code, open);
    lambda.begin = open;
    lambda.captures = code.substr(open + 1, at - open - 2);
    while (at < code.size() && code[at] != '{') {
        static constexpr std::string_view ends = ";=]),?";
        if (ends.find(code[at]) != std::string_view::npos) { return false; }
        at = code[at] == '(' ? behind_closing(code, at) : at + 1;
    }
    if (at >= code.size()) { return false; }
    lambda.body = at;
    lambda.end = behind_closing(code, at);
    return true;
}

/// Every lambda in `code`, nested ones included.
std::vector<Lambda> lambdas_of(std::string_view code) {
    std::vector<Lambda> lambdas;
    for (std::size_t at = code.find('['); at != std::string_view::npos;
         at = code.find('[', at + 1)) {
        Lambda lambda{};
        if (parse_lambda(code, at, lambda)) { lambdas.push_back(lambda); }
    }
    return lambdas;
}

/// Whether the body is a coroutine's, its inner lambdas apart.
bool is_coroutine(std::string_view code, const Lambda& lambda) {
    std::string body(code.substr(lambda.body, lambda.end - lambda.body));
    for (const Lambda& inner : lambdas_of(body)) {
        std::fill_n(
            body.begin() + static_cast<std::ptrdiff_t>(inner.begin), inner.end - inner.begin, ' '
        );
    }
    return find_word(body, "co_await") != std::string::npos ||
           find_word(body, "co_return") != std::string::npos ||
           find_word(body, "co_yield") != std::string::npos;
}

}  // namespace

Violations check_lambda_coroutines(const Tree& tree) {
    Violations found;
    for (const File& file : tree.files) {
        if (find_word(file.code, "co_await") == std::string::npos &&
            find_word(file.code, "co_return") == std::string::npos) {
            continue;
        }
        for (const Lambda& lambda : lambdas_of(file.code)) {
            const bool captures =
                lambda.captures.find_first_not_of(" \t\n") != std::string_view::npos;
            if (captures && is_coroutine(file.code, lambda)) {
                found.push_back(place(
                    file,
                    lambda.begin,
                    "a capturing lambda dies before its coroutine: pass what it needs as parameters"
                ));
            }
        }
    }
    return found;
}

// What is given away as an argument, and a lambda that captures, are temporaries of the expression.
// A move of what is awaited itself, `co_await std::move(call)`, is none.
Violations check_awaited_temporaries(const Tree& tree) {
    constexpr std::string_view keyword = "co_await";
    Violations found;
    for (const File& file : tree.files) {
        const std::string_view code = file.code;
        for (std::size_t at = find_word(code, keyword); at != std::string::npos;
             at = code.find(keyword, at + 1)) {
            const std::size_t open = code.find_first_of("(;", at);
            if (open == std::string_view::npos || code[open] == ';') { continue; }
            const std::size_t end = behind_closing(code, open);
            const std::string_view callee = code.substr(at, open - at);
            const std::string_view arguments = code.substr(open, end - open);
            bool has_temporary = !callee.ends_with("std::move") &&
                                 arguments.find("std::move(") != std::string_view::npos;
            for (const Lambda& lambda : lambdas_of(arguments)) {
                has_temporary |= lambda.captures.find_first_not_of(" \t\n") != std::string::npos;
            }
            if (has_temporary) {
                found.push_back(place(
                    file,
                    at,
                    "g++ 12 breaks temporaries of a co_await: make the call first, then await it"
                ));
            }
        }
    }
    return found;
}

}  // namespace style
