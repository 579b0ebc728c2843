// How many messages a second the store takes and lets go, and what each costs in processor time;
// beside it the bare limit: the same octets appended to a file and synced in groups of the same
// size. store_bench DIRECTORY [MESSAGES [OCTETS [GROUP [QUEUES [sync|relaxed]]]]]
#include "storage/rocks_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
    std::string directory;
    std::size_t messages = 1'000'000;
    std::size_t octets = 400;
    std::size_t group = 1000;
    std::size_t queues = 1;
    storage::Durability durability = storage::Durability::sync;
};

/// Processor time of the whole process.
double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Prints what happened since it was made.
class Watch {
public:
    void print(std::string_view what, std::size_t messages) const {
        const double wall = std::chrono::duration<double>(Clock::now() - wall_).count();
        const double cpu = cpu_seconds() - cpu_;
        const auto count = static_cast<double>(messages);
        fmt::print(
            "{:<28} {:>9.0f} messages/s  {:>6.2f} us CPU a message  {:.2f} s\n",
            what,
            count / wall,
            cpu / count * 1e6,
            wall
        );
    }

private:
    Clock::time_point wall_ = Clock::now();
    double cpu_ = cpu_seconds();
};

/// Lets at most three groups be under way.
class Listener : public storage::StoreListener {
public:
    void stored(std::vector<std::unique_ptr<storage::Batch>> batches) override {
        const std::lock_guard lock(mutex_);
        for (auto& batch : batches) {
            batch->clear();
            free_.push_back(std::move(batch));
        }
        changed_.notify_one();
    }

    void read(storage::ReadResult /*result*/) override {}

    void failed(std::string reason) override {
        fmt::print(stderr, "{}\n", reason);
        std::abort();
    }

    std::unique_ptr<storage::Batch> take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !free_.empty(); });
        auto batch = std::move(free_.back());
        free_.pop_back();
        return batch;
    }

    void give(std::unique_ptr<storage::Batch> batch) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(batch));
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<storage::Batch>> free_;
};

void run_bare(const Settings& settings) {
    const std::string path = settings.directory + "/bare";
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const std::string octets(settings.octets * settings.group, 'x');
    const Watch watch;
    for (std::size_t done = 0; done < settings.messages; done += settings.group) {
        if (::write(file, octets.data(), octets.size()) < 0) { std::abort(); }
        if (::fdatasync(file) != 0) { std::abort(); }
    }
    watch.print("bare append and fdatasync", settings.messages);
    ::close(file);
    ::unlink(path.c_str());
}

/// Appends messages; each batch takes out what the one before the last brought in.
class Load {
public:
    Load(const Settings& settings, storage::MessageStore& store, Listener& listener)
        : settings_(settings), store_(store), listener_(listener), lasts_(settings.queues, 0) {}

    void define() {
        auto batch = std::make_unique<storage::Batch>();
        for (std::size_t i = 0; i < settings_.queues; ++i) {
            ids_.push_back(store_.new_queue_id());
            batch->define({ids_.back(), {fmt::format("/queue/{}", i), {}}});
        }
        store_.store(0, std::move(batch));
    }

    void run(bool has_consumers) {
        for (std::size_t done = 0; done < settings_.messages; done += settings_.group) {
            auto batch = listener_.take();
            for (std::size_t i = 0; i < settings_.group; ++i) {
                const std::size_t queue = i % settings_.queues;
                batch->append({ids_[queue], ++lasts_[queue], *octets_, octets_});
            }
            if (has_consumers && done >= 2 * settings_.group) { remove(*batch); }
            batch->set_urgent();
            store_.store(0, std::move(batch));
        }
        finish();
    }

private:
    /// As an engine does: one range for each run of acknowledgements, here of 20.
    void remove(storage::Batch& batch) {
        const std::size_t each = settings_.group / settings_.queues;
        for (std::size_t queue = 0; queue < settings_.queues; ++queue) {
            storage::Sequence first = lasts_[queue] - 3 * each + 1;
            for (std::size_t left = each; left > 0;) {
                const std::size_t size = std::min<std::size_t>(left, 20);
                batch.remove({ids_[queue], {first, first + size - 1}, size * settings_.octets});
                first += size;
                left -= size;
            }
        }
    }

    void finish() {
        // Two of ours and that of the definitions.
        std::vector<std::unique_ptr<storage::Batch>> all;
        for (int i = 0; i < 3; ++i) {
            all.push_back(listener_.take());
        }
        for (auto& batch : all) {
            listener_.give(std::move(batch));
        }
    }

    const Settings& settings_;
    storage::MessageStore& store_;
    Listener& listener_;
    std::vector<storage::QueueId> ids_;
    std::vector<storage::Sequence> lasts_;
    std::shared_ptr<const std::string> octets_ =
        std::make_shared<const std::string>(settings_.octets, 'x');
};

storage::RocksOptions store_options(const Settings& settings) {
    storage::RocksOptions options;
    options.directory = settings.directory + "/store";
    options.durability = settings.durability;
    options.allow_unsafe_filesystem = true;
    options.disk_floor = 1;
    options.reserve_bytes = 0;
    return options;
}

void run_store(const Settings& settings, bool has_consumers, bool is_closed) {
    std::filesystem::remove_all(settings.directory + "/store");
    auto store = storage::open_rocks_store(store_options(settings));
    Listener listener;
    store->start({&listener});
    listener.give(std::make_unique<storage::Batch>());
    listener.give(std::make_unique<storage::Batch>());
    Load load(settings, *store, listener);
    load.define();
    const Watch watch;
    load.run(has_consumers);
    watch.print(has_consumers ? "append and remove" : "append only", settings.messages);
    const storage::StoreState state = store->state();
    fmt::print(
        "  {} groups, {} records, {} MiB\n", state.commits, state.records, state.size >> 20U
    );
    if (!is_closed) { ::kill(::getpid(), SIGKILL); }
    const Watch closing;
    store->close();
    closing.print("close", settings.messages);
}

void open_again(const Settings& settings, std::string_view after) {
    const Watch watch;
    const auto store = storage::open_rocks_store(store_options(settings));
    watch.print(after, settings.messages);
    fmt::print("  {} messages found\n", store->take_recovered().front().messages);
}

/// In a process of its own, which is killed at the end. Before any store is opened here: the
/// database's threads would be missing there.
void run_killed(const Settings& settings) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) { run_store(settings, false, false); }
    int status = 0;
    ::waitpid(child, &status, 0);
}

std::size_t number_of(int count, char** arguments, int index, std::size_t fallback) {
    return index < count ? std::strtoull(arguments[index], nullptr, 10) : fallback;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        fmt::print(
            stderr, "store_bench DIRECTORY [MESSAGES [OCTETS [GROUP [QUEUES [sync|relaxed]]]]]\n"
        );
        return 2;
    }
    Settings settings;
    settings.directory = arguments[1];
    settings.messages = number_of(count, arguments, 2, settings.messages);
    settings.octets = number_of(count, arguments, 3, settings.octets);
    settings.group = number_of(count, arguments, 4, settings.group);
    settings.queues = number_of(count, arguments, 5, settings.queues);
    if (count > 6 && std::string_view(arguments[6]) == "relaxed") {
        settings.durability = storage::Durability::relaxed;
    }
    std::filesystem::create_directories(settings.directory);
    run_bare(settings);
    run_killed(settings);
    open_again(settings, "open after a kill");
    run_store(settings, true, true);
    open_again(settings, "open after a clean stop");
    run_store(settings, false, true);
    open_again(settings, "open after a clean stop");
    std::filesystem::remove_all(settings.directory + "/store");
    return 0;
}
