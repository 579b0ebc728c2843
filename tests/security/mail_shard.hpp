// A shard for tests of what other threads answer: the test runs its mail.
// Delays are noted and not waited for.
#pragma once

#include "broker/engine/shard.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace security {

/// Runs what is posted from any thread on the test's.
class MailShard final : public engine::Shard {
public:
    MailShard() : Shard(0) {}

    void post(engine::Work work) override {
        const std::lock_guard lock(mutex_);
        mail_.push_back(std::move(work));
        changed_.notify_all();
    }

    [[nodiscard]] engine::Instant now() const override { return engine::Instant(1); }

    [[nodiscard]] std::uint64_t wall_clock_ms() const override { return 1'700'000'000'000; }

    void after(std::chrono::milliseconds delay, engine::Work work) override {
        delays.push_back(delay.count());
        post(std::move(work));
    }

    void random(std::span<std::byte>) override {}

    void run_one() {
        engine::Work work;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return !mail_.empty(); });
            work = std::move(mail_.front());
            mail_.pop_front();
        }
        work();
    }

    std::vector<std::int64_t> delays;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<engine::Work> mail_;
};

}  // namespace security
