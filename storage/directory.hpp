// The store's directory: whose it is, which format it has, and whether its disk can be trusted.
// Blocks; held from open to close.
#pragma once

#include "storage/file.hpp"

#include <string>

namespace storage {

struct DirectoryOptions {
    std::string path;
    bool is_read_only = false;             ///< Must be there; nothing is written.
    bool allow_unsafe_filesystem = false;  ///< D-FS-03.
    /// The kind of the file system that holds a path, as statfs() tells; null: statfs() itself.
    unsigned long (*filesystem_of)(const std::string& path) = nullptr;
};

/// Locks the directory for its own life (D-RUN-01).
class Directory {
public:
    /// The format that this broker writes. Newer ones are refused.
    static constexpr unsigned format = 1;

    /// Makes the directory if it may, refuses file systems that lose what they have confirmed,
    /// another holder and newer formats. Removes the mark of a clean stop. Throws StoreError.
    explicit Directory(const DirectoryOptions& options);

    /// Whether the last run left the mark of a clean stop. Nothing relies on it.
    [[nodiscard]] bool was_clean() const { return was_clean_; }

    /// Whether there was no store before.
    [[nodiscard]] bool is_new() const { return is_new_; }

    /// Leaves the mark of a clean stop. Throws StoreError.
    void mark_clean() const;

    /// Lets others have it.
    void release() { lock_ = FileHandle(); }

    [[nodiscard]] const std::string& path() const { return path_; }

    /// Where the database lives.
    [[nodiscard]] std::string database() const { return database_in(path_); }

    [[nodiscard]] static std::string database_in(const std::string& path) { return path + "/db"; }

    /// Puts beside a database what else a closed store has. Throws StoreError.
    static void complete(const std::string& path);

    /// The file that keeps room for emergencies.
    [[nodiscard]] std::string reserve() const { return path_ + "/reserve"; }

private:
    void make(bool is_read_only);
    void lock(bool is_read_only);
    void check_format(bool is_read_only);

    std::string path_;
    FileHandle lock_;
    bool was_clean_ = false;
    bool is_new_ = false;
};

/// Why this file system is refused, such as `NFS`; nullptr if it is not.
[[nodiscard]] const char* unsafe_filesystem(unsigned long magic);

}  // namespace storage
