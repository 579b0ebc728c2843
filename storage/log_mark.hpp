// A note of which write-ahead log was begun last, beside the database: a log that is gone
// altogether is noticed. The database itself only watches over logs that it has closed. Blocks; one
// small file.
#pragma once

#include "storage/directory.hpp"

namespace storage {

/// After the database was opened: its newest log must be there from now on. Throws StoreError.
void mark_log(const Directory& directory);
/// After a clean stop everything is in tables. Throws StoreError.
void unmark_log(const Directory& directory);
/// Before the database is opened, which begins a new log. Throws StoreError if the noted one, or a
/// later one, is not there.
void demand_log(const Directory& directory);

}  // namespace storage
