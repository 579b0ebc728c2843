// What the operating system grants, read from a tree made here.
#include "broker/server/system.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace server {
namespace {

namespace fs = std::filesystem;

class Memory : public ::testing::Test {
protected:
    Memory() {
        std::string name = testing::TempDir() + "system-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
    }

    ~Memory() override { fs::remove_all(root_); }

    void write(const std::string& path, const std::string& text) const {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text << "\n";
    }

    [[nodiscard]] std::size_t available() const { return available_memory(root_); }

private:
    fs::path root_;
};

TEST_F(Memory, S_RATE_04_IsTheMachinesWithoutGroups) {
    EXPECT_GT(available(), 1U << 20U);
}

TEST_F(Memory, S_RATE_04_IsThatOfTheServicesOwnGroup) {
    write("proc/self/cgroup", "1:cpu:/other\n0::/system.slice/stampede.service");
    write("sys/fs/cgroup/system.slice/stampede.service/memory.max", "1048576");
    write("sys/fs/cgroup/system.slice/memory.max", "max");
    EXPECT_EQ(available(), 1'048'576U);
}

TEST_F(Memory, S_RATE_04_AndOfThoseAroundIt) {
    write("proc/self/cgroup", "0::/system.slice/stampede.service");
    write("sys/fs/cgroup/system.slice/stampede.service/memory.max", "1048576");
    write("sys/fs/cgroup/system.slice/memory.max", "524288");
    EXPECT_EQ(available(), 524'288U);
}

TEST_F(Memory, S_RATE_04_InAContainerTheRootIsItsGroup) {
    write("proc/self/cgroup", "0::/");
    write("sys/fs/cgroup/memory.max", "2097152");
    EXPECT_EQ(available(), 2'097'152U);
}

}  // namespace
}  // namespace server
