// Reads the users file from disk, and says who else may read it (S-AUTH-06, S-BIND-05).
// Regular files only, at most 16 MiB.
#pragma once

#include "broker/security/users_file.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace security {

struct LoadedUsers {
    std::shared_ptr<const UsersFile> users;  ///< Null if there is an error.
    std::string error;                       ///< One sentence that names the file.
    std::string warning;                     ///< One sentence if its mode is beyond 0640.
};

/// The sentence for a users file that cannot be read.
[[nodiscard]] std::string unreadable_users(const std::string& file, std::string_view cause);

/// Reads and parses `file`. `is_strict`: a mode beyond 0640 is an error (S-TLS-03).
[[nodiscard]] LoadedUsers load_users(const std::string& file, bool is_strict);

}  // namespace security
