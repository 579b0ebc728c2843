// A copy of a store that is at work, as a directory that a broker opens (D-RUN-05).
// Blocks, for as long as writing what is in memory and copying the log take; any thread.
#pragma once

#include "storage/database.hpp"

#include <string>

namespace storage {

/// Makes `directory` with what `database` holds by now. Tables are linked, not copied, if it is on
/// the same file system. Until it is whole its name ends in `.part`; what was begun is removed if
/// it fails. Refuses a path that is not absolute or is there already. Throws StoreError.
void make_backup(Database& database, std::string directory);

}  // namespace storage
