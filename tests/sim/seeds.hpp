// Which seeds to run: from the command line, test_sim [number of seeds] [first seed].
#pragma once

#include <cstdint>

namespace sim {

extern std::uint64_t seeds;
extern std::uint64_t first_seed;

}  // namespace sim
