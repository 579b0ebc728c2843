// The admin token's file: read if the operator named one that is there, else made.
// The token itself is never logged.
#pragma once

#include <string>

namespace server {

struct AdminToken {
    std::string token;
    std::string file;
    bool is_temporary = false;  ///< Made for this run: to be removed at its end.
    std::string warning = {};   ///< Others may read the file; empty if not.
};

/// The token in `file`; if that is not there it is made, with a random token and mode 0600. With an
/// empty name the file is made in the directory for temporary files, under a random name. Throws
/// std::runtime_error that names the file and the cause.
[[nodiscard]] AdminToken open_admin_token(const std::string& file);

}  // namespace server
