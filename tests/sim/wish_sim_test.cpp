// The simulation of wishes by seeds (see sim_test), and doctored traces that its checker must
// catch.
#include "tests/sim/seeds.hpp"
#include "tests/sim/wish_checker.hpp"
#include "tests/sim/wish_simulation.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <string>

namespace sim {

TEST(WishSimulation, P_QOS_WishesAreGrantedForEverySeed) {
    WishReport sum;
    for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
        const WishReport report = simulate_wishes(seed);
        for (std::size_t i = 0; i < report.violations.size() && i < 5; ++i) {
            ADD_FAILURE() << "seed " << seed << ": " << report.violations[i];
        }
        sum.messages += report.messages;
        sum.delivered += report.delivered;
        sum.expired += report.expired;
        sum.dropped += report.dropped;
        sum.replayed += report.replayed;
        sum.retained += report.retained;
    }
    std::cout << seeds << " seeds: " << sum.messages << " messages, " << sum.delivered
              << " deliveries, " << sum.expired << " expired, " << sum.dropped << " dropped, "
              << sum.replayed << " replayed or live with offset, " << sum.retained << " retained\n";
    // A simulation in which little happens proves little.
    EXPECT_GT(sum.messages, seeds * 50);
    EXPECT_GT(sum.expired, seeds);
    EXPECT_GT(sum.dropped, seeds / 2);
    EXPECT_GT(sum.replayed, seeds * 5);
    EXPECT_GT(sum.retained, seeds / 4);
}

namespace {

using Trace = std::function<void(WishChecker&)>;

bool is_caught(const Trace& trace, const std::string& words) {
    WishChecker checker;
    trace(checker);
    checker.finish(1'000'000);
    for (const std::string& violation : checker.violations()) {
        if (violation.find(words) != std::string::npos) { return true; }
    }
    return false;
}

Wish wish_for(const std::function<void(Wish&)>& change) {
    Wish wish;
    wish.destination = "/queue/a";
    wish.is_accepted = true;
    change(wish);
    return wish;
}

}  // namespace

TEST(WishChecker, P_QOS_02_CatchesAnExpiredDelivery) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            const auto number = checker.sent(wish_for([](Wish& wish) { wish.expires = 100; }));
            checker.received(number, 1, 100);
        },
        "had expired"
    ));
}

TEST(WishChecker, P_QOS_03_CatchesAnEarlyDelivery) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            const auto number = checker.sent(wish_for([](Wish& wish) { wish.due = 100; }));
            checker.received(number, 1, 99);
        },
        "before it was due"
    ));
}

TEST(WishChecker, P_QOS_04_CatchesAPriorityThatIsOvertaken) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            const auto low = checker.sent(wish_for([](Wish& wish) { wish.priority = 1; }));
            const auto high = checker.sent(wish_for([](Wish& wish) { wish.priority = 5; }));
            checker.drained({low, high}, true, 0);
        },
        "lower priority"
    ));
}

TEST(WishChecker, P_QOS_05_CatchesAGroupInTwoHands) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            const auto one = checker.sent(wish_for([](Wish& wish) { wish.group = "g"; }));
            const auto two = checker.sent(wish_for([](Wish& wish) { wish.group = "g"; }));
            checker.received(one, 1, 0);
            checker.received(two, 2, 0);
        },
        "held its group"
    ));
}

TEST(WishChecker, P_QOS_06_CatchesADuplicate) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            const auto one = checker.sent(wish_for([](Wish& wish) { wish.dedup_id = "d"; }));
            const auto two = checker.sent(wish_for([](Wish& wish) { wish.dedup_id = "d"; }));
            checker.received(one, 1, 0);
            checker.received(two, 1, 0);
        },
        "is a duplicate"
    ));
}

TEST(WishChecker, P_QOS_06_CatchesTheLossOfAllDuplicates) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            (void)checker.sent(wish_for([](Wish& wish) { wish.dedup_id = "d"; }));
        },
        "duplicates are lost"
    ));
}

TEST(WishChecker, P_SEL_05_CatchesWhatWasNotSelected) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            const auto number = checker.sent(wish_for([](Wish& wish) { wish.kind = "red"; }));
            checker.subscribed(1, "blue");
            checker.received(number, 1, 0);
        },
        "was not selected"
    ));
}

TEST(WishChecker, P_SEND_08_CatchesAnOverfullQueue) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            const auto one = checker.sent(wish_for([](Wish&) {}));
            const auto two = checker.sent(wish_for([](Wish&) {}));
            checker.drained({one, two}, false, 1);
        },
        "messages waited"
    ));
}

TEST(WishChecker, CatchesLossDoublingAndDisorder) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) { (void)checker.sent(wish_for([](Wish&) {})); }, "is lost"
    ));
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            const auto number = checker.sent(wish_for([](Wish&) {}));
            checker.received(number, 1, 0);
            checker.settled(number, 1);
            checker.received(number, 2, 0);
        },
        "after it was settled"
    ));
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            const auto one = checker.sent(wish_for([](Wish&) {}));
            const auto two = checker.sent(wish_for([](Wish&) {}));
            checker.drained({two, one}, false, 0);
        },
        "out of order"
    ));
}

TEST(WishChecker, P_QOS_12_CatchesGapsDoublesAndForks) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            checker.replayed(1, 5, checker.sent({}));
            checker.replayed(1, 7, checker.sent({}));
        },
        "came after"
    ));
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            checker.replayed(1, 5, checker.sent({}));
            checker.replayed(2, 5, checker.sent({}));
        },
        "is two messages"
    ));
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            checker.replayed(1, 5, checker.sent({}));
            checker.replay_ended(1, 6);
        },
        "ended at offset"
    ));
}

TEST(WishChecker, P_QOS_09_CatchesGapsBesideRetainedMessages) {
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            checker.counted(1, 3, true);
            checker.counted(1, 5, false);
        },
        "came after"
    ));
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            checker.counted(1, 3, false);
            checker.counted(1, 4, true);
        },
        "a retained message came after"
    ));
    EXPECT_TRUE(is_caught(
        [](WishChecker& checker) {
            checker.counted(1, 3, true);
            checker.count_ended(1, 4);
        },
        "ended at"
    ));
}

}  // namespace sim
