// Small files that must survive a crash, and the sentences for when they cannot be had.
// Blocks; used while opening and closing, and for the reserve.
#pragma once

#include "storage/message_store.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace storage {

/// A file descriptor that is closed.
class FileHandle {
public:
    FileHandle() = default;

    explicit FileHandle(int descriptor) : descriptor_(descriptor) {}

    ~FileHandle();

    FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

    FileHandle& operator=(FileHandle&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }

    FileHandle(const FileHandle&) = delete;
    FileHandle& operator=(const FileHandle&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }

    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

private:
    int descriptor_ = -1;
};

/// `path`, what was done to it, errno's text and what to do about it (D-FS-05).
[[nodiscard]] StoreError file_error(
    std::string_view path, std::string_view operation, int error, std::string_view next_step = {}
);

/// The whole file, or its first 64 KiB. An empty text if it is not there. Throws StoreError.
[[nodiscard]] std::string read_file(const std::string& path);
/// Replaces the file: temporary file, sync, rename, sync of the directory (D-FS-02). Throws
/// StoreError.
void write_file(const std::string& path, std::string_view text);
/// Adds to the end of the file, makes it if it is not there, and syncs. Throws StoreError.
void append_file(const std::string& path, std::string_view text);
/// Removes the file, if it is there, and syncs the directory. Throws StoreError.
void remove_file(const std::string& path);
/// Makes what happened to the directory's entries last. Throws StoreError.
void sync_directory(const std::string& directory);
/// The part before the last slash.
[[nodiscard]] std::string parent_of(const std::string& path);

}  // namespace storage
