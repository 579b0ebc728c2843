// Seeds on the command line: test_sim [number of seeds] [first seed]. ctest runs a few hundred.
// A seed that fails is printed and becomes a regression line below.
#include "tests/sim/seeds.hpp"
#include "tests/sim/simulation.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace sim {

std::uint64_t seeds = 300;
std::uint64_t first_seed = 1;

namespace {

Report check(std::uint64_t seed) {
    Report report = simulate(seed);
    for (std::size_t i = 0; i < report.violations.size() && i < 5; ++i) {
        ADD_FAILURE() << "seed " << seed << ": " << report.violations[i];
    }
    return report;
}

/// How many of 30 seeds show the harm.
std::size_t caught(Sabotage sabotage) {
    std::size_t number = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        number += simulate(seed, sabotage).violations.empty() ? 0U : 1U;
    }
    return number;
}

}  // namespace

TEST(Simulation, TheTruthsHoldForEverySeed) {
    std::size_t messages = 0;
    std::uint64_t delivered = 0;
    std::uint64_t refused = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
        const Report report = check(seed);
        messages += report.messages;
        delivered += report.delivered;
        refused += report.refused;
    }
    std::cout << seeds << " seeds: " << messages << " messages, " << delivered << " deliveries, "
              << refused << " refusals\n";
    // A simulation in which little happens proves little.
    EXPECT_GT(messages, seeds * 20);
    EXPECT_GT(delivered, seeds * 20);
    EXPECT_GT(refused, seeds / 20);
}

TEST(Simulation, TheSameSeedIsTheSameRun) {
    const Report one = simulate(5);
    const Report two = simulate(5);
    EXPECT_EQ(one.messages, two.messages);
    EXPECT_EQ(one.delivered, two.delivered);
}

// The canaries: a broker that loses or repeats messages must not pass.
TEST(Simulation, ABrokerThatLosesMessagesIsCaught) {
    // In the others nothing was left to be eaten.
    EXPECT_GE(caught(Sabotage::eats), 10U);
}

TEST(Simulation, ABrokerThatRepeatsMessagesIsCaught) {
    EXPECT_GE(caught(Sabotage::repeats), 20U);
}

}  // namespace sim

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    if (argc > 1) { sim::seeds = std::strtoull(argv[1], nullptr, 10); }
    if (argc > 2) { sim::first_seed = std::strtoull(argv[2], nullptr, 10); }
    return RUN_ALL_TESTS();
}
