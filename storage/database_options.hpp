// How RocksDB is set up: the table of docs/storage_format.md, in code.
// Takes no rocksdb header: the options are filled in place.
#pragma once

namespace rocksdb {
struct ColumnFamilyOptions;
struct DBOptions;
struct ReadOptions;
struct WriteOptions;
}  // namespace rocksdb

namespace storage {

/// For the whole database; listener, file manager and environment are left to the caller.
void set_up(rocksdb::DBOptions& options, bool accept_data_loss);
void set_up_state(rocksdb::ColumnFamilyOptions& options);
void set_up_messages(rocksdb::ColumnFamilyOptions& options);
void set_up(rocksdb::WriteOptions& options, bool is_synced);
void set_up(rocksdb::ReadOptions& options);
/// The one memory budget of both families.
void share_memory(
    rocksdb::DBOptions& options,
    rocksdb::ColumnFamilyOptions& state,
    rocksdb::ColumnFamilyOptions& messages
);

}  // namespace storage
