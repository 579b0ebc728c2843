// Durable queues and subscriptions under random clients, commits, crashes and restarts
// (durability.md, section 8: C1 to C9), and what a broken store must look like to the checker.
#include "tests/sim/durable_simulation.hpp"
#include "tests/sim/seeds.hpp"

#include <gtest/gtest.h>

#include <iostream>

namespace sim {

namespace {

/// How many of the first seeds show the fault.
std::size_t caught(Fault fault, std::uint64_t number) {
    std::size_t found = 0;
    for (std::uint64_t seed = 1; seed <= number; ++seed) {
        found += simulate_durably(seed, fault).violations.empty() ? 0U : 1U;
    }
    return found;
}

}  // namespace

TEST(DurableSimulation, C_1_TheContractHoldsForEverySeed) {
    DurableReport sum;
    for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
        const DurableReport report = simulate_durably(seed);
        for (std::size_t i = 0; i < report.violations.size() && i < 5; ++i) {
            ADD_FAILURE() << "seed " << seed << ": " << report.violations[i];
        }
        sum.crashes += report.crashes;
        sum.stops += report.stops;
        sum.messages += report.messages;
        sum.confirmed += report.confirmed;
        sum.refused += report.refused;
        sum.redelivered += report.redelivered;
        sum.drained += report.drained;
    }
    std::cout << "seeds " << first_seed << " to " << first_seed + seeds - 1 << ": " << sum.crashes
              << " crashes, " << sum.stops << " stops, " << sum.messages << " copies, "
              << sum.confirmed << " confirmed, " << sum.refused << " refused, " << sum.redelivered
              << " redelivered, " << sum.drained << " left at the end\n";
    // A simulation in which little happens proves little.
    EXPECT_GT(sum.crashes, seeds * 2);
    EXPECT_GT(sum.confirmed, seeds * 50);
    EXPECT_GT(sum.redelivered, seeds * 5);
}

TEST(DurableSimulation, TheSameSeedIsTheSameRun) {
    const DurableReport one = simulate_durably(7);
    const DurableReport two = simulate_durably(7);
    EXPECT_EQ(one.messages, two.messages);
    EXPECT_EQ(one.confirmed, two.confirmed);
    EXPECT_EQ(one.redelivered, two.redelivered);
}

// The canaries: a store that breaks one promise must not pass. In some runs nothing comes of it;
// the numbers are about half of what is found.
TEST(DurableSimulation, D_COM_03_ConfirmingBeforeTheCommitIsCaught) {
    EXPECT_GE(caught(Fault::confirms_early, 30), 15U);
}

TEST(DurableSimulation, C_7_LostAcknowledgementsAreCaught) {
    EXPECT_GE(caught(Fault::loses_acks, 30), 12U);
}

TEST(DurableSimulation, C_8_SplitTransactionsAreCaught) {
    EXPECT_GE(caught(Fault::splits_transactions, 50), 3U);
}

TEST(DurableSimulation, D_COM_06_ACursorBeforeItsMessagesIsCaught) {
    EXPECT_GE(caught(Fault::cursor_first, 30), 20U);
}

TEST(DurableSimulation, C_6_LostBoundsAreCaught) {
    EXPECT_GE(caught(Fault::loses_bounds, 30), 15U);
}

}  // namespace sim
