// The database's part is RocksDB's checkpoint; around it what Directory expects.
#include "storage/backup.hpp"

#include "storage/directory.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace storage {
namespace {

constexpr mode_t directory_mode = 0700;

/// Removed with all that is in it, unless it was kept.
class Part {
public:
    explicit Part(std::string path) : path_(std::move(path)) {
        if (::mkdir(path_.c_str(), directory_mode) == 0) { return; }
        const int error = errno;
        throw file_error(
            path_,
            "make directory",
            error,
            error == EEXIST ? "remove it if no backup is under way" : ""
        );
    }

    ~Part() {
        std::error_code ec;
        if (!is_kept_) { std::filesystem::remove_all(path_, ec); }
    }

    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

    void keep_as(const std::string& directory) {
        if (std::rename(path_.c_str(), directory.c_str()) != 0) {
            throw file_error(directory, "rename", errno);
        }
        is_kept_ = true;
        sync_directory(parent_of(directory));
    }

private:
    const std::string path_;
    bool is_kept_ = false;
};

}  // namespace

void make_backup(Database& database, std::string directory) {
    while (directory.size() > 1 && directory.back() == '/') {
        directory.pop_back();
    }
    if (!directory.starts_with('/')) {
        throw StoreError(
            fmt::format("{}: a backup's directory is named from the root: begin with /", directory),
            false
        );
    }
    if (::access(directory.c_str(), F_OK) == 0) {
        throw file_error(directory, "make directory", EEXIST, "choose a name that is free");
    }
    const std::string part = directory + ".part";
    Part begun(part);
    const std::string error = database.checkpoint(Directory::database_in(part));
    if (!error.empty()) {
        throw StoreError(fmt::format("{}: the copy cannot be made: {}", directory, error), false);
    }
    Directory::complete(part);
    begun.keep_as(directory);
}

}  // namespace storage
