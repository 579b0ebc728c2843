// A line of requests under one lock, and a timed wait.
// Limits: none of its own.
#include "storage/reader.hpp"

#include "storage/read_messages.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace storage {
namespace {

using Clock = std::chrono::steady_clock;

struct Asked {
    unsigned shard = 0;
    ReadRequest request;
};

}  // namespace

struct Reader::Impl {
    Impl(const Database& the_database, Listeners& the_listeners, Chores the_chores)
        : database(the_database), listeners(the_listeners), chores(std::move(the_chores)) {}

    void run();
    void answer(const Asked& asked);

    const Database& database;
    Listeners& listeners;
    Chores chores;
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Asked> line;    ///< Under `mutex`.
    bool is_stopping = false;  ///< Under `mutex`.
    std::atomic<std::uint64_t> damaged = 0;
    std::thread thread;
};

Reader::Reader(const Database& database, Listeners& listeners, Chores chores)
    : impl_(std::make_unique<Impl>(database, listeners, std::move(chores))) {}

Reader::~Reader() {
    stop();
}

void Reader::start() {
    impl_->thread = std::thread([this] { impl_->run(); });
}

void Reader::read(unsigned shard, ReadRequest request) {
    const std::lock_guard lock(impl_->mutex);
    impl_->line.push_back({shard, request});
    impl_->wake.notify_one();
}

void Reader::stop() {
    if (!impl_->thread.joinable()) { return; }
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->is_stopping = true;
    }
    impl_->wake.notify_one();
    impl_->thread.join();
}

std::uint64_t Reader::damaged() const {
    return impl_->damaged;
}

void Reader::Impl::run() {
    Clock::time_point next_chores = Clock::now();
    std::unique_lock lock(mutex);
    while (!is_stopping) {
        if (Clock::now() >= next_chores) {
            lock.unlock();
            next_chores = Clock::now() + chores();
            lock.lock();
        }
        if (line.empty()) {
            wake.wait_until(lock, next_chores, [this] { return is_stopping || !line.empty(); });
            continue;
        }
        const Asked asked = line.front();
        line.pop_front();
        lock.unlock();
        answer(asked);
        lock.lock();
    }
}

void Reader::Impl::answer(const Asked& asked) {
    if (listeners.has_failed()) { return; }
    ReadResult result = read_messages(database, asked.request);
    damaged += result.damaged.size();
    listeners.read(asked.shard, std::move(result));
}

}  // namespace storage
