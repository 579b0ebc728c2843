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

constexpr std::string_view manifest_prefix = "MANIFEST-";

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

/// The list of tables that the database goes by.
struct Manifest {
    std::string name;
    std::uint64_t size = 0;
};

/// Without name if there is none.
Manifest current_manifest(const Directory& directory) {
    Manifest manifest;
    manifest.name = read_file(directory.database() + "/CURRENT");
    manifest.name.resize(std::min(manifest.name.find('\n'), manifest.name.size()));
    if (!manifest.name.starts_with(manifest_prefix)) { return {}; }
    std::error_code ec;
    const auto size = std::filesystem::file_size(directory.database() + "/" + manifest.name, ec);
    if (!ec) { manifest.size = size; }
    return manifest;
}

std::string note_of(const Manifest& manifest) {
    return manifest.name.empty() ? std::string()
                                 : manifest.name + fmt::format(" {}\n", manifest.size);
}

Manifest noted_manifest(std::string_view mark) {
    const std::size_t line = mark.find('\n');
    if (line == std::string_view::npos) { return {}; }
    mark.remove_prefix(line + 1);
    const std::size_t space = mark.find(' ');
    if (space == std::string_view::npos) { return {}; }
    return {std::string(mark.substr(0, space)), number_in(mark.substr(space + 1))};
}

std::uint64_t number_of(const Manifest& manifest) {
    if (manifest.name.size() <= manifest_prefix.size()) { return 0; }
    return number_in(std::string_view(manifest.name).substr(manifest_prefix.size()));
}

[[noreturn]] void refuse(
    const Directory& directory, const std::string& what, std::string_view held
) {
    throw StoreError(
        fmt::format(
            "the store in {} is damaged and was not opened: {}. Bring the file back, or restore "
            "the store from a backup; --accept-data-loss opens it without what {} held",
            directory.path(),
            what,
            held
        ),
        true
    );
}

}  // namespace

void mark_log(const Directory& directory) {
    write_file(
        path_of(directory),
        fmt::format("{}\n{}", newest_log(directory), note_of(current_manifest(directory)))
    );
}

void unmark_log(const Directory& directory) {
    write_file(path_of(directory), "0\n" + note_of(current_manifest(directory)));
}

void demand_log(const Directory& directory) {
    const std::string mark = read_file(path_of(directory));
    const Manifest noted = noted_manifest(mark);
    const Manifest found = current_manifest(directory);
    const bool is_cut = number_of(found) < number_of(noted) ||
                        (number_of(found) == number_of(noted) && found.size < noted.size);
    if (is_cut) {
        refuse(
            directory,
            fmt::format(
                "its list of tables {} has {} octets of at least {}",
                noted.name,
                found.name == noted.name ? found.size : 0,
                noted.size
            ),
            "the missing tables"
        );
    }
    const std::uint64_t marked = number_in(mark);
    if (newest_log(directory) >= marked) { return; }
    refuse(
        directory,
        fmt::format("its write-ahead log {:06}.log, or a later one, is missing", marked),
        "the log"
    );
}

}  // namespace storage
