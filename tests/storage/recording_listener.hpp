// A shard's ear that remembers, and lets a test wait for what it hears.
// Any thread; waits end after a minute with a failure.
#pragma once

#include "storage/message_store.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

class RecordingListener : public storage::StoreListener {
public:
    void stored(std::vector<std::unique_ptr<storage::Batch>> batches) override {
        const std::lock_guard lock(mutex_);
        ++calls_;
        for (auto& batch : batches) {
            batches_.push_back(std::move(batch));
        }
        changed_.notify_all();
    }

    void read(storage::ReadResult result) override {
        const std::lock_guard lock(mutex_);
        results_.push_back(std::move(result));
        changed_.notify_all();
    }

    void failed(std::string reason) override {
        const std::lock_guard lock(mutex_);
        failures_.push_back(std::move(reason));
        changed_.notify_all();
    }

    /// Waits until so many batches were stored since the beginning.
    void wait_stored(std::size_t count) {
        wait([this, count] { return batches_.size() >= count; });
    }

    [[nodiscard]] storage::ReadResult wait_read() {
        wait([this] { return !results_.empty(); });
        const std::lock_guard lock(mutex_);
        if (results_.empty()) { return {}; }
        storage::ReadResult result = std::move(results_.front());
        results_.erase(results_.begin());
        return result;
    }

    void wait_failed() {
        wait([this] { return !failures_.empty(); });
    }

    [[nodiscard]] std::size_t stored_count() const {
        const std::lock_guard lock(mutex_);
        return batches_.size();
    }

    [[nodiscard]] std::size_t calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }

    [[nodiscard]] std::vector<std::string> failures() const {
        const std::lock_guard lock(mutex_);
        return failures_;
    }

private:
    template <class Condition>
    void wait(Condition condition) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, std::chrono::minutes(1), condition));
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<storage::Batch>> batches_;
    std::vector<storage::ReadResult> results_;
    std::vector<std::string> failures_;
    std::size_t calls_ = 0;
};
