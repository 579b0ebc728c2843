// Rules and their proofs: which numbers the documents give, and which of them the tests name.
// Documents write P-FRAME-03, names of tests P_FRAME_03, in whatever language the test is written.
#include "tests/style/rules.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace style {
namespace {

/// How many characters of `text` from `at` on are of `kind`.
std::size_t run_of(std::string_view text, std::size_t at, int (*kind)(int)) {
    std::size_t end = at;
    while (end < text.size() && kind(static_cast<unsigned char>(text[end])) != 0) {
        ++end;
    }
    return end - at;
}

/// The length of the rule number at `at`, such as P-FRAME-03, or 0. Tests write it with `_`.
std::size_t rule_number_at(std::string_view text, std::size_t at, char separator) {
    static constexpr std::string_view documents = "PSDO";
    const bool begins = at == 0 || !is_word(text[at - 1]) || text[at - 1] == '_';
    if (!begins || documents.find(text[at]) == std::string_view::npos) { return 0; }
    const std::size_t group = at + 2;
    const std::size_t letters = run_of(text, group, std::isupper);
    const std::size_t number = group + letters + 1;
    if (letters == 0 || number >= text.size()) { return 0; }
    if (text[group - 1] != separator || text[number - 1] != separator) { return 0; }
    const std::size_t digits = run_of(text, number, std::isdigit);
    return digits == 0 ? 0 : number + digits - at;
}

/// Every rule number in the text, as a test writes it: P_FRAME_03.
std::set<std::string> rule_numbers_of(std::string_view text, char separator) {
    std::set<std::string> numbers;
    for (std::size_t at = text.find(separator); at != std::string_view::npos;
         at = text.find(separator, at + 1)) {
        const std::size_t length = at == 0 ? 0 : rule_number_at(text, at - 1, separator);
        if (length == 0) { continue; }
        std::string number(text.substr(at - 1, length));
        std::ranges::replace(number, separator, '_');
        numbers.insert(std::move(number));
    }
    return numbers;
}

/// Those that a test names. The style test speaks about rules without proving any.
std::set<std::string> proven_by(const Tree& tree) {
    std::set<std::string> proven;
    for (const File& file : tree.files) {
        if (!file.is_under("tests") || file.is_under("tests/style")) { continue; }
        proven.merge(rule_numbers_of(file.text, '_'));
    }
    return proven;
}

/// What is written down and not promised yet: SockJS, and the names kept for later extensions.
bool is_for_later(std::string_view rule) {
    return rule.starts_with("P_SJS_") || rule == "P_CONN_12";
}

/// The rules of `document` that no test names, but for those that `is_left_out`.
template <class IsLeftOut>
Violations unproven(const Tree& tree, std::string_view path, IsLeftOut is_left_out) {
    const File* const document = tree.find(path);
    if (document == nullptr) { return {}; }
    const std::set<std::string> proven = proven_by(tree);
    Violations found;
    for (std::string rule : rule_numbers_of(document->text, '-')) {
        if (proven.contains(rule) || is_left_out(rule)) { continue; }
        const std::string what = "no test names " + rule;
        std::ranges::replace(rule, '_', '-');
        found.push_back(place(*document, document->text.find(rule), what));
    }
    return found;
}

}  // namespace

Violations check_conformance(const Tree& tree) {
    return unproven(tree, "docs/conformance.md", [](std::string_view) { return false; });
}

Violations check_protocol(const Tree& tree) {
    return unproven(tree, "docs/protocol.md", [](std::string_view rule) {
        return !rule.starts_with("P_") || is_for_later(rule);
    });
}

}  // namespace style
