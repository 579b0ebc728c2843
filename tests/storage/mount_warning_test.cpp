// Mount options that make a sync mean less, from the kernel's own table.
// Pure.
#include "storage/mount_warning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using storage::mount_warning;
using testing::HasSubstr;

constexpr std::string_view mounts =
    "23 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n"
    "24 23 254:1 / /var/lib rw,relatime shared:2 master:1 - ext4 /dev/vdb rw,data=writeback\n"
    "25 23 254:2 / /srv rw - xfs /dev/vdc rw,nobarrier,inode64\n"
    "26 25 254:3 / /srv/safe rw - ext4 /dev/vdd rw\n"
    "27 23 254:4 / /old rw - ext4 /dev/vde rw,barrier=0\n"
    "not a line of it\n";

std::string warning(std::string_view path) {
    return mount_warning(mounts, path);
}

TEST(MountWarning, D_FS_03_WarnsOfMountsWithoutBarriersAndOfWriteback) {
    EXPECT_THAT(warning("/var/lib/stampede"), HasSubstr("/var/lib is mounted with data=writeback"));
    EXPECT_THAT(warning("/srv/data"), HasSubstr("/srv is mounted with nobarrier"));
    EXPECT_THAT(warning("/srv"), HasSubstr("nobarrier"));
    EXPECT_THAT(warning("/old/a"), HasSubstr("barrier=0"));
}

TEST(MountWarning, D_FS_03_TheDeepestMountCounts) {
    EXPECT_EQ(warning("/srv/safe/data"), "");
    EXPECT_EQ(warning("/srvice"), "");
    EXPECT_EQ(warning("/var/library"), "");
    EXPECT_EQ(warning("/opt/a"), "");
    EXPECT_EQ(mount_warning(std::string_view(), "/a"), "");
}

}  // namespace
