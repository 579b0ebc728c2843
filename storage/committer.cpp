// One loop: what has come, a group of it, one write, one sync, then the shards hear of it.
// Any error of a write or sync is the store's end (D-FS-01).
#include "storage/committer.hpp"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace storage {
namespace {

using Clock = std::chrono::steady_clock;

struct Handed {
    unsigned shard = 0;
    std::unique_ptr<Batch> batch;
};

// So long may a batch wait for one that is urgent. Well below what a shard takes for congestion.
constexpr std::chrono::milliseconds kept_time{10};

std::chrono::microseconds to_us(Clock::duration time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time);
}

QueueState::Time now() {
    return std::chrono::duration_cast<QueueState::Time>(Clock::now().time_since_epoch());
}

}  // namespace

struct Committer::Impl {
    Impl(
        Database& the_database,
        QueueTable& the_queues,
        Listeners& the_listeners,
        const Options& the_options
    )
        : database(the_database),
          queues(the_queues),
          listeners(the_listeners),
          options(the_options),
          writes(the_database) {}

    void run();
    [[nodiscard]] bool is_due() const;
    bool receive();
    void wait_for_more();
    void drain(std::unique_lock<std::mutex>& lock);
    void commit(Group group);
    bool write(std::string& error);
    void count(const Group& group);
    void sync_when_due();
    void sync_log();
    void fail(const std::string& error);

    Database& database;
    QueueTable& queues;
    Listeners& listeners;
    const Options options;
    StoreMeter* meter = nullptr;

    std::mutex mutex;
    std::condition_variable wake;
    std::vector<Handed> inbox;  ///< Under `mutex`.
    bool is_stopping = false;   ///< Under `mutex`.
    bool is_sleeping = false;   ///< Under `mutex`.
    bool is_blocked = false;    ///< Under `mutex`.

    std::atomic<std::uint64_t> pending = 0;
    std::atomic<std::uint64_t> commits = 0;
    std::atomic<std::uint64_t> records = 0;

    // The thread's own.
    std::optional<Intake> intake;
    std::vector<Handed> received;
    Database::Group writes;
    std::optional<Clock::time_point> unsynced_since;
    std::optional<Clock::time_point> kept_since;  ///< Batches that nobody waits for.
    bool is_ending = false;                       ///< Nothing is kept any more.
    std::thread thread;
};

Committer::Committer(
    Database& database, QueueTable& queues, Listeners& listeners, const Options& options
)
    : impl_(std::make_unique<Impl>(database, queues, listeners, options)) {}

Committer::~Committer() {
    stop();
}

void Committer::set_meter(StoreMeter* meter) {
    impl_->meter = meter;
}

void Committer::start(std::size_t shards) {
    impl_->intake.emplace(shards, impl_->options.limits);
    impl_->thread = std::thread([this] { impl_->run(); });
}

void Committer::store(unsigned shard, std::unique_ptr<Batch> batch) {
    if (impl_->listeners.has_failed()) { return; }
    impl_->pending += batch->bytes();
    const std::lock_guard lock(impl_->mutex);
    impl_->inbox.push_back({shard, std::move(batch)});
    if (impl_->is_sleeping) {
        impl_->is_sleeping = false;
        impl_->wake.notify_one();
    }
}

void Committer::set_blocked(bool is_blocked) {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_blocked = is_blocked;
    impl_->wake.notify_one();
}

void Committer::stop() {
    if (!impl_->thread.joinable()) { return; }
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->is_stopping = true;
    }
    impl_->wake.notify_one();
    impl_->thread.join();
}

Committer::Counts Committer::counts() const {
    return {impl_->pending, impl_->commits, impl_->records};
}

void Committer::Impl::run() {
    while (!listeners.has_failed()) {
        if (!is_due()) {
            if (!receive() && intake->size() == 0) { break; }
            continue;
        }
        Group group = intake->take();
        if (group.empty()) {
            if (!receive()) { break; }
            continue;
        }
        kept_since.reset();
        commit(std::move(group));
        sync_when_due();
        std::unique_lock lock(mutex);
        drain(lock);
    }
    if (unsynced_since && !listeners.has_failed()) { sync_log(); }
}

