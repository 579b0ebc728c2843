// A configuration file that lives as long as a test.
// In a directory of its own under the test's temporary directory.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <string>
#include <string_view>

namespace server {

class TemporaryFile {
public:
    explicit TemporaryFile(std::string_view text) {
        std::string directory = testing::TempDir() + "stampede-XXXXXX";
        EXPECT_NE(::mkdtemp(directory.data()), nullptr);
        directory_ = directory;
        std::ofstream(path()) << text;
    }

    ~TemporaryFile() {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    [[nodiscard]] std::string path() const { return (directory_ / "test.toml").string(); }

private:
    std::filesystem::path directory_;
};

}  // namespace server
