// Every setting that is not RocksDB's default, and those whose default we rely on.
// Reasons: docs/storage_format.md.
#include "storage/database_options.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <memory>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <rocksdb/write_buffer_manager.h>

namespace storage {
namespace {

constexpr std::size_t mebibyte = 1024 * 1024;
constexpr std::size_t memory_budget = 256 * mebibyte;

/// Nothing in the levels that are rewritten at once, LZ4 below if there is one.
void set_up_compression(rocksdb::ColumnFamilyOptions& options) {
    const auto supported = rocksdb::GetSupportedCompressions();
    const bool has_lz4 = std::ranges::find(supported, rocksdb::kLZ4Compression) != supported.end();
    const auto below = has_lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
    options.compression = rocksdb::kNoCompression;
    options.compression_per_level = {rocksdb::kNoCompression, rocksdb::kNoCompression, below};
}

/// RocksDB's own text log, which would be a file beside the data: once a write to it has failed, as
/// on a full disk, a library with assertions aborts at the next line. What matters comes as a
/// Status.
class NoLog : public rocksdb::Logger {
public:
    using rocksdb::Logger::Logv;

    void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

void set_up_family(rocksdb::ColumnFamilyOptions& options) {
    options.write_buffer_size = 64 * mebibyte;
    options.max_write_buffer_number = 3;
    set_up_compression(options);
}

}  // namespace

void set_up(rocksdb::DBOptions& options, bool accept_data_loss) {
    options.wal_recovery_mode = accept_data_loss
                                    ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                    : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    options.manual_wal_flush = false;
    options.track_and_verify_wals_in_manifest = true;
    options.paranoid_checks = true;
    options.verify_sst_unique_id_in_manifest = true;
    options.flush_verify_memtable_count = true;
    options.recycle_log_file_num = 0;
    options.wal_compression = rocksdb::kNoCompression;
    options.unordered_write = false;
    options.two_write_queues = false;
    options.enable_pipelined_write = false;
    options.max_bgerror_resume_count = 0;
    options.max_total_wal_size = 512 * mebibyte;
    options.max_open_files = 512;
    options.max_background_jobs = 2;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    options.info_log = std::make_shared<NoLog>();
}

void set_up_state(rocksdb::ColumnFamilyOptions& options) {
    set_up_family(options);
}

void set_up_messages(rocksdb::ColumnFamilyOptions& options) {
    set_up_family(options);
    options.enable_blob_files = true;
    options.min_blob_size = 8 * 1024;
    options.enable_blob_garbage_collection = true;
    options.table_properties_collector_factories.push_back(
        rocksdb::NewCompactOnDeletionCollectorFactory(131072, 65536, 0.5)
    );
}

void set_up(rocksdb::WriteOptions& options, bool is_synced) {
    options.sync = is_synced;
    options.protection_bytes_per_key = 8;
}

void set_up(rocksdb::ReadOptions& options) {
    options.verify_checksums = true;
    // Messages are read back once, on their way to a consumer.
    options.fill_cache = false;
}

void share_memory(
    rocksdb::DBOptions& options,
    rocksdb::ColumnFamilyOptions& state,
    rocksdb::ColumnFamilyOptions& messages
) {
    const auto cache = rocksdb::NewLRUCache(memory_budget);
    options.write_buffer_manager =
        std::make_shared<rocksdb::WriteBufferManager>(memory_budget, cache);
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.cache_index_and_filter_blocks = true;
    table.block_size = 16 * 1024;
    state.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    messages.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
}

}  // namespace storage
