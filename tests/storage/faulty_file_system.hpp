// The files of a database that begin to fail when a test says so.
// Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <rocksdb/file_system.h>
#include <string>

class FaultyFileSystem : public rocksdb::FileSystemWrapper {
public:
    enum class Fault {
        none,
        log_sync,       ///< EIO when the write-ahead log is synced.
        log_append,     ///< EIO when it is written.
        log_full,       ///< ENOSPC when it is written.
        log_sync_full,  ///< ENOSPC when it is synced next; then EIO for all tables but the first.
        table_full,     ///< ENOSPC when a table is written.
        table_broken    ///< EIO when a table is written.
    };

    FaultyFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

    [[nodiscard]] const char* Name() const override { return "FaultyFileSystem"; }

    void set(Fault fault) {
        const std::lock_guard lock(mutex_);
        log_syncs_ = table_syncs_ = 0;
        fault_ = fault;
    }

    /// How many there were since the fault was set, without this one.
    unsigned count_log_sync();
    unsigned count_table_sync();

    /// Whether a table is synced in this time, or was since the fault was set.
    [[nodiscard]] bool wait_for_table(std::chrono::milliseconds patience);

    [[nodiscard]] Fault fault() const { return fault_; }

    rocksdb::IOStatus NewWritableFile(
        const std::string& name,
        const rocksdb::FileOptions& options,
        std::unique_ptr<rocksdb::FSWritableFile>* result,
        rocksdb::IODebugContext* debug
    ) override;

    /// Free space, which RocksDB asks for before it goes on after ENOSPC.
    rocksdb::IOStatus GetFreeSpace(
        const std::string& path,
        const rocksdb::IOOptions& options,
        std::uint64_t* free,
        rocksdb::IODebugContext* debug
    ) override;

private:
    std::atomic<Fault> fault_ = Fault::none;
    std::mutex mutex_;
    std::condition_variable changed_;
    unsigned log_syncs_ = 0;
    unsigned table_syncs_ = 0;
};
