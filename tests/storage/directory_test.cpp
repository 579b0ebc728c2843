// The store's directory: its holder, its format, its disk, and the sentences for operators.
// Files in a temporary directory.
#include "storage/directory.hpp"

#include "tests/storage/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

namespace {

using storage::Directory;
using storage::DirectoryOptions;
using testing::HasSubstr;

DirectoryOptions options_for(const std::string& path) {
    DirectoryOptions options;
    options.path = path;
    options.filesystem_of = [](const std::string&) -> unsigned long { return 0xEF53; };
    return options;
}

/// What the refusal says, or nothing.
std::string refusal(const DirectoryOptions& options, bool is_damage = false) {
    try {
        const Directory directory(options);
    } catch (const storage::StoreError& error) {
        EXPECT_EQ(error.is_damage(), is_damage);
        return error.what();
    }
    return {};
}

TEST(Directory, D_RUN_01_ASecondHolderIsRefusedWithTheFirstOnesPid) {
    const TemporaryDirectory place;
    const Directory first(options_for(place / "store"));
    const std::string pid = "process " + std::to_string(::getpid());
    EXPECT_THAT(refusal(options_for(place / "store")), HasSubstr(pid));
    DirectoryOptions reading = options_for(place / "store");
    reading.is_read_only = true;
    EXPECT_THAT(refusal(reading), HasSubstr(pid));
}

TEST(Directory, D_RUN_01_TheLockEndsWithItsHolder) {
    const TemporaryDirectory place;
    EXPECT_EQ(refusal(options_for(place / "store")), "");
    EXPECT_EQ(refusal(options_for(place / "store/")), "");
}

TEST(Directory, D_RUN_01_ANewerFormatIsRefused) {
    const TemporaryDirectory place;
    EXPECT_EQ(refusal(options_for(place / "store")), "");
    storage::write_file(place / "store/format", "stampede-store 2\n");
    EXPECT_THAT(
        refusal(options_for(place / "store")), HasSubstr("has format 2, this broker knows 1")
    );
}

TEST(Directory, D_RUN_01_AFormatThatIsNoneIsDamage) {
    const TemporaryDirectory place;
    EXPECT_EQ(refusal(options_for(place / "store")), "");
    storage::write_file(place / "store/format", "stampede-stone 1\n");
    EXPECT_THAT(
        refusal(options_for(place / "store"), true), HasSubstr("not the format of a store")
    );
    std::filesystem::create_directory(place / "store/db");
    storage::remove_file(place / "store/format");
    EXPECT_THAT(
        refusal(options_for(place / "store"), true), HasSubstr("not the format of a store")
    );
}

TEST(Directory, D_FS_03_RefusesFileSystemsThatLoseWhatTheyConfirm) {
    const TemporaryDirectory place;
    DirectoryOptions options = options_for(place / "store");
    options.filesystem_of = [](const std::string&) -> unsigned long { return 0x6969; };
    EXPECT_THAT(refusal(options), HasSubstr("the file system is NFS"));
    options.allow_unsafe_filesystem = true;
    EXPECT_EQ(refusal(options), "");
    for (const unsigned long magic :
         {0x517BUL, 0xFF534D42UL, 0xFE534D42UL, 0x65735546UL, 0x01021994UL, 0x794C7630UL}) {
        EXPECT_NE(storage::unsafe_filesystem(magic), nullptr);
    }
    for (const unsigned long magic : {0xEF53UL, 0x58465342UL, 0x9123683EUL, 0x2FC12FC1UL}) {
        EXPECT_EQ(storage::unsafe_filesystem(magic), nullptr);
    }
}

TEST(Directory, D_FS_05_SaysFileOperationReasonAndNextStep) {
    const TemporaryDirectory place;
    const std::string text = refusal(options_for(place / "missing/store"));
    EXPECT_THAT(text, HasSubstr(place / "missing/store"));
    EXPECT_THAT(text, HasSubstr("make directory"));
    EXPECT_THAT(text, HasSubstr("No such file or directory"));
    EXPECT_THAT(text, HasSubstr("look whether the path is right"));
}

TEST(Directory, D_RUN_03_TheMarkOfACleanStopIsGoneAfterTheNextStart) {
    const TemporaryDirectory place;
    {
        const Directory fresh(options_for(place / "store"));
        EXPECT_TRUE(fresh.is_new());
        EXPECT_FALSE(fresh.was_clean());
        fresh.mark_clean();
    }
    std::filesystem::create_directory(place / "store/db");
    {
        const Directory again(options_for(place / "store"));
        EXPECT_FALSE(again.is_new());
        EXPECT_TRUE(again.was_clean());
    }
    EXPECT_FALSE(Directory(options_for(place / "store")).was_clean());
}

TEST(Directory, ALookMakesNothing) {
    const TemporaryDirectory place;
    DirectoryOptions options = options_for(place / "store");
    options.is_read_only = true;
    EXPECT_THAT(refusal(options), HasSubstr("No such file"));
    EXPECT_FALSE(std::filesystem::exists(place / "store"));
    EXPECT_THAT(refusal({place.path(), true, false, nullptr}), HasSubstr("is this a store's"));
    EXPECT_TRUE(std::filesystem::is_empty(place.path()));
}

TEST(File, D_FS_02_IsReplacedWholeAndLeavesNoTemporaryFile) {
    const TemporaryDirectory place;
    storage::write_file(place / "a", "one");
    storage::write_file(place / "a", "two");
    EXPECT_EQ(storage::read_file(place / "a"), "two");
    EXPECT_FALSE(std::filesystem::exists(place / "a.new"));
    EXPECT_EQ(storage::read_file(place / "b"), "");
    storage::remove_file(place / "a");
    storage::remove_file(place / "a");
    EXPECT_EQ(storage::read_file(place / "a"), "");
}

}  // namespace
