// Shards without threads: posted work, timers and virtual time in the hands of a test.
// One thread plays them all; work is FIFO for each pair of shards, as the real mailboxes are.
#pragma once

#include "broker/engine/shard.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace support {

class ShardGroup;

class QueuedShard : public engine::Shard {
public:
    QueuedShard(ShardGroup& group, unsigned index) : Shard(index), group_(group) {}

    void post(engine::Work work) override;
    [[nodiscard]] engine::Instant now() const override;
    [[nodiscard]] std::uint64_t wall_clock_ms() const override;
    void after(std::chrono::milliseconds delay, engine::Work work) override;
    void random(std::span<std::byte> out) override;

private:
    friend class ShardGroup;

    ShardGroup& group_;
};

/// In the order posted, or any order that is FIFO for each pair of shards.
enum class WorkOrder : std::uint8_t { posted, random };

class ShardGroup {
public:
    ShardGroup(unsigned count, std::uint64_t seed, WorkOrder order);

    [[nodiscard]] unsigned size() const { return static_cast<unsigned>(shards_.size()); }

    [[nodiscard]] QueuedShard& operator[](unsigned index) { return *shards_[index]; }

    [[nodiscard]] engine::Instant now() const { return now_; }

    /// Sets the wall clock forward, or back; time goes on as before.
    void set_wall_clock(std::chrono::milliseconds by) { wall_clock_ += by; }

    [[nodiscard]] std::chrono::milliseconds wall_clock() const { return wall_clock_ + now_; }

    /// Before anything has run.
    void set_now(engine::Instant now) { now_ = now; }

    /// Runs `work` as shard `index`. Nests.
    template <class F>
    decltype(auto) on(unsigned index, F&& work) {
        const Current restore(*this, index);
        return std::forward<F>(work)();
    }

    [[nodiscard]] bool has_work() const { return posted_ != 0; }

    /// Runs one piece of posted work; there must be some.
    void run_one();
    /// Moves time to the next timer that is due until `deadline` and runs it; false, and time at
    /// `deadline`, if there is none.
    bool run_timer(engine::Instant deadline);
    /// Forgets all posted work and timers.
    void clear();

    // For the shards.

    void post(unsigned target, engine::Work work);
    void after(unsigned target, std::chrono::milliseconds delay, engine::Work work);

    [[nodiscard]] std::mt19937_64& random() { return random_; }

private:
    static constexpr unsigned nobody = ~0U;

    class Current {
    public:
        Current(ShardGroup& group, unsigned index)
            : group_(group),
              before_(std::exchange(group.current_, index)),
              left_(QueuedShard::enter(&group[index])) {}

        ~Current() {
            group_.current_ = before_;
            QueuedShard::enter(left_);
        }

        Current(const Current&) = delete;
        Current& operator=(const Current&) = delete;

    private:
        ShardGroup& group_;
        unsigned before_;
        engine::Shard* left_;
    };

    struct Posted {
        std::uint64_t serial = 0;
        unsigned target = 0;
        engine::Work work;
    };

    struct Timer {
        unsigned target = 0;
        engine::Work work;
    };

    using Mailbox = std::deque<Posted>;

    [[nodiscard]] std::size_t choose() const;
    [[nodiscard]] std::size_t choose_any();

    const WorkOrder order_;
    std::mt19937_64 random_;
    std::vector<std::unique_ptr<QueuedShard>> shards_;
    std::vector<Mailbox> mailboxes_;  ///< By source (one more than shards: the test) and target.
    std::multimap<engine::Instant, Timer> timers_;
    engine::Instant now_{1'000'000};
    std::chrono::milliseconds wall_clock_{1'700'000'000'000};  ///< When time began.
    std::uint64_t last_serial_ = 0;
    std::size_t posted_ = 0;
    unsigned current_ = nobody;
};

}  // namespace support
