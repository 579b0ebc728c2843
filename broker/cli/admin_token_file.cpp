// The names are those of the broker (broker/server/admin_token.cpp) and of the package.
#include "broker/cli/admin_token_file.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/files/small_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace cli {
namespace {

constexpr std::size_t token_file_max = 4096;
constexpr const char* packaged = "/var/lib/stampede/admin-token";

std::string read(const std::string& file) {
    files::SmallFile found = files::read_small_file(file, token_file_max);
    if (!found.error.empty()) {
        throw Failure(ExitCode::usage, "cannot read the admin token " + file + ": " + found.error);
    }
    std::string text = found.text.substr(0, found.text.find_first_of("\r\n"));
    for (const char c : text) {
        if (c < '!' || c > '~') {
            throw Failure(ExitCode::usage, file + " holds no token: one line without blanks");
        }
    }
    return text;
}

/// Nobody else has put it there: a regular file of ours that nobody else can write.
std::optional<timespec> time_of_own(const std::string& file) {
    struct stat status {};

    if (::lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) { return std::nullopt; }
    const bool is_ours = status.st_uid == ::geteuid() && (status.st_mode & 0022U) == 0;
    return is_ours ? std::optional(status.st_mtim) : std::nullopt;
}

std::string newest_of_ours() {
    std::error_code ec;
    std::string newest;
    timespec newest_time{};
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::temp_directory_path(ec), ec)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with("stampede-admin-") || !name.ends_with(".token")) { continue; }
        const auto time = time_of_own(entry.path().string());
        if (!time) { continue; }
        const bool is_newer =
            time->tv_sec > newest_time.tv_sec ||
            (time->tv_sec == newest_time.tv_sec && time->tv_nsec > newest_time.tv_nsec);
        if (!is_newer) { continue; }
        newest = entry.path().string();
        newest_time = *time;
    }
    return newest;
}

}  // namespace

FoundToken find_admin_token(const std::string& named) {
    if (!named.empty()) { return {read(named), named}; }
    if (const char* const configured = std::getenv("STAMPEDE_ADMIN__TOKEN_FILE")) {
        return {read(configured), configured};
    }
    if (::access(packaged, R_OK) == 0) { return {read(packaged), packaged}; }
    const std::string own = newest_of_ours();
    if (!own.empty()) { return {read(own), own}; }
    throw Failure(
        ExitCode::refused,
        "no admin token: name the file that the broker's log tells (event admin-token) with "
        "--token-file or STAMPEDE_ADMIN_TOKEN_FILE"
    );
}

}  // namespace cli
