// One run of the engine with a store under a seed: random clients, random order of work, random
// commits; crashes and stops between; then the reckoning. Deterministic: the same seed gives the
// same run.
#pragma once

#include "tests/sim/doctored_store.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sim {

struct DurableReport {
    std::vector<std::string> violations;
    std::size_t crashes = 0;
    std::size_t stops = 0;
    std::size_t messages = 0;  ///< Copies.
    std::size_t confirmed = 0;
    std::size_t refused = 0;
    std::size_t redelivered = 0;
    std::size_t drained = 0;
};

[[nodiscard]] DurableReport simulate_durably(std::uint64_t seed, Fault fault = Fault::none);

}  // namespace sim
