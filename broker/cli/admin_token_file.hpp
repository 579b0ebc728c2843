// Finding the admin token that a broker on this machine uses.
// Files in the directory for temporary files count only if they are ours alone.
#pragma once

#include <string>

namespace cli {

struct FoundToken {
    std::string token;
    std::string file;
};

/// Reads `named` if that is not empty, else what the environment names for the broker itself, else
/// the file of the package if we may, else the newest that a broker of this user made for a run.
/// Throws Failure.
[[nodiscard]] FoundToken find_admin_token(const std::string& named);

}  // namespace cli
