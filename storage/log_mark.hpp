// A note, beside the database, of which write-ahead log was begun last and how long the list of
// tables (RocksDB's MANIFEST) was: what is gone altogether, or cut where an entry ends, is noticed,
// which the database itself does not. Blocks; one small file.
#pragma once

#include "storage/directory.hpp"

namespace storage {

/// After the database was opened: its newest log must be there from now on, and the list of tables
/// not be shorter. Throws StoreError.
void mark_log(const Directory& directory);
/// After a clean stop everything is in tables: only the list of them is noted. Throws StoreError.
void unmark_log(const Directory& directory);
/// Before the database is opened, which begins a new log and a new list. Throws StoreError if the
/// noted ones, or later ones, are not there, or the list is shorter.
void demand_log(const Directory& directory);

}  // namespace storage
