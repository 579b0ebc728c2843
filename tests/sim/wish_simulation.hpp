// Random publishers and subscribers whose messages and subscriptions ask for something, in random
// order on one to three shards. One seed is one run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sim {

struct WishReport {
    std::vector<std::string> violations;
    std::size_t messages = 0;
    std::uint64_t delivered = 0;
    std::uint64_t expired = 0;
    std::uint64_t dropped = 0;
    std::uint64_t replayed = 0;
    std::uint64_t retained = 0;
};

[[nodiscard]] WishReport simulate_wishes(std::uint64_t seed);

}  // namespace sim
