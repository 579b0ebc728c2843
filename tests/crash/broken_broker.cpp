// A broker that breaks its promises on purpose: the campaigns of this folder must find it out.
// BROKEN_BROKER names how; `serve` with the flags the harness uses, nothing else.
#include "broker/log/log.hpp"
#include "broker/server/config.hpp"
#include "broker/server/server.hpp"
#include "broker/server/store.hpp"
#include "storage/message_store.hpp"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Batches = std::vector<std::unique_ptr<storage::Batch>>;

/// What a kind of broken store does otherwise than a sound one.
struct Breakage {
    bool without_sync = false;      ///< Relaxed for ever, said to be `sync`.
    bool confirms_at_once = false;  ///< And hands the batch on later.
    bool loses_acks = false;        ///< What has left a queue is not stored.
    bool ignores_failure = false;   ///< A failed store goes on confirming; a full disk is none.
    bool hides_damage = false;      ///< Damaged records are passed over.
};

std::optional<Breakage> breakage_of(std::string_view name) {
    Breakage breakage;
    if (name == "sync-off") {
        breakage.without_sync = true;
    } else if (name == "confirm-before-commit") {
        breakage.confirms_at_once = true;
    } else if (name == "lose-acks") {
        breakage.loses_acks = true;
    } else if (name == "ignore-failure") {
        breakage.ignores_failure = true;
    } else if (name == "hide-damage") {
        breakage.hides_damage = true;
    } else {
        return std::nullopt;
    }
    return breakage;
}

std::unique_ptr<storage::Batch> without_removes(const storage::Batch& batch) {
    auto kept = std::make_unique<storage::Batch>();
    for (const auto& change : batch.defines()) {
        kept->define(change);
    }
    for (const auto& change : batch.appends()) {
        kept->append(change);
    }
    for (const auto& change : batch.drops()) {
        kept->drop(change);
    }
    for (const auto& part : batch.parts()) {
        kept->join(part);
    }
    return kept;
}

/// Batches that the shard believes to be under way, and what it is told about them.
class BrokenListener : public storage::StoreListener {
public:
    BrokenListener(storage::StoreListener& shard, const Breakage& breakage)
        : shard_(shard), breakage_(breakage) {}

    /// True if the store is to get the batch; else the shard has been told already.
    bool take(std::unique_ptr<storage::Batch> batch) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(batch));
        if (has_failed_ || breakage_.confirms_at_once) { confirm(waiting_.size()); }
        return !has_failed_;
    }

    void stored(Batches batches) override {
        const std::lock_guard lock(mutex_);
        if (!breakage_.confirms_at_once) { confirm(batches.size()); }
    }

    void read(storage::ReadResult result) override {
        const std::lock_guard lock(mutex_);
        if (breakage_.hides_damage) { result.damaged.clear(); }
        shard_.read(std::move(result));
    }

    void failed(std::string reason) override {
        const std::lock_guard lock(mutex_);
        if (!breakage_.ignores_failure) { return shard_.failed(std::move(reason)); }
        has_failed_ = true;
        confirm(waiting_.size());
    }

private:
    void confirm(std::size_t count) {
        Batches batches;
        for (; count > 0 && !waiting_.empty(); --count) {
            batches.push_back(std::move(waiting_.front()));
            waiting_.pop_front();
        }
        if (!batches.empty()) { shard_.stored(std::move(batches)); }
    }

    storage::StoreListener& shard_;
    const Breakage breakage_;
    std::mutex mutex_;
    std::deque<std::unique_ptr<storage::Batch>> waiting_;
    bool has_failed_ = false;
};

/// Runs work in order, each piece a while after it was posted.
class LateThread {
public:
    using Clock = std::chrono::steady_clock;

    ~LateThread() { stop(); }

    void post(std::function<void()> work) {
        const std::lock_guard lock(mutex_);
        line_.emplace_back(Clock::now() + lateness, std::move(work));
        wake_.notify_one();
    }

    /// After what was posted has run.
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
            wake_.notify_one();
        }
        if (thread_.joinable()) { thread_.join(); }
    }

private:
    static constexpr std::chrono::milliseconds lateness{100};

    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            wake_.wait(lock, [this] { return is_stopping_ || !line_.empty(); });
            if (line_.empty()) { return; }
            const auto due = line_.front().first;
            if (!is_stopping_ && Clock::now() < due) {
                wake_.wait_until(lock, due);
                continue;
            }
            const auto work = std::move(line_.front().second);
            line_.pop_front();
            lock.unlock();
            work();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::pair<Clock::time_point, std::function<void()>>> line_;
    bool is_stopping_ = false;
    std::thread thread_{[this] { run(); }};
};

