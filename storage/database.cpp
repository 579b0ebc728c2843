// The RocksDB calls of the store, and its background errors (D-FS-01, D-FS-06, D-FULL-03).
// One writer at a time.
#include "storage/database.hpp"

#include "storage/database_options.hpp"
#include "storage/message_store.hpp"
#include "storage/reclaimer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/iostats_context.h>
#include <rocksdb/listener.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/sst_file_manager.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <utility>
#include <vector>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STAMPEDE_THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_THREAD__)
#define STAMPEDE_THREAD_SANITIZER
#endif

#ifdef STAMPEDE_THREAD_SANITIZER
extern "C" const char* __tsan_default_suppressions();

/// RocksDB is not built with the sanitizer, which therefore does not see how its threads agree.
extern "C" const char* __tsan_default_suppressions() {
    return "called_from_lib:librocksdb\nrace:librocksdb\n";
}
#endif

namespace storage {
namespace {

constexpr const char* messages_name = "messages";

rocksdb::Slice to_slice(std::string_view octets) {
    return {octets.data(), octets.size()};
}

std::string_view to_view(const rocksdb::Slice& slice) {
    return {slice.data(), slice.size()};
}

/// A flush or compaction that ran out of space is tried again by RocksDB once there is some.
bool is_recoverable(rocksdb::BackgroundErrorReason reason, const rocksdb::Status& status) {
    using Reason = rocksdb::BackgroundErrorReason;
    const bool is_background =
        reason == Reason::kFlush || reason == Reason::kFlushNoWAL || reason == Reason::kCompaction;
    return is_background && status.IsNoSpace() &&
           status.severity() < rocksdb::Status::Severity::kFatalError;
}

/// Hears of errors on RocksDB's own threads.
class Listener : public rocksdb::EventListener {
public:
    explicit Listener(const DatabaseOptions& options)
        : failed_(options.failed), disk_full_(options.disk_full) {}

    void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status)
        override {
        if (is_recoverable(reason, *status)) {
            is_blocked_ = true;
            disk_full_(true);
            return;
        }
        // Fatal: a recovery that is under way ends, too. The log may hold a batch that has failed;
        // a table of what was before it would part one family from the other.
        const auto severity = std::max(status->severity(), rocksdb::Status::Severity::kFatalError);
        *status = rocksdb::Status(*status, severity);
        failed_(status->ToString());
    }

    void OnErrorRecoveryBegin(
        rocksdb::BackgroundErrorReason reason, rocksdb::Status status, bool* goes_on_by_itself
    ) override {
        *goes_on_by_itself = *goes_on_by_itself && is_recoverable(reason, status);
    }

    void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override {
        if (!info.new_bg_error.ok()) {
            if (!info.new_bg_error.IsNoSpace()) { failed_(info.new_bg_error.ToString()); }
            return;
        }
        is_blocked_ = false;
        disk_full_(false);
    }

    void OnFlushCompleted(rocksdb::DB* /*db*/, const rocksdb::FlushJobInfo& info) override {
        if (info.cf_name == messages_name) { has_flushed_messages_ = true; }
    }

    [[nodiscard]] bool is_blocked() const { return is_blocked_; }

    [[nodiscard]] bool take_flushed() { return has_flushed_messages_.exchange(false); }

private:
    std::function<void(const std::string&)> failed_;
    std::function<void(bool)> disk_full_;
    std::atomic<bool> is_blocked_ = false;
    std::atomic<bool> has_flushed_messages_ = false;
};

StoreError open_error(const DatabaseOptions& options, const rocksdb::Status& status) {
    if (status.IsCorruption()) {
        return {
            fmt::format(
                "the store in {} is damaged and was not opened: {}. Restore it from a backup, or "
                "copy it and look at the copy with `stampede check-store`; --accept-data-loss "
                "opens "
                "it without what comes after the damage",
                options.directory,
                status.ToString()
            ),
            true};
    }
    return {
        fmt::format(
            "the store in {} cannot be opened: {}. Look at the permissions, the free space and the "
            "health of the disk",
            options.directory,
            status.ToString()
        ),
        false};
}

}  // namespace

struct Database::Group::State {
    rocksdb::WriteBatch batch;
    std::array<rocksdb::ColumnFamilyHandle*, 2> families{};
    std::vector<std::pair<std::string, std::string>> erased;  ///< Ranges of messages.
};

struct Database::Impl {
    rocksdb::ColumnFamilyHandle* family(Family which) const {
        return families[which == Family::messages ? 1 : 0];
    }

    std::unique_ptr<rocksdb::Env> env;
    std::shared_ptr<Listener> listener;
    std::unique_ptr<rocksdb::DB> db;
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    rocksdb::ReadOptions reading;
    Reclaimer reclaimer;
};

Database::Group::Group(const Database& database) : state_(std::make_unique<State>()) {
    const auto& families = database.impl_->families;
    state_->families = {families[0], families[1]};
}

Database::Group::~Group() = default;

// The statuses of a write batch only speak of its own limits, which are not set.

void Database::Group::put(Family family, std::string_view key, std::string_view value) {
    auto* const handle = state_->families[family == Family::messages ? 1 : 0];
    state_->batch.Put(handle, to_slice(key), to_slice(value)).PermitUncheckedError();
}

void Database::Group::erase(Family family, std::string_view key) {
    auto* const handle = state_->families[family == Family::messages ? 1 : 0];
    state_->batch.Delete(handle, to_slice(key)).PermitUncheckedError();
}

