// Lengths of files and functions, for the eye: nothing fails because of them.
// Functions are found by their braces, without parsing; close enough for a list of the longest.
#pragma once

#include "tests/style/tree.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace style {

struct Measure {
    std::string name;  ///< The file, or "file:line function".
    std::size_t lines;
};

/// The product's files, longest first, at most `count`.
[[nodiscard]] std::vector<Measure> largest_files(const Tree& tree, std::size_t count);

/// The product's functions, longest first, at most `count`.
[[nodiscard]] std::vector<Measure> largest_functions(const Tree& tree, std::size_t count);

}  // namespace style