class BrokenStore : public storage::MessageStore {
public:
    BrokenStore(std::unique_ptr<storage::MessageStore> store, const Breakage& breakage)
        : store_(std::move(store)), breakage_(breakage) {}

    std::vector<storage::RecoveredQueue> take_recovered() override {
        return store_->take_recovered();
    }

    void start(std::vector<storage::StoreListener*> listeners) override {
        std::vector<storage::StoreListener*> broken;
        for (storage::StoreListener* const shard : listeners) {
            listeners_.push_back(std::make_unique<BrokenListener>(*shard, breakage_));
            broken.push_back(listeners_.back().get());
        }
        store_->start(std::move(broken));
    }

    storage::QueueId new_queue_id() override { return store_->new_queue_id(); }

    void store(unsigned shard, std::unique_ptr<storage::Batch> batch) override {
        auto copy = breakage_.loses_acks ? without_removes(*batch)
                                         : std::make_unique<storage::Batch>(*batch);
        if (!listeners_[shard]->take(std::move(batch))) { return; }
        if (!breakage_.confirms_at_once) { return store_->store(shard, std::move(copy)); }
        const std::shared_ptr<storage::Batch> late = std::move(copy);
        late_.post([this, shard, late] {
            store_->store(shard, std::make_unique<storage::Batch>(*late));
        });
    }

    void read(unsigned shard, storage::ReadRequest request) override {
        store_->read(shard, request);
    }

    [[nodiscard]] storage::StoreState state() const override {
        storage::StoreState state = store_->state();
        if (breakage_.without_sync) { state.durability = "sync"; }
        if (breakage_.hides_damage) { state.damaged = 0; }
        if (breakage_.ignores_failure) {
            state.failure.clear();
            state.is_disk_low = false;
        }
        return state;
    }

    [[nodiscard]] bool accepts_appends() const override {
        return breakage_.ignores_failure || store_->accepts_appends();
    }

    bool close() override {
        late_.stop();
        return store_->close() || breakage_.ignores_failure;
    }

private:
    const std::unique_ptr<storage::MessageStore> store_;
    const Breakage breakage_;
    std::vector<std::unique_ptr<BrokenListener>> listeners_;
    LateThread late_;
};

std::unique_ptr<storage::MessageStore> open_broken_store(
    const server::Config& config, const Breakage& breakage
) {
    server::Config changed = config;
    if (breakage.without_sync) {
        changed.storage.durability = server::Durability::relaxed;
        changed.storage.relaxed_interval = std::chrono::hours(24);
    }
    auto store = server::open_store(changed);
    if (!store) { return nullptr; }
    return std::make_unique<BrokenStore>(std::move(store), breakage);
}

/// `--NAME VALUE` pairs behind `serve`.
server::Flags flags_of(int argc, char** argv) {
    std::map<std::string_view, std::string> given;
    for (int i = 2; i + 1 < argc; i += 2) {
        given[argv[i]] = argv[i + 1];
    }
    server::Flags flags;
    flags.data = given["--data"];
    flags.config = given["--config"];
    flags.ports_file = given["--ports-file"];
    flags.tcp = given["--tcp"];
    flags.ws = given["--ws"];
    flags.admin = given["--admin"];
    flags.threads = static_cast<unsigned>(std::strtoul(given["--threads"].c_str(), nullptr, 10));
    return flags;
}

int serve(const server::Flags& flags, const Breakage& breakage) {
    const server::LoadedConfig loaded =
        server::load_config(flags, [](const char* name) { return std::getenv(name); });
    if (!loaded.ok()) {
        std::fprintf(stderr, "%s\n", loaded.errors.front().text().c_str());
        return 3;
    }
    logging::init(loaded.config.log);
    return server::run(loaded, [&breakage](const server::Config& config) {
        return open_broken_store(config, breakage);
    });
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const char* const name = std::getenv("BROKEN_BROKER");
    const std::optional<Breakage> breakage = breakage_of(name == nullptr ? "" : name);
    if (!breakage) {
        std::fprintf(stderr, "BROKEN_BROKER names no way to break: see breakage_of()\n");
        return 2;
    }
    try {
        return serve(flags_of(argc, argv), *breakage);
    } catch (const storage::StoreError& error) {
        std::fprintf(stderr, "broken_broker: %s\n", error.what());
        return error.is_damage() ? 6 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "broken_broker: %s\n", error.what());
        return 1;
    }
}
