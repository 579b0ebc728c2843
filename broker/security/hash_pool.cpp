#include "broker/security/hash_pool.hpp"

#include <utility>

namespace security {

HashPool::HashPool(Limits limits) : queue_(limits.queue) {
    try {
        for (std::size_t i = 0; i < limits.threads; ++i) {
            threads_.emplace_back([this] { work(); });
        }
    } catch (...) {
        stop();
        throw;
    }
}

HashPool::~HashPool() {
    stop();
}

bool HashPool::submit(std::string_view address, Standing standing, HashJob job) {
    FairQueue::Pushed pushed;
    {
        const std::lock_guard lock(mutex_);
        if (is_stopping_) { return false; }
        pushed = queue_.push(address, standing, std::move(job));
        if (!pushed.is_taken || pushed.displaced) { ++counters_.overloads; }
    }
    if (pushed.is_taken) { changed_.notify_one(); }
    if (pushed.displaced) { run(pushed.displaced, Turn::overload); }
    return pushed.is_taken;
}

void HashPool::stop() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
    // Not under the lock: what a job holds may ask us something when it goes.
    while (const HashJob dropped = next()) {}
}

HashPool::Counters HashPool::counters() const {
    const std::lock_guard lock(mutex_);
    Counters counters = counters_;
    counters.waiting = queue_.size();
    return counters;
}

void HashPool::work() {
    for (;;) {
        HashJob job;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return is_stopping_ || queue_.size() > 0; });
            if (is_stopping_) { return; }
            job = queue_.pop();
            ++counters_.hashed;
        }
        run(job, Turn::hash);
    }
}

HashJob HashPool::next() {
    const std::lock_guard lock(mutex_);
    return queue_.pop();
}

void HashPool::run(const HashJob& job, Turn turn) {
    try {
        job(turn);
    } catch (...) {
        const std::lock_guard lock(mutex_);
        ++counters_.failures;
    }
}

}  // namespace security
