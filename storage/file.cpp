// POSIX files, each step checked.
// Limits: texts of 64 KiB are read.
#include "storage/file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace storage {
namespace {

constexpr std::size_t text_max = 64 * 1024;
constexpr mode_t file_mode = 0600;

std::string_view advice(int error) {
    switch (error) {
        case EACCES:
        case EPERM:
            return "give the broker's user the right to do it";
        case EROFS:
            return "mount the file system writable";
        case ENOSPC:
        case EDQUOT:
            return "make room on the file system or raise the quota";
        case EMFILE:
        case ENFILE:
            return "raise the limit of open files";
        case ENOENT:
            return "look whether the path is right and its file system mounted";
        case ENOTDIR:
            return "one part of the path is a file; choose another";
        default:
            return "look at the health of the disk and at the kernel's log";
    }
}

FileHandle open_file(const std::string& path, int flags, std::string_view operation) {
    FileHandle file(::open(path.c_str(), flags | O_CLOEXEC, file_mode));
    if (!file.is_open()) { throw file_error(path, operation, errno); }
    return file;
}

void write_all(const FileHandle& file, const std::string& path, std::string_view text) {
    while (!text.empty()) {
        const ssize_t size = ::write(file.descriptor(), text.data(), text.size());
        if (size < 0 && errno == EINTR) { continue; }
        if (size < 0) { throw file_error(path, "write", errno); }
        text.remove_prefix(static_cast<std::size_t>(size));
    }
}

}  // namespace

FileHandle::~FileHandle() {
    if (is_open()) { ::close(descriptor_); }
}

StoreError file_error(
    std::string_view path, std::string_view operation, int error, std::string_view next_step
) {
    const std::string text = std::generic_category().message(error);
    const std::string_view step = next_step.empty() ? advice(error) : next_step;
    return {fmt::format("{}: {}: {}; {}", path, operation, text, step), false};
}

std::string read_file(const std::string& path) {
    const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) {
        if (errno == ENOENT) { return {}; }
        throw file_error(path, "open for reading", errno);
    }
    std::string text(text_max, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t read = ::read(file.descriptor(), text.data() + size, text.size() - size);
        if (read < 0 && errno == EINTR) { continue; }
        if (read < 0) { throw file_error(path, "read", errno); }
        if (read == 0) { break; }
        size += static_cast<std::size_t>(read);
    }
    text.resize(size);
    return text;
}

void write_file(const std::string& path, std::string_view text) {
    const std::string temporary = path + ".new";
    {
        const FileHandle file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, "create");
        write_all(file, temporary, text);
        if (::fsync(file.descriptor()) != 0) { throw file_error(temporary, "fsync", errno); }
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        throw file_error(path, "rename onto", errno);
    }
    sync_directory(parent_of(path));
}

void append_file(const std::string& path, std::string_view text) {
    const FileHandle file = open_file(path, O_WRONLY | O_CREAT | O_APPEND, "open for appending");
    write_all(file, path, text);
    if (::fsync(file.descriptor()) != 0) { throw file_error(path, "fsync", errno); }
    sync_directory(parent_of(path));
}

void remove_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0) {
        if (errno == ENOENT) { return; }
        throw file_error(path, "remove", errno);
    }
    sync_directory(parent_of(path));
}

void sync_directory(const std::string& directory) {
    const FileHandle handle = open_file(directory, O_RDONLY | O_DIRECTORY, "open directory");
    if (::fsync(handle.descriptor()) != 0) {
        throw file_error(directory, "fsync directory", errno);
    }
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) { return "."; }
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace storage
