// The source tree as data: every text file, and its code without comments and literals.
// Read once; build output, packages of other people and fuzz corpora are left out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace style {

struct File {
    std::string path;  ///< Relative to the root, with forward slashes.
    std::string text;
    std::string code;  ///< C++ only: `text` with comments and literals blanked, offsets unchanged.

    [[nodiscard]] bool is_under(std::string_view folder) const;
    [[nodiscard]] bool is_source() const;   ///< A `.cpp` file.
    [[nodiscard]] bool is_header() const;   ///< A `.hpp` file.
    [[nodiscard]] bool is_product() const;  ///< C++ of the broker itself, not of its tests.
};

struct Tree {
    std::vector<File> files;

    void add(std::string path, std::string text);
    [[nodiscard]] const File* find(std::string_view path) const;
};

/// The tree below `root`. Binary files keep their path and lose their text.
[[nodiscard]] Tree read_tree(const std::string& root);

/// Comments, strings and characters replaced by blanks; line ends stay where they are.
[[nodiscard]] std::string code_of(std::string_view text);

/// A character of identifiers.
[[nodiscard]] bool is_word(char c);

/// Where `word` stands alone in `text`, from `from` on: no identifier goes on at either end.
[[nodiscard]] std::size_t find_word(
    std::string_view text, std::string_view word, std::size_t from = 0
);

/// The position behind the bracket that closes the `(`, `[` or `{` at `open`.
[[nodiscard]] std::size_t behind_closing(std::string_view code, std::size_t open);

/// "path:line: what", as compilers say it.
[[nodiscard]] std::string place(const File& file, std::size_t offset, const std::string& what);

[[nodiscard]] std::size_t line_of(std::string_view text, std::size_t offset);

/// The lines of `text`, without their ends; `number` of the first is 1.
struct Line {
    std::size_t number;
    std::size_t offset;
    std::string_view text;
};

[[nodiscard]] std::vector<Line> lines_of(std::string_view text);

}  // namespace style
