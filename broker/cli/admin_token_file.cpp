// The names are those of the broker (broker/server/admin_token.cpp) and of the package.
#include "broker/cli/admin_token_file.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/files/small_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace cli {
namespace {

constexpr std::size_t token_file_max = 64 * 1024;
constexpr const char* packaged = "/var/lib/stampede/admin-token";

std::string read(const std::string& file) {
    files::SmallFile found = files::read_small_file(file, token_file_max);
    if (!found.error.empty()) {
        throw Failure(ExitCode::usage, "cannot read the admin token " + file + ": " + found.error);
    }
    std::string token = token_in(found.text);
    if (token.empty()) { throw Failure(ExitCode::usage, file + " holds no token"); }
    return token;
}

/// Nobody else has put it there: a regular file of ours that nobody else can write.
std::optional<timespec> time_of_own(const std::string& file) {
    struct stat status {};

    if (::lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) { return std::nullopt; }
    const bool is_ours = status.st_uid == ::geteuid() && (status.st_mode & 0022U) == 0;
    return is_ours ? std::optional(status.st_mtim) : std::nullopt;
}

std::string newest_of_ours(std::uint16_t port) {
    const std::string begin = "stampede-admin-" + std::to_string(port) + '-';
    std::error_code ec;
    std::string newest;
    timespec newest_time{};
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::temp_directory_path(ec), ec)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(begin) || !name.ends_with(".token")) { continue; }
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

std::string token_in(std::string_view text) {
    std::string first;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string scopes;
        std::string token;
        words >> scopes >> token;
        if (scopes.empty() || scopes.front() == '#') { continue; }
        const bool may_everything = token.empty() || scopes.find("admin") != std::string::npos;
        if (token.empty()) { token = scopes; }
        const bool is_printable =
            std::ranges::all_of(token, [](char c) { return c > ' ' && c <= '~'; });
        if (!is_printable) { continue; }
        if (may_everything) { return token; }
        if (first.empty()) { first = token; }
    }
    return first;
}

FoundToken find_admin_token(const std::string& named, std::uint16_t port) {
    if (!named.empty()) { return {read(named), named}; }
    if (const char* const configured = std::getenv("STAMPEDE_ADMIN__TOKEN_FILE")) {
        return {read(configured), configured};
    }
    if (::access(packaged, R_OK) == 0) { return {read(packaged), packaged}; }
    const std::string own = newest_of_ours(port);
    if (!own.empty()) { return {read(own), own}; }
    throw Failure(
        ExitCode::refused,
        "no admin token: name the file that the broker's log tells (event admin-token) with "
        "--token-file or STAMPEDE_ADMIN_TOKEN_FILE"
    );
}

}  // namespace cli
