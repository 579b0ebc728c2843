// Queues at work under a seed: random consumers, with or without a store that holds most of what
// waits, then the reckoning. Deterministic: the same seed gives the same run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sim {

struct QueueReport {
    std::vector<std::string> violations;
    std::size_t messages = 0;
    std::uint64_t delivered = 0;
    std::uint64_t redelivered = 0;
    std::uint64_t expired = 0;
    std::uint64_t dropped = 0;
};

[[nodiscard]] QueueReport simulate_queues(std::uint64_t seed);

}  // namespace sim
