// Rules and their proofs: which numbers the documents give, and which of them tests have in their
// names. Documents write P-FRAME-03, names of tests P_FRAME_03, in C++, Python and JavaScript.
#include "tests/style/rules.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>
#include <vector>

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

/// The identifier at `at`.
std::string_view word_at(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) {
        ++end;
    }
    return text.substr(at, end - at);
}

/// TEST(Suite, NAME) and its kin, outside comments and literals. A disabled test proves nothing.
void add_googletest_names(std::string_view code, std::set<std::string>& names) {
    for (const std::string_view macro :
         {"TEST", "TEST_F", "TEST_P", "TYPED_TEST", "TYPED_TEST_P"}) {
        for (std::size_t at = find_word(code, macro); at != std::string_view::npos;
             at = find_word(code, macro, at + 1)) {
            const std::size_t comma = code.find(',', at);
            if (comma == std::string_view::npos) { break; }
            const std::size_t begin = code.find_first_not_of(" \n", comma + 1);
            if (begin == std::string_view::npos) { break; }
            const std::string_view name = word_at(code, begin);
            if (!name.starts_with("DISABLED_")) { names.emplace(name); }
        }
    }
}

/// A line `def test_NAME(`, or `setattr(cls, "test_NAME__` of the tests made from a table.
void add_python_name(std::string_view line, std::set<std::string>& names) {
    for (const std::string_view opening : {"def test_", "setattr(cls, \"test_"}) {
        if (line.starts_with(opening)) {
            const std::string_view name = word_at(line, opening.size());
            names.emplace(opening.starts_with("def") ? name : name.substr(0, name.find("__")));
        }
    }
}

/// A line `test('words ...'`: each word is a name.
void add_javascript_names(std::string_view line, std::set<std::string>& names) {
    if (line.starts_with("await t.")) { line.remove_prefix(8); }
    if (!line.starts_with("test(") || line.size() < 7) { return; }
    const std::size_t end = line.find(line[5], 6);
    for (std::size_t at = 6; at < std::min(end, line.size()); ++at) {
        const std::string_view word = word_at(line, at);
        if (!word.empty()) { names.emplace(word); }
        at += word.size();
    }
}

/// The names of all tests: not what comments, tables and messages mention, and nothing of the style
/// test, which speaks about rules without proving any.
std::set<std::string> names_of_tests(const Tree& tree) {
    std::set<std::string> names;
    for (const File& file : tree.files) {
        if (!file.is_under("tests") || file.is_under("tests/style")) { continue; }
        if (file.is_source()) { add_googletest_names(file.code, names); }
        for (const Line& line : lines_of(file.text)) {
            std::string_view text = line.text;
            text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
            if (file.path.ends_with(".py")) { add_python_name(text, names); }
            if (file.path.ends_with(".mjs")) { add_javascript_names(text, names); }
        }
    }
    return names;
}

/// The rules that names of tests carry.
std::set<std::string> proven_by(const Tree& tree) {
    std::set<std::string> proven;
    for (const std::string& name : names_of_tests(tree)) {
        proven.merge(rule_numbers_of(name, '_'));
    }
    return proven;
}

/// What is written down and not promised yet: SockJS, and the names kept for later extensions.
bool is_for_later(std::string_view rule) {
    return rule.starts_with("P_SJS_") || rule == "P_CONN_12";
}

/// The rules of the document up to `end` that no test names, but for those that `is_left_out`.
template <class IsLeftOut>
Violations unproven(
    const Tree& tree, std::string_view path, IsLeftOut is_left_out, std::string_view end = {}
) {
    const File* const document = tree.find(path);
    if (document == nullptr) { return {}; }
    const std::string_view text = document->text;
    const std::set<std::string> proven = proven_by(tree);
    Violations found;
    for (std::string rule :
         rule_numbers_of(end.empty() ? text : text.substr(0, text.find(end)), '-')) {
        if (proven.contains(rule) || is_left_out(rule)) { continue; }
        const std::string what = "no test names " + rule;
        std::ranges::replace(rule, '_', '-');
        found.push_back(place(*document, document->text.find(rule), what));
    }
    return found;
}

/// What stands between backticks.
std::vector<std::string_view> quoted_in(std::string_view text) {
    std::vector<std::string_view> quoted;
    for (std::size_t at = text.find('`'); at != std::string_view::npos; at = text.find('`', at)) {
        const std::size_t end = text.find('`', at + 1);
        if (end == std::string_view::npos) { break; }
        quoted.push_back(text.substr(at + 1, end - at - 1));
        at = end + 1;
    }
    return quoted;
}

/// The first number of a row, such as CVE-2018-1270, as tests write it. Empty: there is none.
std::string vulnerability_of(std::string_view row) {
    const std::size_t at = row.find("CVE-");
    if (at != std::string_view::npos) {
        constexpr std::size_t year = 9;  // "CVE-2018-"
        if (row.size() < at + year) { return {}; }
        std::string number(row.substr(at, year + run_of(row, at + year, std::isdigit)));
        std::ranges::replace(number, '-', '_');
        return number;
    }
    return {};
}

/// What is wrong with a row `| references | what we do | tests |`; empty: nothing.
std::string fault_of_row(const std::set<std::string>& tests_there, std::string_view row) {
    const std::size_t last = row.rfind('|', row.rfind('|') - 1);
    const std::string_view tests = row.substr(last + 1);
    if (tests.starts_with(" n/a")) { return {}; }
    const std::vector<std::string_view> names = quoted_in(tests);
    if (names.empty()) { return "this row names no test"; }
    for (const std::string_view name : names) {
        if (!tests_there.contains(std::string(name))) {
            return "no test is called " + std::string(name);
        }
    }
    const std::string number = vulnerability_of(row.substr(0, row.find('|', 1)));
    const bool is_found = number.empty() || std::ranges::any_of(names, [&number](auto name) {
                              return name.find(number) != std::string_view::npos;
                          });
    return is_found ? std::string() : "no test of this row has " + number + " in its name";
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

Violations check_security(const Tree& tree) {
    return unproven(
        tree,
        "docs/security.md",
        [](std::string_view rule) { return !rule.starts_with("S_"); },
        "## Not built yet"
    );
}

Violations check_vulnerabilities(const Tree& tree) {
    const File* const document = tree.find("docs/cve.md");
    if (document == nullptr) { return {}; }
    const std::set<std::string> tests_there = names_of_tests(tree);
    Violations found;
    for (const Line& line : lines_of(document->text)) {
        const bool is_row = line.text.starts_with("| ") && line.text.ends_with(" |") &&
                            !line.text.starts_with("| Seen in");
        if (!is_row) { continue; }
        const std::string fault = fault_of_row(tests_there, line.text);
        if (!fault.empty()) { found.push_back(place(*document, line.offset, fault)); }
    }
    return found;
}

}  // namespace style
