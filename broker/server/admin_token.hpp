// The file of the admin listener's tokens: read if the operator named one that is there, else made.
// The tokens themselves are never logged. At most 32 of them, in 64 KiB.
#pragma once

#include "broker/admin/tokens.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace server {

struct AdminTokens {
    std::vector<admin::Token> tokens;
    std::string file;
    bool is_temporary = false;  ///< Made for this run: to be removed at its end.
    std::string warning = {};   ///< Others may read the file; empty if not.
};

/// The tokens in `file`, one a line: `TOKEN`, which may everything, or `SCOPES TOKEN` with one or
/// several of read, publish, admin, separated by commas; lines that begin with # are skipped. If
/// the file is not there it is made, with a random token and mode 0600. With an empty name the file
/// is made in the directory for temporary files, under a random name. Throws std::runtime_error
/// that names the file and the cause.
[[nodiscard]] AdminTokens open_admin_tokens(const std::string& file);

/// Renames a file that was made for this run to `stampede-admin-PORT-...token`, by which the
/// commands of the same user find it. Files that the operator named keep their names.
void name_after_port(AdminTokens& tokens, std::uint16_t port);

}  // namespace server