void Database::Group::erase_range(Family family, std::string_view from, std::string_view to) {
    auto* const handle = state_->families[family == Family::messages ? 1 : 0];
    state_->batch.DeleteRange(handle, to_slice(from), to_slice(to)).PermitUncheckedError();
    if (family == Family::messages) { state_->erased.emplace_back(from, to); }
}

void Database::Group::clear() {
    state_->batch.Clear();
    state_->erased.clear();
}

Database::Database(const DatabaseOptions& options) : impl_(std::make_unique<Impl>()) {
    rocksdb::DBOptions database;
    rocksdb::ColumnFamilyOptions state;
    rocksdb::ColumnFamilyOptions messages;
    set_up(database, options.accept_data_loss);
    set_up_state(state);
    set_up_messages(messages);
    share_memory(database, state, messages);
    set_up(impl_->reading);
    if (options.file_system) {
        impl_->env = rocksdb::NewCompositeEnv(options.file_system);
        database.env = impl_->env.get();
    }
    impl_->listener = std::make_shared<Listener>(options);
    database.listeners.push_back(impl_->listener);
    database.sst_file_manager.reset(rocksdb::NewSstFileManager(database.env));
    database.create_if_missing = !options.is_read_only;
    database.create_missing_column_families = !options.is_read_only;
    const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {rocksdb::kDefaultColumnFamilyName, state}, {messages_name, messages}};
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status =
        options.is_read_only
            ? rocksdb::DB::OpenForReadOnly(
                  database, options.directory, families, &impl_->families, &db
              )
            : rocksdb::DB::Open(database, options.directory, families, &impl_->families, &db);
    if (!status.ok()) { throw open_error(options, status); }
    impl_->db.reset(db);
}

Database::~Database() {
    if (impl_->db) { static_cast<void>(close()); }
}

Written Database::write(Group& group, bool is_synced, std::string& error) {
    rocksdb::WriteOptions writing;
    set_up(writing, is_synced);
    if (impl_->listener->is_blocked()) { return Written::blocked; }
    // Of the calling thread, for take_sync_time().
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableTimeExceptForMutex);
    auto due = impl_->reclaimer.take_due();
    for (const Reclaimer::Range& range : due) {
        group.state()
            .batch.DeleteRange(impl_->family(Family::messages), range.from, range.to)
            .PermitUncheckedError();
    }
    const rocksdb::Status status = impl_->db->Write(writing, &group.state().batch);
    if (status.ok()) {
        for (const auto& [from, to] : group.state().erased) {
            impl_->reclaimer.note(from, to);
        }
        impl_->reclaimer.confirm(std::move(due));
        return Written::yes;
    }
    error = status.ToString();
    return status.IsNoSpace() && impl_->listener->is_blocked() ? Written::blocked : Written::failed;
}

std::chrono::microseconds Database::take_sync_time() {
    rocksdb::IOStatsContext& stats = *rocksdb::get_iostats_context();
    const std::chrono::nanoseconds time(std::exchange(stats.fsync_nanos, 0));
    return std::chrono::duration_cast<std::chrono::microseconds>(time);
}

std::string Database::sync() {
    const rocksdb::Status status = impl_->db->SyncWAL();
    return status.ok() ? std::string() : status.ToString();
}

Found Database::get(Family family, std::string_view key, std::string& value) const {
    const rocksdb::Status status =
        impl_->db->Get(impl_->reading, impl_->family(family), to_slice(key), &value);
    if (status.ok()) { return Found::yes; }
    return status.IsNotFound() ? Found::no : Found::damaged;
}

std::string Database::scan(
    Family family, std::string_view from, std::string_view to, const Visit& visit
) const {
    rocksdb::ReadOptions reading = impl_->reading;
    const rocksdb::Slice bound = to_slice(to);
    if (!to.empty()) { reading.iterate_upper_bound = &bound; }
    const std::unique_ptr<rocksdb::Iterator> it(
        impl_->db->NewIterator(reading, impl_->family(family))
    );
    for (it->Seek(to_slice(from)); it->Valid(); it->Next()) {
        if (!visit(to_view(it->key()), to_view(it->value()))) { break; }
    }
    return it->status().ok() ? std::string() : it->status().ToString();
}

void Database::shorten_log() {
    if (!impl_->listener->take_flushed()) { return; }
    rocksdb::FlushOptions flushing;
    flushing.wait = false;
    flushing.allow_write_stall = true;
    // A flush that fails reports itself to the listener.
    impl_->db->Flush(flushing, impl_->families[0]).PermitUncheckedError();
}

void Database::reclaim() {
    for (const Reclaimer::Range& range : impl_->reclaimer.take_confirmed()) {
        const rocksdb::Slice from(range.from);
        const rocksdb::Slice to(range.to);
        // What is not deleted now is compacted away later.
        rocksdb::DeleteFilesInRange(
            impl_->db.get(), impl_->family(Family::messages), &from, &to, false
        )
            .PermitUncheckedError();
    }
}

std::string Database::flush() {
    const rocksdb::Status status = impl_->db->Flush(rocksdb::FlushOptions(), impl_->families);
    return status.ok() ? std::string() : status.ToString();
}

std::string Database::checkpoint(const std::string& directory) {
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(impl_->db.get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    if (status.ok()) { status = checkpoint->CreateCheckpoint(directory); }
    return status.ok() ? std::string() : status.ToString();
}

std::string Database::close() {
    rocksdb::CancelAllBackgroundWork(impl_->db.get(), true);
    for (rocksdb::ColumnFamilyHandle* const family : impl_->families) {
        impl_->db->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    }
    const rocksdb::Status status = impl_->db->Close();
    impl_->db.reset();
    return status.ok() ? std::string() : status.ToString();
}

}  // namespace storage
