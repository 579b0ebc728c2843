// The store on disk: RocksDB behind one committer thread and one reader thread.
// Group commit: what is handed over while one group is synced becomes the next (D-COM-02).
#pragma once

#include "storage/message_store.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace storage {

struct StoreWorld;

/// What a confirmation means (docs/durability.md).
enum class Durability : std::uint8_t {
    relaxed,  ///< Written to the kernel; synced within `relaxed_interval`.
    sync,     ///< Synced.
};

/// Something for the operator's log. Called on any thread of the store, and in open().
struct Notice {
    bool is_warning = false;
    std::string event;  ///< As `disk-low`.
    std::string text;
};

struct RocksOptions {
    std::string directory;  ///< Made if it is not there.
    Durability durability = Durability::sync;
    std::chrono::milliseconds relaxed_interval{100};
    std::chrono::microseconds commit_delay{0};  ///< Lets small groups grow.
    /// Octets; 0: the greater of 1 GiB and 5 % of the file system (D-FULL-01).
    std::uint64_t disk_floor = 0;
    std::uint64_t reserve_bytes = 64ULL * 1024 * 1024;  ///< D-FULL-02.
    bool allow_unsafe_filesystem = false;               ///< D-FS-03.
    /// Opens up to the first damaged record of the write-ahead log instead of refusing (D-ROCK-03).
    bool accept_data_loss = false;
    std::size_t group_records_max = 4096;
    std::size_t group_bytes_max = 1024 * 1024;
    std::function<void(const Notice&)> notice;
};

/// Opens or makes the store, recovers what is in it. Throws StoreError.
[[nodiscard]] std::unique_ptr<MessageStore> open_rocks_store(const RocksOptions& options);
[[nodiscard]] std::unique_ptr<MessageStore> open_rocks_store(
    const RocksOptions& options, const StoreWorld& world
);

}  // namespace storage
