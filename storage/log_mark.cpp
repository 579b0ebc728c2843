// Logs have rising numbers in their names; a newer one than the noted is as good.
// A log that was begun later and is gone is not noticed while the noted one is there.
#include "storage/log_mark.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace storage {
namespace {

std::string path_of(const Directory& directory) {
    return directory.path() + "/log-mark";
}

/// Zero if it is no number.
std::uint64_t number_in(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// Zero if there is none.
std::uint64_t newest_log(const Directory& directory) {
    std::uint64_t newest = 0;
    std::error_code ec;
    for (auto it = std::filesystem::directory_iterator(directory.database(), ec);
         !ec && it != std::filesystem::directory_iterator();
         it.increment(ec)) {
        const std::string name = it->path().filename().string();
        if (name.ends_with(".log")) { newest = std::max(newest, number_in(name)); }
    }
    return newest;
}

}  // namespace

void mark_log(const Directory& directory) {
    write_file(path_of(directory), fmt::format("{}\n", newest_log(directory)));
}

void unmark_log(const Directory& directory) {
    remove_file(path_of(directory));
}

void demand_log(const Directory& directory) {
    const std::uint64_t marked = number_in(read_file(path_of(directory)));
    if (newest_log(directory) >= marked) { return; }
    throw StoreError(
        fmt::format(
            "the store in {} is damaged and was not opened: its write-ahead log {:06}.log, or a "
            "later one, is missing. Bring the file back, or restore the store from a backup; "
            "--accept-data-loss opens it without what the log held",
            directory.path(),
            marked
        ),
        true
    );
}

}  // namespace storage
