// A directory for one test, removed with all in it.
// Below the build tree: the system's own place for such things may be a tmpfs.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <unistd.h>

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        const std::string prefix = (std::filesystem::current_path() / "store-test-").string();
        std::string name = prefix + std::string(6, 'X');
        if (::mkdtemp(name.data()) == nullptr) { throw std::runtime_error("mkdtemp " + name); }
        path_ = name;
    }

    ~TemporaryDirectory() {
        std::error_code ec;
        std::filesystem::remove_all(path_, ec);
    }

    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] std::string operator/(const std::string& name) const {
        return path_ + "/" + name;
    }

private:
    std::string path_;
};
