// Reading the tree and blanking what is not code.
// A small lexer, not a parser: enough for comments, strings, raw strings and digit separators.
#include "tests/style/tree.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

namespace style {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t text_bytes_max = 4 * 1024 * 1024;

bool is_skipped(const std::string& name) {
    static const std::set<std::string> others = {
        ".git", ".cache", "node_modules", "corpus", "__pycache__", ".venv"};
    return others.contains(name);
}

std::string read_text(const fs::path& path) {
    if (fs::file_size(path) > text_bytes_max) { return {}; }
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    return text.find('\0') == std::string::npos ? text : std::string{};
}

/// One pass over a text that copies code and blanks the rest.
class Blanker {
public:
    explicit Blanker(std::string_view text) : text_(text), code_(text) {}

    std::string run() {
        while (at_ < text_.size()) {
            step();
        }
        return std::move(code_);
    }

private:
    void step() {
        if (starts("//")) { return blank_until("\n", 2); }
        if (starts("/*")) { return blank_until("*/", 2); }
        if (starts("R\"") && (at_ == 0 || !is_word(text_[at_ - 1]))) { return blank_raw_string(); }
        if (text_[at_] == '"') { return blank_quoted('"'); }
        if (text_[at_] == '\'' && (at_ == 0 || !is_word(text_[at_ - 1]))) {
            return blank_quoted('\'');
        }
        ++at_;
    }

    bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }

    void blank_to(std::size_t end) {
        for (; at_ < std::min(end, text_.size()); ++at_) {
            if (text_[at_] != '\n') { code_[at_] = ' '; }
        }
    }

    void blank_until(std::string_view close, std::size_t from) {
        const std::size_t found = text_.find(close, at_ + from);
        blank_to(found == std::string_view::npos ? text_.size() : found + close.size());
    }

    void blank_raw_string() {
        const std::size_t open = text_.find('(', at_);
        if (open == std::string_view::npos) { return blank_to(text_.size()); }
        const std::string close = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
        blank_until(close, open - at_);
    }

    void blank_quoted(char quote) {
        std::size_t end = at_ + 1;
        while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
            end += text_[end] == '\\' ? 2U : 1U;
        }
        blank_to(end + 1);
    }

    std::string_view text_;
    std::string code_;
    std::size_t at_ = 0;
};

}  // namespace

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool File::is_under(std::string_view folder) const {
    return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

bool File::is_source() const {
    return path.ends_with(".cpp");
}

bool File::is_header() const {
    return path.ends_with(".hpp");
}

bool File::is_product() const {
    return (is_source() || is_header()) &&
           (is_under("protocol") || is_under("storage") || is_under("broker"));
}

void Tree::add(std::string path, std::string text) {
    File file{std::move(path), std::move(text), {}};
    if (file.is_source() || file.is_header()) { file.code = code_of(file.text); }
    files.push_back(std::move(file));
}

const File* Tree::find(std::string_view path) const {
    const auto it = std::ranges::find(files, path, &File::path);
    return it == files.end() ? nullptr : &*it;
}

Tree read_tree(const std::string& root) {
    Tree tree;
    const fs::path base(root);
    for (auto it = fs::recursive_directory_iterator(base); it != fs::end(it); ++it) {
        const fs::path relative = it->path().lexically_relative(base);
        if (is_skipped(relative.filename().string()) || relative == fs::path("build")) {
            it.disable_recursion_pending();
        } else if (it->is_regular_file()) {
            tree.add(relative.generic_string(), read_text(it->path()));
        }
    }
    std::ranges::sort(tree.files, {}, &File::path);
    return tree;
}

std::string code_of(std::string_view text) {
    return Blanker(text).run();
}

std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
    for (std::size_t at = text.find(word, from); at != std::string_view::npos;
         at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        const bool begins = at == 0 || !is_word(word.front()) || !is_word(text[at - 1]);
        const bool ends = end == text.size() || !is_word(word.back()) || !is_word(text[end]);
        if (begins && ends) { return at; }
    }
    return std::string_view::npos;
}

std::size_t behind_closing(std::string_view code, std::size_t open) {
    const char opens = code[open];
    const char closes = opens == '(' ? ')' : opens == '[' ? ']' : '}';
    std::size_t depth = 0;
    for (std::size_t at = open; at < code.size(); ++at) {
        if (code[at] == opens) { ++depth; }
        if (code[at] == closes && --depth == 0) { return at + 1; }
    }
    return code.size();
}

std::string place(const File& file, std::size_t offset, const std::string& what) {
    return file.path + ":" + std::to_string(line_of(file.text, offset)) + ": " + what;
}

std::size_t line_of(std::string_view text, std::size_t offset) {
    return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

std::vector<Line> lines_of(std::string_view text) {
    std::vector<Line> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back({lines.size() + 1, begin, text.substr(begin, end - begin)});
        begin = end + 1;
    }
    return lines;
}

}  // namespace style
