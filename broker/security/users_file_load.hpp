// Reads the users file from disk, and says who else may read it (S-AUTH-06, S-BIND-05).
// Regular files only, at most 16 MiB; nothing else is opened for longer than it takes to tell.
#pragma once

#include "broker/security/users_file.hpp"

#include <memory>
#include <string>

namespace security {

struct LoadedUsers {
    std::shared_ptr<const UsersFile> users;  ///< Null if there is an error.
    std::string error;                       ///< One sentence that names the file.
    std::string warning;                     ///< One sentence if its mode is beyond 0640.
};

struct UsersText {
    std::string text;
    std::string error;        ///< One sentence that names the file.
    unsigned mode = 0;        ///< Its permissions.
    bool is_missing = false;  ///< The error is that there is no such file.
};

/// Reads `file` as it is: up to one octet more than a users file may have, or a little beyond.
[[nodiscard]] UsersText read_users_text(const std::string& file);

/// Reads and parses `file`. `is_strict`: a mode beyond 0640 is an error (S-TLS-03).
[[nodiscard]] LoadedUsers load_users(const std::string& file, bool is_strict);

}  // namespace security
