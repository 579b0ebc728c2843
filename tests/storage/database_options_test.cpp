// The settings that rules rest on: a change of one is a change of a promise.
#include "storage/database_options.hpp"

#include <gtest/gtest.h>

#include <rocksdb/options.h>

namespace {

TEST(DatabaseOptions, D_FS_04_SyncsAreFdatasyncThroughThePageCache) {
    rocksdb::DBOptions options;
    storage::set_up(options, false);
    EXPECT_FALSE(options.use_fsync);
    EXPECT_FALSE(options.use_direct_io_for_flush_and_compaction);
    EXPECT_FALSE(options.use_direct_reads);
    rocksdb::WriteOptions writing;
    storage::set_up(writing, true);
    EXPECT_TRUE(writing.sync);
    EXPECT_FALSE(writing.disableWAL);
}

TEST(DatabaseOptions, D_FS_06_AFailedStoreIsNotResumed) {
    rocksdb::DBOptions options;
    storage::set_up(options, false);
    EXPECT_EQ(options.max_bgerror_resume_count, 0);
}

TEST(DatabaseOptions, D_ROCK_03_DamageOfTheLogRefusesUnlessLossIsAccepted) {
    rocksdb::DBOptions options;
    storage::set_up(options, false);
    EXPECT_EQ(options.wal_recovery_mode, rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords);
    EXPECT_TRUE(options.track_and_verify_wals_in_manifest);
    EXPECT_EQ(options.recycle_log_file_num, 0U);
    storage::set_up(options, true);
    EXPECT_EQ(options.wal_recovery_mode, rocksdb::WALRecoveryMode::kPointInTimeRecovery);
}

TEST(DatabaseOptions, D_COM_03_WritesAreOrderedAndChecked) {
    rocksdb::DBOptions options;
    storage::set_up(options, false);
    EXPECT_FALSE(options.unordered_write);
    EXPECT_FALSE(options.two_write_queues);
    EXPECT_FALSE(options.enable_pipelined_write);
    EXPECT_FALSE(options.manual_wal_flush);
    EXPECT_TRUE(options.paranoid_checks);
    rocksdb::WriteOptions writing;
    storage::set_up(writing, true);
    EXPECT_EQ(writing.protection_bytes_per_key, 8U);
    rocksdb::ReadOptions reading;
    storage::set_up(reading);
    EXPECT_TRUE(reading.verify_checksums);
}

TEST(DatabaseOptions, LargeBodiesLieInBlobFiles) {
    rocksdb::ColumnFamilyOptions messages;
    storage::set_up_messages(messages);
    EXPECT_TRUE(messages.enable_blob_files);
    EXPECT_TRUE(messages.enable_blob_garbage_collection);
    EXPECT_EQ(messages.min_blob_size, 8U * 1024);
}

}  // namespace
