// RocksDB behind a narrow door: two column families, one write-ahead log, settings of
// docs/storage_format.md.
// Any thread may read; one thread writes. No rocksdb header is needed to use it.
#pragma once

#include "storage/writes.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rocksdb {
class FileSystem;
}

namespace storage {

struct DatabaseOptions {
    std::string directory;
    bool is_read_only = false;
    bool accept_data_loss = false;                     ///< D-ROCK-03.
    std::shared_ptr<rocksdb::FileSystem> file_system;  ///< Null: the system's.
    /// A background error that ends the store. On any thread.
    std::function<void(const std::string&)> failed = [](const std::string&) {};
    /// A flush or compaction met a full disk (true), or goes on again (false). On any thread.
    std::function<void(bool)> disk_full = [](bool) {};
};

/// What became of a write.
enum class Written : std::uint8_t {
    yes,
    blocked,  ///< Nothing was written: a flush waits for space. To be tried again.
    failed,   ///< Nobody knows what is on disk.
};

enum class Found : std::uint8_t { yes, no, damaged };

class Database {
public:
    /// The changes of one group.
    class Group : public Writes {
    public:
        struct State;

        explicit Group(const Database& database);
        ~Group() override;
        Group(const Group&) = delete;
        Group& operator=(const Group&) = delete;
        void put(Family family, std::string_view key, std::string_view value) override;
        void erase(Family family, std::string_view key) override;
        void erase_range(Family family, std::string_view from, std::string_view to) override;
        void clear();

        [[nodiscard]] State& state() { return *state_; }

    private:
        std::unique_ptr<State> state_;
    };

    /// Returns whether to go on.
    using Visit = std::function<bool(std::string_view key, std::string_view value)>;

    /// Throws StoreError.
    explicit Database(const DatabaseOptions& options);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Written to the kernel, and synced if `is_synced`. `error` says what went wrong.
    [[nodiscard]] Written write(Group& group, bool is_synced, std::string& error);
    /// Syncs what was written. Empty, or what went wrong.
    [[nodiscard]] std::string sync();
    /// How long the calling thread's writes have waited for syncs since the last call.
    [[nodiscard]] std::chrono::microseconds take_sync_time();

    [[nodiscard]] Found get(Family family, std::string_view key, std::string& value) const;
    /// Visits the keys from `from` to before `to` (all if empty) in their order. Empty, or why the
    /// rest cannot be read.
    [[nodiscard]] std::string scan(
        Family family, std::string_view from, std::string_view to, const Visit& visit
    ) const;

    /// Flushes the state family if messages were flushed since the last call, so that the
    /// write-ahead log stays short. Does not wait for the flush.
    void shorten_log();
    /// Removes files that hold nothing but messages that were deleted.
    void reclaim();
    /// Writes all that is in memory to tables. Empty, or what went wrong.
    [[nodiscard]] std::string flush();
    /// Makes `directory`, which must not be there, a database with all that was written before;
    /// writes go on meanwhile. Empty, or what went wrong.
    [[nodiscard]] std::string checkpoint(const std::string& directory);
    /// Closes. Empty, or what went wrong. No other call after it.
    [[nodiscard]] std::string close();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace storage
