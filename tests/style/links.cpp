// Links of Markdown files: relative ones lead to a file or folder of the tree, and to a heading of
// it. Anchors are GitHub's; what is fenced as code, or leads to another host, is not looked at.
#include "tests/style/rules.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

namespace style {
namespace {

/// The lines outside fenced blocks.
std::vector<Line> prose_of(const File& file) {
    std::vector<Line> prose;
    bool is_fenced = false;
    for (const Line& line : lines_of(file.text)) {
        const std::size_t indent = std::min(line.text.find_first_not_of(' '), line.text.size());
        const bool is_fence = line.text.substr(indent).starts_with("```");
        if (is_fence) { is_fenced = !is_fenced; }
        if (!is_fenced && !is_fence) { prose.push_back(line); }
    }
    return prose;
}

/// "## What a RECEIPT means" becomes "what-a-receipt-means".
std::string anchor_of(std::string_view heading) {
    std::string anchor;
    for (const char c : heading) {
        if (c == ' ') { anchor += '-'; }
        const bool stays = is_word(c) || c == '-' || static_cast<unsigned char>(c) >= 0x80;
        if (stays) { anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
    }
    return anchor;
}

/// The second of two equal headings has "-1" behind it.
std::set<std::string> anchors_of(const File& file) {
    std::map<std::string, int> seen;
    std::set<std::string> anchors;
    for (const Line& line : prose_of(file)) {
        const std::size_t level = line.text.find_first_not_of('#');
        if (level == 0 || level > 6 || line.text[level] != ' ') { continue; }
        const std::string anchor = anchor_of(line.text.substr(level + 1));
        const int before = seen[anchor]++;
        anchors.insert(before == 0 ? anchor : anchor + "-" + std::to_string(before));
    }
    return anchors;
}

bool is_in(const Tree& tree, const std::string& path) {
    return std::ranges::any_of(tree.files, [&](const File& file) {
        return file.path == path || file.is_under(path);
    });
}

/// What is wrong with `target` as a link of `file`, or nothing.
std::string complaint(const Tree& tree, const File& file, const std::string& target) {
    if (target.find(':') != std::string::npos) { return {}; }
    const std::size_t hash = std::min(target.find('#'), target.size());
    const auto folder = std::filesystem::path(file.path).parent_path();
    std::string path = (folder / target.substr(0, hash)).lexically_normal().generic_string();
    if (path.ends_with('/')) { path.pop_back(); }
    if (hash == 0) { path = file.path; }
    if (!is_in(tree, path)) { return target + ": there is no " + path; }
    const File* const page = tree.find(path);
    if (hash == target.size() || page == nullptr) { return {}; }
    return anchors_of(*page).contains(target.substr(hash + 1)) ? "" : target + ": no such heading";
}

}  // namespace

Violations check_links(const Tree& tree) {
    Violations found;
    for (const File& file : tree.files) {
        if (!file.path.ends_with(".md")) { continue; }
        for (const Line& line : prose_of(file)) {
            for (std::size_t at = line.text.find("]("); at != std::string_view::npos;
                 at = line.text.find("](", at + 2)) {
                const std::size_t end = line.text.find(')', at);
                const std::string target(line.text.substr(at + 2, end - at - 2));
                const std::string what = complaint(tree, file, target);
                if (!what.empty()) { found.push_back(place(file, line.offset, what)); }
            }
        }
    }
    return found;
}

}  // namespace style
