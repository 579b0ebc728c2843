// Lines of mountinfo: id, parent, device, root, mount point, options, fields, "-", kind, source,
// options. Lines that are not understood are passed over.
#include "storage/mount_warning.hpp"

#include "storage/file.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <system_error>

namespace storage {
namespace {

struct Mount {
    std::string_view point;
    std::string_view kind;
    std::string_view options;
};

/// The next piece up to `separator`; takes it off.
std::string_view take(std::string_view& text, char separator) {
    const std::size_t end = text.find(separator);
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return piece;
}

std::optional<Mount> parse(std::string_view line) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) { return std::nullopt; }
    std::string_view head = line.substr(0, dash);
    std::string_view tail = line.substr(dash + 3);
    Mount mount;
    for (int field = 0; field < 5; ++field) {
        mount.point = take(head, ' ');
    }
    mount.kind = take(tail, ' ');
    take(tail, ' ');
    mount.options = tail;
    return mount;
}

bool holds(std::string_view point, std::string_view path) {
    if (!path.starts_with(point)) { return false; }
    return point.ends_with('/') || path.size() == point.size() || path[point.size()] == '/';
}

/// The deepest mount that holds `path`; of several at one place, the last.
std::optional<Mount> mount_of(std::string_view mounts, std::string_view path) {
    std::optional<Mount> best;
    while (!mounts.empty()) {
        const std::optional<Mount> mount = parse(take(mounts, '\n'));
        if (!mount || !holds(mount->point, path)) { continue; }
        if (!best || mount->point.size() >= best->point.size()) { best = mount; }
    }
    return best;
}

bool is_distrusted(std::string_view option) {
    return option == "nobarrier" || option == "barrier=0" || option == "data=writeback";
}

}  // namespace

std::string mount_warning(std::string_view mounts, std::string_view path) {
    const std::optional<Mount> mount = mount_of(mounts, path);
    if (!mount) { return {}; }
    std::string_view options = mount->options;
    while (!options.empty()) {
        const std::string_view option = take(options, ',');
        if (!is_distrusted(option)) { continue; }
        return fmt::format(
            "{} is mounted with {}: after a power cut messages that were confirmed may be gone; "
            "mount it without",
            mount->point,
            option
        );
    }
    return {};
}

std::string mount_warning(const std::string& directory) {
    std::error_code ec;
    const std::string path = std::filesystem::canonical(directory, ec).string();
    if (ec) { return {}; }
    try {
        return mount_warning(std::string_view(read_file("/proc/self/mountinfo")), path);
    } catch (const StoreError&) { return {}; }
}

}  // namespace storage
