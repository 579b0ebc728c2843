// A directory for one test, removed with all in it.
// Below the build tree: the system's own place for such things may be a tmpfs.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <set>
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

/// Copies a store that is open but has nothing to do, as a kill would leave it. Files may go in the
/// background; the copy is made again until none has.
inline void copy_open_store(const std::string& from, const std::string& to) {
    namespace fs = std::filesystem;
    const auto list = [](const std::string& path) {
        std::set<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(path)) {
            names.insert(entry.path().lexically_relative(path).string());
        }
        return names;
    };
    for (int tries = 0; tries < 100; ++tries) {
        try {
            const auto before = list(from);
            fs::copy(from, to, fs::copy_options::recursive);
            if (list(from) == before) { return; }
        } catch (const fs::filesystem_error&) {}
        fs::remove_all(to);
    }
    throw std::runtime_error("the store at " + from + " never rests");
}
