// Finding functions by their braces: a brace after a parameter list, outside any other function,
// opens a body. Braces of member initialisers are told from bodies by what follows them.
#include "tests/style/measures.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace style {
namespace {

/// The declarator's name: what stands before the first parenthesis.
std::string name_in(std::string_view head) {
    const std::string_view before = head.substr(0, head.find('('));
    const std::size_t last = before.find_last_not_of(" \t\n");
    const std::size_t begin = before.find_last_of(" \t\n*&", last);
    return std::string(before.substr(begin + 1, last - begin));
}

/// A class or namespace: its braces hold functions and are none. Attributes in capitals may have
/// parentheses.
bool is_scope(std::string_view head) {
    const std::size_t begin = head.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos || head.find('(') == std::string_view::npos) {
        return true;
    }
    const std::string_view word = head.substr(begin, head.find_first_of(" \t\n", begin) - begin);
    return word == "class" || word == "struct";
}

bool is_initialiser(std::string_view code, std::size_t end) {
    const std::size_t next = code.find_first_not_of(" \t\n", end);
    return next != std::string_view::npos && (code[next] == ',' || code[next] == '{');
}

void collect_functions(const File& file, std::vector<Measure>& found) {
    const std::string_view code = file.code;
    std::size_t head = 0;
    for (std::size_t at = 0; at < code.size(); ++at) {
        if (code[at] == ';' || code[at] == '}') { head = at + 1; }
        if (code[at] != '{') { continue; }
        const std::string_view declarator = code.substr(head, at - head);
        if (is_scope(declarator)) {
            head = at + 1;
            continue;
        }
        const std::size_t end = behind_closing(code, at);
        if (!is_initialiser(code, end)) {
            const std::size_t begin = code.find_first_not_of(" \t\n", head);
            const std::size_t first = line_of(code, begin);
            found.push_back(
                {file.path + ":" + std::to_string(first) + " " + name_in(declarator),
                 line_of(code, end) - first + 1}
            );
            head = end;
        }
        at = end - 1;
    }
}

std::vector<Measure> largest(std::vector<Measure> measures, std::size_t count) {
    std::ranges::stable_sort(measures, std::ranges::greater{}, &Measure::lines);
    measures.resize(std::min(count, measures.size()));
    return measures;
}

}  // namespace

std::vector<Measure> largest_files(const Tree& tree, std::size_t count) {
    std::vector<Measure> files;
    for (const File& file : tree.files) {
        if (file.is_product()) { files.push_back({file.path, lines_of(file.text).size()}); }
    }
    return largest(std::move(files), count);
}

std::vector<Measure> largest_functions(const Tree& tree, std::size_t count) {
    std::vector<Measure> functions;
    for (const File& file : tree.files) {
        if (file.is_product()) { collect_functions(file, functions); }
    }
    return largest(std::move(functions), count);
}

}  // namespace style
