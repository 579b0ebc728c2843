// What an operator may name as a file, and what is refused with which cause.
#include "broker/files/small_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

namespace files {
namespace {

using ::testing::HasSubstr;

class SmallFiles : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "files.XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }

    void TearDown() override { std::filesystem::remove_all(directory_); }

    [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }

    [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }

private:
    std::filesystem::path directory_;
};

TEST_F(SmallFiles, AreReadWithTheirModeUpToTheBound) {
    const std::string text(100'000, 'x');
    const std::string name = write("a", text);
    ASSERT_EQ(::chmod(name.c_str(), 0604), 0);
    const SmallFile file = read_small_file(name, text.size());
    EXPECT_EQ(file.error, "");
    EXPECT_EQ(file.text, text);
    EXPECT_EQ(file.mode, 0604U);
}

TEST_F(SmallFiles, BeyondTheBoundAreRefusedAndNothingOfThemIsKept) {
    const SmallFile file = read_small_file(write("a", std::string(101, 'x')), 100);
    EXPECT_EQ(file.error, "it has more than 100 octets");
    EXPECT_EQ(file.text, "");
    EXPECT_FALSE(file.is_missing);
}

TEST_F(SmallFiles, ThatNeverEndAreRefused) {
    EXPECT_THAT(read_small_file("/dev/zero", 100).error, HasSubstr("not a regular file"));
}

TEST_F(SmallFiles, WithNobodyWritingThemHoldNothingUp) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    EXPECT_THAT(read_small_file(path("pipe"), 100).error, HasSubstr("not a regular file"));
}

TEST_F(SmallFiles, ThatAreNotThereSaySo) {
    const SmallFile file = read_small_file(path("none"), 100);
    EXPECT_TRUE(file.is_missing);
    EXPECT_THAT(file.error, HasSubstr("No such file"));
}

TEST(Modes, S_TLS_03_AreLooserByAnyBitThatIsNotAllowed) {
    EXPECT_FALSE(is_looser(0640, 0640));
    EXPECT_FALSE(is_looser(0400, 0640));
    EXPECT_TRUE(is_looser(0644, 0640));
    EXPECT_TRUE(is_looser(0660, 0640));
    EXPECT_TRUE(is_looser(0700, 0640));
}

}  // namespace
}  // namespace files
