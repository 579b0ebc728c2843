// The threads on which passcodes are hashed, so that no network thread ever waits (S-AUTH-08).
// Jobs wait in a FairQueue; what a job does when it is done is its own affair (post to a shard).
#pragma once

#include "broker/security/fair_queue.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace security {

class HashPool {
public:
    struct Limits {
        std::size_t threads = 1;
        std::size_t queue = 64;  ///< Jobs that wait, without those being computed.
    };

    struct Counters {
        std::uint64_t hashed = 0;     ///< Jobs begun.
        std::uint64_t overloads = 0;  ///< Not taken, or displaced.
        std::uint64_t failures = 0;   ///< Jobs that threw; what they threw is dropped.
        std::size_t waiting = 0;
    };

    /// Starts the threads. Throws std::system_error if the system has none.
    explicit HashPool(Limits limits);
    ~HashPool();

    HashPool(const HashPool&) = delete;
    HashPool& operator=(const HashPool&) = delete;

    /// Any thread; does not block. True: `job` will be called once, with `Turn::hash` on a thread
    /// of the pool, or with `Turn::overload` on the thread of whoever displaced it; unless stop()
    /// comes first. False: there is no place for it (answer `overload`) and it will not be called.
    /// `address`: an IPv4 address or an IPv6 /64.
    [[nodiscard]] bool submit(std::string_view address, Standing standing, HashJob job);

    /// Waits for the jobs being computed and drops those that wait: they are destroyed, not called.
    /// Not from a job. May be called again.
    void stop();

    [[nodiscard]] Counters counters() const;

private:
    void work();
    [[nodiscard]] HashJob next();
    void run(const HashJob& job, Turn turn);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    FairQueue queue_;
    Counters counters_;
    bool is_stopping_ = false;
    std::vector<std::thread> threads_;  ///< Used where it is made and by stop().
};

}  // namespace security
