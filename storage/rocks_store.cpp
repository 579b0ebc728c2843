// The parts of the store on disk, put together.
// Opened whole or not at all; closed once.
#include "storage/rocks_store.hpp"

#include "storage/backup.hpp"
#include "storage/committer.hpp"
#include "storage/database.hpp"
#include "storage/directory.hpp"
#include "storage/disk_guard.hpp"
#include "storage/listeners.hpp"
#include "storage/log_mark.hpp"
#include "storage/mount_warning.hpp"
#include "storage/queue_table.hpp"
#include "storage/reader.hpp"
#include "storage/recovery.hpp"
#include "storage/store_world.hpp"

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace storage {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Clock::duration size_interval = std::chrono::seconds(5);

struct Size {
    std::uint64_t all = 0;
    std::uint64_t log = 0;  ///< Of these: the write-ahead log.
};

Size size_of(const std::string& directory) {
    Size size;
    std::error_code ec;
    for (auto it = std::filesystem::directory_iterator(directory, ec);
         !ec && it != std::filesystem::directory_iterator();
         it.increment(ec)) {
        std::error_code gone;
        const std::uintmax_t file = it->file_size(gone);
        if (gone) { continue; }
        size.all += file;
        if (it->path().extension() == ".log") { size.log += file; }
    }
    return size;
}

DirectoryOptions directory_options(const RocksOptions& options) {
    DirectoryOptions chosen;
    chosen.path = options.directory;
    chosen.allow_unsafe_filesystem = options.allow_unsafe_filesystem;
    return chosen;
}

class RocksStore : public MessageStore {
public:
    RocksStore(const RocksOptions& options, const StoreWorld& world);

    ~RocksStore() override { close_parts(); }

    RocksStore(const RocksStore&) = delete;
    RocksStore& operator=(const RocksStore&) = delete;

    std::vector<RecoveredQueue> take_recovered() override { return queues_.describe(); }

    void set_meter(StoreMeter* meter) override { committer_.set_meter(meter); }

    void start(std::vector<StoreListener*> listeners) override;

    QueueId new_queue_id() override { return next_queue_++; }

    void store(unsigned shard, std::unique_ptr<Batch> batch) override {
        committer_.store(shard, std::move(batch));
    }

    void read(unsigned shard, ReadRequest request) override { reader_.read(shard, request); }

    [[nodiscard]] StoreState state() const override;

    [[nodiscard]] bool accepts_appends() const override {
        return !is_low_ && !is_blocked_ && !listeners_.has_failed();
    }

    void back_up(std::string directory, std::function<void(std::string)> done) override;

    bool close() override { return close_parts(); }

private:
    [[nodiscard]] DatabaseOptions database_options(const StoreWorld& world);
    [[nodiscard]] Committer::Options committer_options();
    [[nodiscard]] DiskGuard::Options guard_options() const;
    void recover_queues();
    std::chrono::milliseconds keep_house();
    void watch_disk(Clock::time_point now);
    void set_blocked(bool is_blocked);
    bool close_parts();
    void finish();
    void fail(const std::string& reason);
    void notice(bool is_warning, std::string event, std::string text) const;

    const RocksOptions options_;
    Directory directory_;
    Listeners listeners_;
    std::atomic<bool> is_low_ = false;
    std::atomic<bool> is_blocked_ = false;
    std::atomic<std::uint64_t> free_ = 0;
    std::atomic<std::uint64_t> size_ = 0;
    std::atomic<std::uint64_t> log_size_ = 0;
    std::atomic<QueueId> next_queue_ = 1;
    std::atomic<Committer*> blockable_ = nullptr;  ///< Told by RocksDB's threads of a full disk.
    DiskGuard guard_;                              ///< The reader's thread's, once it runs.
    Clock::time_point next_size_;
    Database database_;
    QueueTable queues_;
    Committer committer_;
    Reader reader_;
    std::mutex backup_mutex_;
    std::thread backup_;              ///< Under the mutex, but for the last join().
    bool is_backup_running_ = false;  ///< Under the mutex.
    bool is_closed_ = false;
};

RocksStore::RocksStore(const RocksOptions& options, const StoreWorld& world)
    : options_(options),
      directory_(directory_options(options)),
      guard_(
          guard_options(),
          world.space ? world.space : [path = options.directory] { return disk_space_of(path); }
      ),
      database_(database_options(world)),
      committer_(database_, queues_, listeners_, committer_options()),
      reader_(database_, listeners_, [this] { return keep_house(); }) {
    recover_queues();
    watch_disk(Clock::now());
    blockable_ = &committer_;
}

void RocksStore::recover_queues() {
    std::vector<std::string> faults = recover(database_, queues_);
    if (faults.empty()) { faults = check_ends(database_, queues_); }
    if (!faults.empty()) {
        throw StoreError(
            fmt::format(
                "the store in {} is damaged and was not opened: {}{}. Copy it, look at the copy "
                "with "
                "`stampede check-store`, or restore it from a backup",
                options_.directory,
                faults.front(),
                faults.size() == 1 ? "" : fmt::format(" (and {} more)", faults.size() - 1)
            ),
            true
        );
    }
    mark_log(directory_);
    next_queue_ = queues_.next_queue();
    if (options_.accept_data_loss) {
        notice(true, "data-loss-accepted", "the store was opened up to the first damaged record");
    }
    const std::string distrust = mount_warning(directory_.path());
    if (!distrust.empty()) { notice(true, "unsafe-mount", distrust); }
    if (directory_.is_new() || directory_.was_clean()) { return; }
    notice(false, "store-recovered", "the last run did not stop cleanly; its log was replayed");
}

DatabaseOptions RocksStore::database_options(const StoreWorld& world) {
    if (!options_.accept_data_loss) { demand_log(directory_); }
    DatabaseOptions chosen;
    chosen.directory = directory_.database();
    chosen.accept_data_loss = options_.accept_data_loss;
    chosen.file_system = world.file_system;
    chosen.failed = [this](const std::string& error) {
        fail("the database failed in the background: " + error);
    };
    chosen.disk_full = [this](bool is_full) { set_blocked(is_full); };
    return chosen;
}

Committer::Options RocksStore::committer_options() {
    Committer::Options chosen;
    chosen.is_synced = options_.durability == Durability::sync;
    chosen.sync_interval = options_.relaxed_interval;
    chosen.delay = options_.commit_delay;
    chosen.limits = {options_.group_records_max, options_.group_bytes_max};
    chosen.failed = [this](const std::string& reason) { fail(reason); };
    return chosen;
}

DiskGuard::Options RocksStore::guard_options() const {
    return {options_.disk_floor, options_.reserve_bytes, directory_.reserve()};
}

void RocksStore::start(std::vector<StoreListener*> listeners) {
    const std::size_t shards = listeners.size();
    listeners_.set(std::move(listeners));
    committer_.start(shards);
    reader_.start();
}

StoreState RocksStore::state() const {
    const Committer::Counts counts = committer_.counts();
    StoreState state;
    state.failure = listeners_.failure();
    state.is_disk_low = is_low_ || is_blocked_;
    state.disk_free = free_;
    state.pending = counts.pending;
    state.commits = counts.commits;
    state.records = counts.records;
    state.damaged = reader_.damaged();
    state.size = size_;
    state.log_size = log_size_;
    state.durability = options_.durability == Durability::sync ? "sync" : "relaxed";
    return state;
}

/// Between reads, on the reader's thread.
std::chrono::milliseconds RocksStore::keep_house() {
    const Clock::time_point now = Clock::now();
    watch_disk(now);
    database_.shorten_log();
    database_.reclaim();
    if (now >= next_size_) {
        const Size size = size_of(directory_.database());
        size_ = size.all;
        log_size_ = size.log;
        next_size_ = now + size_interval;
    }
    return guard_.pause();
}

void RocksStore::watch_disk(Clock::time_point now) {
    const DiskGuard::Edge edge = guard_.look(now);
    free_ = guard_.free();
    is_low_ = guard_.is_low();
    if (edge == DiskGuard::Edge::low) {
        notice(true, "disk-low", "durable messages are refused: " + guard_.describe());
    } else if (edge == DiskGuard::Edge::recovered) {
        notice(false, "disk-recovered", "durable messages are taken again");
    }
}

void RocksStore::set_blocked(bool is_blocked) {
    is_blocked_ = is_blocked;
    if (Committer* const committer = blockable_) { committer->set_blocked(is_blocked); }
    if (is_blocked) {
        notice(true, "disk-full", "the store waits for room on the disk to write its tables");
    } else {
        notice(false, "disk-recovered", "the store has room again");
    }
}

void RocksStore::fail(const std::string& reason) {
    if (listeners_.fail(reason)) { notice(true, "storage-failed", reason); }
}

void RocksStore::back_up(std::string directory, std::function<void(std::string)> done) {
    const std::lock_guard lock(backup_mutex_);
    if (is_backup_running_) { return done("another backup is under way; wait for its end"); }
    if (backup_.joinable()) { backup_.join(); }
    is_backup_running_ = true;
    backup_ = std::thread([this, directory = std::move(directory), done = std::move(done)] {
        std::string error;
        try {
            make_backup(database_, directory);
        } catch (const StoreError& failed) { error = failed.what(); }
        {
            const std::lock_guard over(backup_mutex_);
            is_backup_running_ = false;
        }
        done(std::move(error));
    });
}

bool RocksStore::close_parts() {
    if (is_closed_) { return !listeners_.has_failed(); }
    is_closed_ = true;
    if (backup_.joinable()) { backup_.join(); }
    committer_.stop();
    reader_.stop();
    blockable_ = nullptr;
    if (!listeners_.has_failed()) { finish(); }
    return !listeners_.has_failed();
}

/// Tables instead of a log to replay, and the mark; both only make the next start quicker.
void RocksStore::finish() {
    std::string error = database_.flush();
    if (error.empty()) { error = database_.close(); }
    if (!error.empty()) {
        listeners_.set({});
        return fail("the database cannot be closed: " + error);
    }
    try {
        directory_.mark_clean();
        unmark_log(directory_);
    } catch (const StoreError& unmarked) { notice(true, "no-clean-mark", unmarked.what()); }
    directory_.release();
}

void RocksStore::notice(bool is_warning, std::string event, std::string text) const {
    if (options_.notice) { options_.notice({is_warning, std::move(event), std::move(text)}); }
}

}  // namespace

std::unique_ptr<MessageStore> open_rocks_store(const RocksOptions& options) {
    return open_rocks_store(options, StoreWorld{});
}

std::unique_ptr<MessageStore> open_rocks_store(
    const RocksOptions& options, const StoreWorld& world
) {
    return std::make_unique<RocksStore>(options, world);
}

}  // namespace storage