/// Whether what is here is to be stored now: acknowledgements without receipt can wait a little.
bool Committer::Impl::is_due() const {
    if (intake->size() == 0) { return false; }
    return intake->is_urgent() || intake->is_full() || is_ending ||
           (kept_since && Clock::now() - *kept_since >= kept_time);
}

/// Waits until something has come, or something is to be done. Returns false at the end.
bool Committer::Impl::receive() {
    std::unique_lock lock(mutex);
    const auto is_ready = [this] { return !inbox.empty() || is_stopping; };
    if (intake->size() != 0 && !kept_since) { kept_since = Clock::now(); }
    std::optional<Clock::time_point> until;
    if (unsynced_since) { until = *unsynced_since + options.sync_interval; }
    if (kept_since && (!until || *kept_since + kept_time < *until)) {
        until = *kept_since + kept_time;
    }
    is_sleeping = true;
    if (until) {
        wake.wait_until(lock, *until, is_ready);
    } else {
        wake.wait(lock, is_ready);
    }
    is_sleeping = false;
    const bool has_work = !inbox.empty() || !is_stopping;
    is_ending = is_stopping;
    drain(lock);
    if (options.delay.count() > 0) { wait_for_more(); }
    sync_when_due();
    return has_work;
}

void Committer::Impl::wait_for_more() {
    const Clock::time_point end = Clock::now() + options.delay;
    while (intake->size() > 0 && !intake->is_full()) {
        std::unique_lock lock(mutex);
        is_sleeping = true;
        const bool is_over =
            !wake.wait_until(lock, end, [this] { return !inbox.empty() || is_stopping; });
        is_sleeping = false;
        const bool is_last = is_over || is_stopping;
        drain(lock);
        if (is_last) { return; }
    }
}

/// Moves what has come into the intake; lets go of the lock early.
void Committer::Impl::drain(std::unique_lock<std::mutex>& lock) {
    std::swap(inbox, received);
    lock.unlock();
    for (Handed& handed : received) {
        intake->add(handed.shard, std::move(handed.batch));
    }
    received.clear();
}

void Committer::Impl::commit(Group group) {
    const Clock::time_point begin = Clock::now();
    const std::uint64_t before = records;
    writes.clear();
    for (const auto& batches : group) {
        for (const auto& batch : batches) {
            queues.apply(*batch, writes);
        }
    }
    queues.finish_group(writes, now());
    std::string error;
    if (!write(error)) { return fail(error); }
    count(group);
    listeners.stored(std::move(group));
    if (meter == nullptr) { return; }
    meter->stored({to_us(Clock::now() - begin), database.take_sync_time(), records - before});
}

/// Writes the group, as soon as there is space for it.
bool Committer::Impl::write(std::string& error) {
    for (;;) {
        const Written written = database.write(writes, options.is_synced, error);
        if (written == Written::failed) { return false; }
        if (written == Written::yes) {
            if (!options.is_synced && !unsynced_since) { unsynced_since = Clock::now(); }
            return true;
        }
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return !is_blocked || is_stopping || listeners.has_failed(); });
        if (is_blocked) {
            error = "the disk is full";
            return false;
        }
    }
}

void Committer::Impl::count(const Group& group) {
    std::uint64_t group_bytes = 0;
    std::uint64_t group_records = 0;
    for (const auto& batches : group) {
        for (const auto& batch : batches) {
            group_bytes += batch->bytes();
            group_records += batch->records();
        }
    }
    pending -= group_bytes;
    records += group_records;
    ++commits;
}

void Committer::Impl::sync_when_due() {
    if (unsynced_since && Clock::now() - *unsynced_since >= options.sync_interval) { sync_log(); }
}

void Committer::Impl::sync_log() {
    unsynced_since.reset();
    const Clock::time_point begin = Clock::now();
    const std::string error = database.sync();
    if (!error.empty()) { return fail(error); }
    if (meter != nullptr) { meter->synced(to_us(Clock::now() - begin)); }
}

void Committer::Impl::fail(const std::string& error) {
    options.failed(fmt::format("the write-ahead log cannot be written: {}", error));
}

}  // namespace storage
