// Wraps the files that are written.
// Only appends and syncs fail.
#include "tests/storage/faulty_file_system.hpp"

#include <utility>

namespace {

using Fault = FaultyFileSystem::Fault;
using rocksdb::IOStatus;

class FaultyFile : public rocksdb::FSWritableFileOwnerWrapper {
public:
    FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, FaultyFileSystem& system, bool is_log)
        : FSWritableFileOwnerWrapper(std::move(file)), system_(system), is_log_(is_log) {}

    IOStatus Append(
        const rocksdb::Slice& data,
        const rocksdb::IOOptions& options,
        rocksdb::IODebugContext* debug
    ) override {
        IOStatus status = append_status();
        return status.ok() ? FSWritableFileOwnerWrapper::Append(data, options, debug) : status;
    }

    IOStatus Append(
        const rocksdb::Slice& data,
        const rocksdb::IOOptions& options,
        const rocksdb::DataVerificationInfo& verification,
        rocksdb::IODebugContext* debug
    ) override {
        IOStatus status = append_status();
        if (!status.ok()) { return status; }
        return FSWritableFileOwnerWrapper::Append(data, options, verification, debug);
    }

    IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
        IOStatus status = sync_status();
        return status.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : status;
    }

    IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
        IOStatus status = sync_status();
        return status.ok() ? FSWritableFileOwnerWrapper::Fsync(options, debug) : status;
    }

private:
    [[nodiscard]] IOStatus append_status() const {
        const Fault fault = system_.fault();
        if (is_log_ && fault == Fault::log_append) { return IOStatus::IOError("injected"); }
        if (is_log_ && fault == Fault::log_full) { return IOStatus::NoSpace("injected"); }
        if (!is_log_ && fault == Fault::table_full) { return IOStatus::NoSpace("injected"); }
        if (!is_log_ && fault == Fault::table_broken) { return IOStatus::IOError("injected"); }
        return IOStatus::OK();
    }

    [[nodiscard]] IOStatus sync_status() {
        const Fault fault = system_.fault();
        if (is_log_ && fault == Fault::log_sync) { return IOStatus::IOError("injected"); }
        if (is_log_ && fault == Fault::log_sync_full && system_.count_log_sync() == 0) {
            return IOStatus::NoSpace("injected");
        }
        if (!is_log_ && fault == Fault::log_sync_full && system_.count_table_sync() != 0) {
            return IOStatus::IOError("injected");
        }
        return IOStatus::OK();
    }

    FaultyFileSystem& system_;
    bool is_log_;
};

}  // namespace

unsigned FaultyFileSystem::count_log_sync() {
    const std::lock_guard lock(mutex_);
    return log_syncs_++;
}

unsigned FaultyFileSystem::count_table_sync() {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    return table_syncs_++;
}

bool FaultyFileSystem::wait_for_table(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [this] { return table_syncs_ > 0; });
}

rocksdb::IOStatus FaultyFileSystem::NewWritableFile(
    const std::string& name,
    const rocksdb::FileOptions& options,
    std::unique_ptr<rocksdb::FSWritableFile>* result,
    rocksdb::IODebugContext* debug
) {
    IOStatus status = FileSystemWrapper::NewWritableFile(name, options, result, debug);
    const bool is_log = name.ends_with(".log");
    if (status.ok() && (is_log || name.ends_with(".sst"))) {
        *result = std::make_unique<FaultyFile>(std::move(*result), *this, is_log);
    }
    return status;
}

rocksdb::IOStatus FaultyFileSystem::GetFreeSpace(
    const std::string& path,
    const rocksdb::IOOptions& options,
    std::uint64_t* free,
    rocksdb::IODebugContext* debug
) {
    if (fault_ != Fault::table_full) {
        return FileSystemWrapper::GetFreeSpace(path, options, free, debug);
    }
    *free = 0;
    return IOStatus::OK();
}
