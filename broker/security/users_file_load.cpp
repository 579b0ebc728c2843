#include "broker/security/users_file_load.hpp"

#include "broker/files/small_file.hpp"

#include <fmt/format.h>

#include <utility>

namespace security {

namespace {

constexpr unsigned mode_max = 0640;

}  // namespace

std::string unreadable_users(const std::string& file, std::string_view cause) {
    return fmt::format("Cannot read the users file {}: {}.", file, cause);
}

LoadedUsers load_users(const std::string& file, bool is_strict) {
    const files::SmallFile read = files::read_small_file(file, users_file_bytes_max);
    if (!read.error.empty()) { return {nullptr, unreadable_users(file, read.error), ""}; }
    std::string warning;
    if (files::is_looser(read.mode, mode_max)) {
        warning = fmt::format(
            "The users file {} has mode {:04o}: others may use it; run chmod 0640 on it.",
            file,
            read.mode
        );
    }
    if (is_strict && !warning.empty()) { return {nullptr, std::move(warning), ""}; }
    UsersFile::Parsed parsed = UsersFile::parse(read.text, file);
    return {std::move(parsed.users), std::move(parsed.error), std::move(warning)};
}

}  // namespace security
