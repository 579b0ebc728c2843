// The latency histogram: exact for small values, within one per cent for large ones.
// Pure.
#include "broker/cli/histogram.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace cli {
namespace {

TEST(Histogram, IsEmptyAtFirst) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0U);
    EXPECT_EQ(histogram.quantile(0.5), 0U);
}

TEST(Histogram, IsExactForSmallValues) {
    Histogram histogram;
    for (std::uint64_t value = 1; value <= 100; ++value) {
        histogram.record(value);
    }
    EXPECT_EQ(histogram.quantile(0), 1U);
    EXPECT_EQ(histogram.quantile(0.5), 50U);
    EXPECT_EQ(histogram.quantile(0.99), 99U);
    EXPECT_EQ(histogram.quantile(1), 100U);
}

TEST(Histogram, IsWithinOnePerCentForAllMagnitudes) {
    for (std::uint64_t value = 1; value < std::uint64_t{1} << 62U; value = value * 3 + 1) {
        Histogram histogram;
        histogram.record(value);
        histogram.record(UINT64_MAX);
        const std::uint64_t found = histogram.quantile(0.5);
        EXPECT_GE(found, value);
        EXPECT_LE(found - value, value / 100) << value;
    }
}

TEST(Histogram, NeverExceedsTheLargestValue) {
    Histogram histogram;
    histogram.record(1'000'003);
    EXPECT_EQ(histogram.quantile(0.5), 1'000'003U);
    EXPECT_EQ(histogram.max(), 1'000'003U);
    histogram.record(UINT64_MAX);
    EXPECT_EQ(histogram.quantile(1), UINT64_MAX);
    histogram.clear();
    EXPECT_EQ(histogram.count(), 0U);
    EXPECT_EQ(histogram.max(), 0U);
}

}  // namespace
}  // namespace cli
