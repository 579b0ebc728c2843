// Stamps of benchmark messages: what is written is read, in printable characters.
// Pure.
#include "broker/cli/stamp.hpp"

#include <gtest/gtest.h>

#include <string>

namespace cli {
namespace {

std::string written(const Stamp& stamp) {
    std::string octets(Stamp::size, ' ');
    write_stamp(octets.data(), stamp);
    return octets;
}

TEST(Stamp, ComesBackAsItWasWritten) {
    const Stamp stamps[] = {
        {0, 0, 0},
        {4095, (std::uint64_t{1} << 36U) - 1, (std::uint64_t{1} << 48U) - 1},
        {1, 0x123456789, 0x0123456789ab},
        {2048, 1, 0xfedcba987654}};
    for (const Stamp& stamp : stamps) {
        EXPECT_EQ(read_stamp(written(stamp).data()), stamp);
    }
}

TEST(Stamp, IsPrintable) {
    for (std::uint64_t number = 1; number < std::uint64_t{1} << 47U; number = number * 5 + 3) {
        for (const char c : written({17, number & 0xfffffffffU, number})) {
            EXPECT_GE(c, '0');
            EXPECT_LE(c, 'o');
        }
    }
}

TEST(Stamp, KnowsItsAgeAcrossTheWrapOfTheClock) {
    constexpr std::uint64_t wrap = std::uint64_t{1} << 48U;
    EXPECT_EQ((Stamp{0, 0, 100}.age_at(150)), 50U);
    EXPECT_EQ((Stamp{0, 0, wrap - 10}.age_at(wrap + 5)), 15U);
    EXPECT_EQ((Stamp{0, 0, 100}.age_at(90)), 0U);
}

}  // namespace
}  // namespace cli
