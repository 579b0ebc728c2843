// Watches the room on the disk, so that appends stop before the disk is full (D-FULL-01..05).
// Pure but for the reserve file; time and the file system's numbers come in.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace storage {

/// What statvfs() says.
struct DiskSpace {
    std::uint64_t size = 0;   ///< Octets.
    std::uint64_t free = 0;   ///< Octets that we may use.
    std::uint64_t nodes = 0;  ///< Zero where inodes are not counted.
    std::uint64_t nodes_free = 0;
};

/// Of the file system that holds `path`; nothing if it cannot be told.
[[nodiscard]] std::optional<DiskSpace> disk_space_of(const std::string& path);

class DiskGuard {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::milliseconds;
    using Space = std::function<std::optional<DiskSpace>()>;

    static constexpr std::uint64_t nodes_floor = 1000;
    static constexpr Duration recovery{5000};

    struct Options {
        std::uint64_t floor = 0;          ///< 0: the greater of 1 GiB and 5 % of the disk.
        std::uint64_t reserve_bytes = 0;  ///< 0: no reserve.
        std::string reserve_path;
    };

    enum class Edge : std::uint8_t { none, low, recovered };

    DiskGuard(Options options, Space space);

    /// Looks. Returns whether the disk has become low or has recovered by this look.
    Edge look(Time now);
    /// When to look again.
    [[nodiscard]] Duration pause() const;

    [[nodiscard]] bool is_low() const { return is_low_; }

    [[nodiscard]] std::uint64_t free() const { return space_now_.free; }

    [[nodiscard]] std::uint64_t floor() const;
    /// Why it is low, for the log.
    [[nodiscard]] std::string describe() const;

private:
    [[nodiscard]] bool is_below(std::uint64_t percent) const;
    Edge recover(Time now);
    void keep_reserve();
    void give_reserve();

    Options options_;
    Space space_;
    DiskSpace space_now_;
    bool is_low_ = false;
    bool has_reserve_ = false;
    std::optional<Time> above_since_;
};

}  // namespace storage
