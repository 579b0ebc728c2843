// Puts a new text in the place of a file, as a whole or not at all.
// Owner, group and mode stay what they were; a link is followed and stays.
#pragma once

#include <functional>
#include <string>

namespace cli {

/// Calls `change`, which reads the file and returns its new text, while no other replace_file()
/// works in the same directory; then writes the text to a file beside it, to the disk, and renames
/// it. A file that was not there gets `new_mode`. Throws Failure, and what `change` throws; then
/// the file is as it was.
void replace_file(
    const std::string& path, unsigned new_mode, const std::function<std::string()>& change
);

}  // namespace cli
