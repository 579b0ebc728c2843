// One read of a part of a queue, every record checked.
// Blocks on the disk.
#pragma once

#include "storage/database.hpp"
#include "storage/message_store.hpp"

namespace storage {

/// Answers `request`. Records that cannot be read or have a wrong checksum are in `damaged`.
[[nodiscard]] ReadResult read_messages(const Database& database, const ReadRequest& request);

}  // namespace storage
