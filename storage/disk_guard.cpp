// Two edges: below the floor at once, above 1.2 times the floor after five seconds.
// An unreadable answer counts as a full disk.
#include "storage/disk_guard.hpp"

#include "storage/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>

namespace storage {
namespace {

constexpr std::uint64_t gibibyte = 1024ULL * 1024 * 1024;
constexpr std::uint64_t recovery_percent = 120;
constexpr std::uint64_t near_percent = 200;

/// `number` times `percent` / 100, without overflow for any disk there is.
std::uint64_t scaled(std::uint64_t number, std::uint64_t percent) {
    return number / 100 * percent;
}

}  // namespace

std::optional<DiskSpace> disk_space_of(const std::string& path) {
    struct statvfs answer {};

    if (::statvfs(path.c_str(), &answer) != 0) { return std::nullopt; }
    DiskSpace space;
    space.size = answer.f_blocks * answer.f_frsize;
    space.free = answer.f_bavail * answer.f_frsize;
    space.nodes = answer.f_files;
    space.nodes_free = answer.f_favail;
    return space;
}

DiskGuard::DiskGuard(Options options, Space space)
    : options_(std::move(options)), space_(std::move(space)) {}

std::uint64_t DiskGuard::floor() const {
    if (options_.floor != 0) { return options_.floor; }
    return std::max(gibibyte, scaled(space_now_.size, 5));
}

DiskGuard::Edge DiskGuard::look(Time now) {
    space_now_ = space_().value_or(DiskSpace{});
    if (is_low_) { return recover(now); }
    if (!is_below(100)) {
        keep_reserve();
        return Edge::none;
    }
    is_low_ = true;
    above_since_.reset();
    give_reserve();
    return Edge::low;
}

DiskGuard::Edge DiskGuard::recover(Time now) {
    if (is_below(recovery_percent)) {
        above_since_.reset();
        return Edge::none;
    }
    if (!above_since_) { above_since_ = now; }
    if (now - *above_since_ < recovery) { return Edge::none; }
    is_low_ = false;
    keep_reserve();
    return Edge::recovered;
}

DiskGuard::Duration DiskGuard::pause() const {
    return Duration(is_low_ || is_below(near_percent) ? 100 : 1000);
}

std::string DiskGuard::describe() const {
    if (space_now_.nodes != 0 && space_now_.nodes_free < nodes_floor) {
        return fmt::format("{} inodes are free, {} are wanted", space_now_.nodes_free, nodes_floor);
    }
    return fmt::format("{} octets are free, {} are wanted", space_now_.free, floor());
}

bool DiskGuard::is_below(std::uint64_t percent) const {
    if (space_now_.nodes != 0 && space_now_.nodes_free < scaled(nodes_floor, percent)) {
        return true;
    }
    return space_now_.free < scaled(floor(), percent);
}

void DiskGuard::keep_reserve() {
    if (has_reserve_ || options_.reserve_bytes == 0) { return; }
    // Making it must not be what breaks the floor.
    if (space_now_.free < scaled(floor(), recovery_percent) + options_.reserve_bytes) { return; }
    const FileHandle file(
        ::open(options_.reserve_path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)
    );
    const auto size = static_cast<off_t>(options_.reserve_bytes);
    has_reserve_ = file.is_open() && ::posix_fallocate(file.descriptor(), 0, size) == 0;
    if (!has_reserve_) { ::unlink(options_.reserve_path.c_str()); }
}

void DiskGuard::give_reserve() {
    if (options_.reserve_bytes == 0) { return; }
    ::unlink(options_.reserve_path.c_str());
    has_reserve_ = false;
}

}  // namespace storage
