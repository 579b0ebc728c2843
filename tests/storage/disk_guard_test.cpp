// The watch on the disk's room, with a disk of our own making.
// Time is a number.
#include "storage/disk_guard.hpp"

#include "tests/storage/temporary_directory.hpp"

#include <gtest/gtest.h>

namespace {

using storage::DiskGuard;
using storage::DiskSpace;
using Edge = DiskGuard::Edge;
using std::chrono::milliseconds;

constexpr std::uint64_t mebibyte = 1024 * 1024;

struct Disk {
    DiskGuard guard(DiskGuard::Options options) {
        return {std::move(options), [this] { return space; }};
    }

    std::optional<DiskSpace> space = DiskSpace{100'000 * mebibyte, 50'000 * mebibyte, 0, 0};
};

DiskGuard::Time at(int milliseconds_since) {
    return DiskGuard::Time(milliseconds(milliseconds_since));
}

TEST(DiskGuard, D_FULL_01_LooksEachSecondAndMoreOftenNearTheFloor) {
    Disk disk;
    DiskGuard guard = disk.guard({1000 * mebibyte, 0, {}});
    EXPECT_EQ(guard.look(at(0)), Edge::none);
    EXPECT_EQ(guard.pause(), milliseconds(1000));
    disk.space->free = 1999 * mebibyte;
    EXPECT_EQ(guard.look(at(1000)), Edge::none);
    EXPECT_EQ(guard.pause(), milliseconds(100));
    disk.space->free = 999 * mebibyte;
    EXPECT_EQ(guard.look(at(1100)), Edge::low);
    EXPECT_TRUE(guard.is_low());
    EXPECT_EQ(guard.look(at(1200)), Edge::none);
}

TEST(DiskGuard, D_FULL_01_TheFloorIsOneGibibyteOrFivePercent) {
    Disk disk;
    DiskGuard guard = disk.guard({});
    guard.look(at(0));
    EXPECT_EQ(guard.floor() / mebibyte, 5000U);
    disk.space->size = 10'000 * mebibyte;
    guard.look(at(0));
    EXPECT_EQ(guard.floor(), 1024 * mebibyte);
}

TEST(DiskGuard, D_FULL_04_RecoversAfterFiveSecondsWellAboveTheFloor) {
    Disk disk;
    DiskGuard guard = disk.guard({1000 * mebibyte, 0, {}});
    disk.space->free = 10;
    EXPECT_EQ(guard.look(at(0)), Edge::low);
    disk.space->free = 1100 * mebibyte;
    EXPECT_EQ(guard.look(at(10'000)), Edge::none);
    EXPECT_TRUE(guard.is_low());
    disk.space->free = 1300 * mebibyte;
    EXPECT_EQ(guard.look(at(11'000)), Edge::none);
    EXPECT_EQ(guard.look(at(15'900)), Edge::none);
    disk.space->free = 1100 * mebibyte;
    EXPECT_EQ(guard.look(at(15'950)), Edge::none);
    disk.space->free = 1300 * mebibyte;
    EXPECT_EQ(guard.look(at(16'000)), Edge::none);
    EXPECT_EQ(guard.look(at(20'999)), Edge::none);
    EXPECT_EQ(guard.look(at(21'000)), Edge::recovered);
    EXPECT_FALSE(guard.is_low());
}

TEST(DiskGuard, D_FULL_02_TheReserveGoesAtTheFloorAndComesBack) {
    const TemporaryDirectory place;
    Disk disk;
    DiskGuard guard = disk.guard({1000 * mebibyte, mebibyte, place / "reserve"});
    guard.look(at(0));
    ASSERT_TRUE(std::filesystem::exists(place / "reserve"));
    EXPECT_EQ(std::filesystem::file_size(place / "reserve"), mebibyte);
    disk.space->free = 10;
    guard.look(at(1));
    EXPECT_FALSE(std::filesystem::exists(place / "reserve"));
    disk.space->free = 50'000 * mebibyte;
    guard.look(at(1000));
    EXPECT_FALSE(std::filesystem::exists(place / "reserve"));
    EXPECT_EQ(guard.look(at(6000)), Edge::recovered);
    EXPECT_TRUE(std::filesystem::exists(place / "reserve"));
}

TEST(DiskGuard, D_FULL_05_InodesCountToo) {
    Disk disk;
    disk.space->nodes = 1'000'000;
    disk.space->nodes_free = 900'000;
    DiskGuard guard = disk.guard({1000 * mebibyte, 0, {}});
    EXPECT_EQ(guard.look(at(0)), Edge::none);
    disk.space->nodes_free = 999;
    EXPECT_EQ(guard.look(at(1)), Edge::low);
    EXPECT_NE(guard.describe().find("inodes"), std::string::npos);
    disk.space->nodes_free = 900'000;
    guard.look(at(2));
    EXPECT_EQ(guard.look(at(5002)), Edge::recovered);
}

TEST(DiskGuard, D_FULL_01_ADiskThatDoesNotAnswerIsFull) {
    Disk disk;
    DiskGuard guard = disk.guard({1000 * mebibyte, 0, {}});
    guard.look(at(0));
    disk.space.reset();
    EXPECT_EQ(guard.look(at(1)), Edge::low);
}

}  // namespace
