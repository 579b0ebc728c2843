// Files that an operator names, read as a whole: users, keys, tokens.
// Blocks for the disk only; bounded by the caller.
#pragma once

#include <cstddef>
#include <string>

namespace files {

struct SmallFile {
    std::string text;
    unsigned mode = 0;        ///< Its permissions.
    std::string error;        ///< Why it could not be read, as `No such file or directory`.
    bool is_missing = false;  ///< With `error`: it is not there.
};

/// The whole of `path`, of which mode and text belong together. An error if it is not there, is no
/// regular file (a pipe would hold up whoever reads), or has more than `bytes_max` octets.
[[nodiscard]] SmallFile read_small_file(const std::string& path, std::size_t bytes_max);

/// Whether `mode` permits what `allowed`, such as 0640, does not.
[[nodiscard]] constexpr bool is_looser(unsigned mode, unsigned allowed) {
    return (mode & 0777U & ~allowed) != 0;
}

}  // namespace files
