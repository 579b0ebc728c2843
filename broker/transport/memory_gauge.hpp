// What messages and output take of `limits.memory`, all shards together (S-RATE-04).
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

namespace transport {

/// Of any thread. Each shard adds its difference after each turn, so that a publisher is stopped
/// within a turn of the alarm, however fast it sends.
class MemoryGauge {
public:
    /// Octets from which publishers pause, and from which no new connection is taken.
    void set_alarms(std::int64_t first, std::int64_t second) {
        alarm_1_.store(first, std::memory_order_relaxed);
        alarm_2_.store(second, std::memory_order_relaxed);
    }

    void add(std::int64_t octets) { used_.fetch_add(octets, std::memory_order_relaxed); }

    /// Accounted octets.
    [[nodiscard]] std::int64_t used() const { return used_.load(std::memory_order_relaxed); }

    /// 0; 1: publishers pause; 2: no new connection is taken either.
    [[nodiscard]] int level() const {
        const std::int64_t octets = used();
        if (octets < alarm_1_.load(std::memory_order_relaxed)) { return 0; }
        return octets < alarm_2_.load(std::memory_order_relaxed) ? 1 : 2;
    }

private:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    std::atomic<std::int64_t> used_{0};
    std::atomic<std::int64_t> alarm_1_{never};
    std::atomic<std::int64_t> alarm_2_{never};
};

}  // namespace transport
