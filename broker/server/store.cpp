#include "broker/server/store.hpp"

#include "broker/log/log.hpp"
#include "storage/rocks_store.hpp"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <stop_token>
#include <sys/statvfs.h>
#include <system_error>
#include <thread>
#include <utility>

namespace server {

namespace {

// What no store has: messages live and die with the process.
constexpr const char* without_store = "memory";

void log(const storage::Notice& notice) {
    const auto level = notice.is_warning ? logging::Level::warn : logging::Level::info;
    if (logging::is_enabled(level)) { logging::write(level, notice.event, notice.text); }
}

// The directory need not be there yet: what will hold it is on the same file system.
std::uint64_t file_system_size(const std::string& directory) {
    std::error_code ec;
    std::filesystem::path path = std::filesystem::absolute(directory, ec);
    while (path.has_relative_path() && !std::filesystem::exists(path, ec)) {
        path = path.parent_path();
    }

    struct statvfs status {};

    if (::statvfs(path.c_str(), &status) != 0) { return 0; }
    return std::uint64_t{status.f_blocks} * status.f_frsize;
}

std::uint64_t floor_octets(const StorageOptions& options) {
    if (options.disk_floor.percent == 0) { return options.disk_floor.octets; }
    return file_system_size(options.directory) / 100 * options.disk_floor.percent;
}

storage::RocksOptions rocks_options(const StorageOptions& options) {
    storage::RocksOptions rocks;
    rocks.directory = options.directory;
    rocks.durability = options.durability == Durability::relaxed ? storage::Durability::relaxed
                                                                 : storage::Durability::sync;
    rocks.relaxed_interval = options.relaxed_interval;
    rocks.commit_delay = options.commit_delay;
    rocks.disk_floor = floor_octets(options);
    rocks.allow_unsafe_filesystem = options.allow_unsafe_filesystem;
    rocks.accept_data_loss = options.accept_data_loss;
    rocks.notice = log;
    return rocks;
}

// Says each second that the store is still being opened (D-RUN-02), for as long as it lives.
class Progress {
public:
    Progress() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

private:
    void run(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        for (int seconds = 1;; ++seconds) {
            ended_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
            if (stop.stop_requested()) { return; }
            logging::info("store-opening", "Still opening the store.", {{"seconds", seconds}});
        }
    }

    std::mutex mutex_;
    std::condition_variable_any ended_;
    std::jthread thread_;
};

}  // namespace

std::unique_ptr<storage::MessageStore> open_store(const Config& config) {
    const StorageOptions& options = config.storage;
    if (options.directory.empty() || options.durability == Durability::memory) { return nullptr; }
    logging::info("store-opening", "Opening the store.", {{"directory", options.directory}});
    const Progress progress;
    return storage::open_rocks_store(rocks_options(options));
}

StoreKeeper::StoreKeeper(
    std::unique_ptr<storage::MessageStore> store,
    const StorageOptions& options,
    std::chrono::milliseconds opened_in
)
    : options_(options),
      opened_in_(opened_in),
      store_(std::move(store)),
      durability_(store_ ? store_->state().durability : without_store) {}

StoreKeeper::~StoreKeeper() {
    close();
}

std::vector<storage::RecoveredQueue> StoreKeeper::take_recovered() {
    if (!store_) { return {}; }
    std::vector<storage::RecoveredQueue> queues = store_->take_recovered();
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    for (const storage::RecoveredQueue& queue : queues) {
        messages += queue.messages;
        bytes += queue.bytes;
    }
    logging::info(
        "store-open",
        "The store is open.",
        {{"directory", options_.directory},
         {"durability", durability_},
         {"queues", queues.size()},
         {"messages", messages},
         {"bytes", bytes},
         {"disk_free", store_->state().disk_free}}
    );
    return queues;
}

void StoreKeeper::start(std::vector<storage::StoreListener*> listeners) {
    if (!store_) { return; }
    is_started_ = true;
    store_->set_meter(this);
    store_->start(std::move(listeners));
}

// D-ROCK-01: never delivered, never silently skipped.
void StoreKeeper::report_damage(std::uint64_t damaged) {
    if (damaged == damaged_) { return; }
    logging::error(
        "record-damaged",
        "Stored messages cannot be delivered: their records are damaged. Stop the broker and look "
        "at the store with check-store.",
        {{"records", damaged - damaged_}, {"total", damaged}, {"directory", options_.directory}}
    );
    damaged_ = damaged;
}

bool StoreKeeper::watch() {
    if (!is_started_ || has_failed()) { return false; }
    const storage::StoreState state = store_->state();
    report_damage(state.damaged);
    failure_ = state.failure;
    if (!has_failed()) { return false; }
    logging::error(
        "storage-failed",
        options_.on_failure == OnFailure::exit
            ? "The store has failed: nothing durable is confirmed any more, the broker ends."
            : "The store has failed: nothing durable is confirmed any more; what is not durable "
              "goes on.",
        {{"reason", failure_}, {"directory", options_.directory}}
    );
    return true;
}

void StoreKeeper::stored(const storage::GroupCost& cost) {
    const std::lock_guard lock(mutex_);
    times_.commit.observe(static_cast<std::uint64_t>(cost.commit.count()));
    if (cost.sync.count() != 0) {
        times_.sync.observe(static_cast<std::uint64_t>(cost.sync.count()));
    }
    times_.group_records.observe(cost.records);
}

void StoreKeeper::synced(std::chrono::microseconds time) {
    const std::lock_guard lock(mutex_);
    times_.sync.observe(static_cast<std::uint64_t>(time.count()));
}

std::optional<admin::StoreFigures> StoreKeeper::figures() const {
    if (!store_) { return std::nullopt; }
    const storage::StoreState state = store_->state();
    admin::StoreFigures figures;
    {
        const std::lock_guard lock(mutex_);
        figures.times = times_;
    }
    figures.commits = state.commits;
    figures.pending = state.pending;
    figures.log_size = state.log_size;
    figures.size = state.size;
    figures.disk_free = state.disk_free;
    figures.is_disk_low = state.is_disk_low;
    figures.has_failed = has_failed() || !state.failure.empty();
    figures.damaged = state.damaged;
    figures.opened_in = opened_in_;
    figures.accepts_data_loss = options_.accept_data_loss;
    return figures;
}

void StoreKeeper::add_checks(std::vector<admin::Check>& checks) const {
    if (!store_) { return; }
    checks.push_back({"storage", has_failed() ? "the store has failed: " + failure_ : ""});
    const bool is_low = store_->state().is_disk_low;
    checks.push_back(
        {"disk",
         is_low ? "free space is below storage.disk_floor" : "",
         options_.ready_requires_disk}
    );
}

void StoreKeeper::back_up(std::string directory, std::function<void(std::string error)> done) {
    if (!store_) { return done("this broker keeps nothing on a disk; start it with --data"); }
    store_->back_up(directory, [directory, done = std::move(done)](std::string error) {
        if (error.empty()) {
            logging::info("backup", "The store has been copied.", {{"directory", directory}});
        } else {
            logging::error("backup", "The store was not copied.", {{"reason", error}});
        }
        done(std::move(error));
    });
}

void StoreKeeper::close() {
    if (!is_started_) { return; }
    is_started_ = false;
    const bool is_clean = store_->close();
    report_damage(store_->state().damaged);
    if (is_clean) { return logging::info("store-closed", "The store is closed."); }
    if (!has_failed()) { failure_ = "closing it failed: " + store_->state().failure; }
    logging::error(
        "store-closed", "The store has not been closed cleanly.", {{"reason", failure_}}
    );
}

}  // namespace server
