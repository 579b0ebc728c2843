// Finding the admin token that a broker on this machine uses.
// Files in the directory for temporary files count only if they are ours alone.
#pragma once

#include <string>

namespace cli {

struct FoundToken {
    std::string token;
    std::string file;
};

/// Reads `named` if that is not empty, else the first that can be read of: the files of the
/// package, and the newest that a broker of this user made for a run. Throws Failure.
[[nodiscard]] FoundToken find_admin_token(const std::string& named);

}  // namespace cli
