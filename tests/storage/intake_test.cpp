// Which batches form a group: limits, and transactions over several shards.
// Pure.
#include "storage/intake.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace {

using storage::Batch;
using storage::Group;
using storage::Intake;

std::unique_ptr<Batch> batch_of(std::size_t records, std::vector<Batch::Part> parts = {}) {
    auto batch = std::make_unique<Batch>();
    for (std::size_t i = 0; i < records; ++i) {
        batch->append({1, i + 1, "0123456789", {}});
    }
    for (const Batch::Part& part : parts) {
        batch->join(part);
    }
    return batch;
}

std::vector<std::size_t> sizes(const Group& group) {
    std::vector<std::size_t> all;
    for (const auto& batches : group) {
        all.push_back(batches.size());
    }
    return all;
}

using Sizes = std::vector<std::size_t>;

TEST(Intake, D_COM_02_NoBatchJoinsBeyondTheLimitsAndNoShardWaitsForAnother) {
    Intake intake(2, {10, 1'000'000});
    for (int i = 0; i < 6; ++i) {
        intake.add(0, batch_of(4));
    }
    intake.add(1, batch_of(4));
    EXPECT_TRUE(intake.is_full());
    EXPECT_EQ(sizes(intake.take()), (Sizes{2, 1}));
    EXPECT_EQ(sizes(intake.take()), (Sizes{3, 0}));
    EXPECT_EQ(sizes(intake.take()), (Sizes{1, 0}));
    EXPECT_TRUE(intake.take().empty());
    EXPECT_EQ(intake.size(), 0U);
    EXPECT_EQ(intake.records(), 0U);
}

TEST(Intake, D_COM_02_LimitsCountOctetsToo) {
    Intake intake(1, {1000, 100});
    for (int i = 0; i < 4; ++i) {
        intake.add(0, batch_of(6));
    }
    EXPECT_EQ(sizes(intake.take()), Sizes{2});
}

TEST(Intake, D_COM_02_ABatchBeyondTheLimitsIsNotSplit) {
    Intake intake(1, {10, 100});
    intake.add(0, batch_of(50));
    EXPECT_EQ(sizes(intake.take()), Sizes{1});
}

TEST(Intake, D_COM_02_ATransactionWaitsForAllItsParts) {
    Intake intake(3, {});
    intake.add(0, batch_of(1));
    intake.add(0, batch_of(1, {{7, 3}}));
    intake.add(0, batch_of(1));
    intake.add(1, batch_of(1, {{7, 3}}));
    EXPECT_EQ(sizes(intake.take()), (Sizes{1, 0, 0}));
    EXPECT_TRUE(intake.take().empty());
    intake.add(2, batch_of(1, {{7, 3}}));
    EXPECT_EQ(sizes(intake.take()), (Sizes{2, 1, 1}));
}

TEST(Intake, D_COM_02_ATransactionIsNotSplitByALimit) {
    Intake intake(2, {1, 1'000'000});
    intake.add(0, batch_of(1, {{7, 2}}));
    intake.add(1, batch_of(1));
    intake.add(1, batch_of(1));
    intake.add(1, batch_of(1, {{7, 2}, {8, 2}}));
    intake.add(1, batch_of(1, {{8, 2}}));
    intake.add(1, batch_of(1));
    EXPECT_EQ(sizes(intake.take()), (Sizes{1, 4}));
    EXPECT_EQ(sizes(intake.take()), (Sizes{0, 1}));
}

TEST(Intake, D_COM_02_AnIncompleteTransactionBlocksThoseThatNeedWhatIsBehindIt) {
    Intake intake(2, {});
    intake.add(0, batch_of(1, {{7, 2}}));
    intake.add(0, batch_of(1, {{8, 2}}));
    intake.add(1, batch_of(1));
    intake.add(1, batch_of(1, {{8, 2}}));
    EXPECT_EQ(sizes(intake.take()), (Sizes{0, 1}));
    EXPECT_TRUE(intake.take().empty());
    intake.add(1, batch_of(1, {{7, 2}}));
    EXPECT_EQ(sizes(intake.take()), (Sizes{2, 2}));
}

/// Transactions in the group, each with its parts.
std::map<std::uint64_t, unsigned> parts_of(const Group& group) {
    std::map<std::uint64_t, unsigned> parts;
    for (const auto& batches : group) {
        for (const auto& batch : batches) {
            for (const Batch::Part& part : batch->parts()) {
                ++parts[part.transaction];
            }
        }
    }
    return parts;
}

TEST(Intake, D_COM_02_RandomTransactionsAlwaysGoWhole) {
    std::mt19937_64 random(3);
    Intake intake(4, {5, 1'000'000});
    std::size_t added = 0;
    std::size_t taken = 0;
    const auto take = [&] {
        const Group group = intake.take();
        for (const auto& [transaction, count] : parts_of(group)) {
            EXPECT_EQ(count, 1 + transaction % 3);
        }
        for (const auto& batches : group) {
            taken += batches.size();
        }
        return !group.empty();
    };
    for (std::uint64_t transaction = 0; transaction < 2000; ++transaction) {
        const auto parts = static_cast<unsigned>(1 + transaction % 3);
        for (unsigned part = 0; part < parts; ++part) {
            intake.add(random() % 4, batch_of(random() % 3, {{transaction, parts}}));
            ++added;
            if (random() % 3 == 0) { take(); }
        }
    }
    while (take()) {}
    EXPECT_EQ(taken, added);
}

}  // namespace
