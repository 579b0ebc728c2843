// One run of the engine under a seed: random clients, random order of work, then the reckoning.
// Deterministic: the same seed gives the same run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sim {

/// What the run does to the broker on purpose, to show that the checker notices.
enum class Sabotage : std::uint8_t {
    none,
    eats,     ///< Somebody unknown takes messages out of a queue: as if they were lost.
    repeats,  ///< Somebody unknown sends messages again: as if they were delivered twice.
};

struct Report {
    std::vector<std::string> violations;
    std::size_t messages = 0;
    std::uint64_t delivered = 0;
    std::uint64_t refused = 0;
};

[[nodiscard]] Report simulate(std::uint64_t seed, Sabotage sabotage = Sabotage::none);

}  // namespace sim
