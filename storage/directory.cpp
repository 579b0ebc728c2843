// Directory, lock, format and marker, in this order.
// flock() tells processes of one machine apart, which is why network file systems are refused.
#include "storage/directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <thread>
#include <unistd.h>

namespace storage {
namespace {

constexpr std::string_view format_name = "stampede-store ";
constexpr std::string_view clean_text = "clean\n";
constexpr mode_t directory_mode = 0700;

// A process that was killed a moment ago holds its locks until all of it is gone.
constexpr int lock_tries = 100;
constexpr std::chrono::milliseconds lock_pause{10};

bool lock_patiently(int descriptor) {
    for (int tries = lock_tries; tries > 0; --tries) {
        if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) { return true; }
        std::this_thread::sleep_for(lock_pause);
    }
    return false;
}

struct Unsafe {
    unsigned long magic;
    const char* name;
};

// The numbers of linux/magic.h and statfs(2); some are only in the latter.
constexpr auto unsafe_filesystems = std::to_array<Unsafe>({
    {0x6969, "NFS"},
    {0x517B, "SMB"},
    {0xFF534D42, "SMB (cifs)"},
    {0xFE534D42, "SMB 2"},
    {0x65735546, "FUSE"},
    {0x01021994, "tmpfs"},
    {0x858458F6, "ramfs"},
    {0x794C7630, "overlay"},
    {0x01021997, "9p"},
    {0x5346414F, "AFS"},
    {0x00C36400, "Ceph"},
});

unsigned long ask_kernel(const std::string& path) {
    struct statfs answer {};

    if (::statfs(path.c_str(), &answer) != 0) { throw file_error(path, "statfs", errno); }
    return static_cast<unsigned long>(answer.f_type) & 0xFFFFFFFFUL;
}

void refuse_unsafe(const DirectoryOptions& options) {
    const unsigned long magic = options.filesystem_of == nullptr
                                    ? ask_kernel(options.path)
                                    : options.filesystem_of(options.path);
    const char* const name = unsafe_filesystem(magic);
    if (name == nullptr || options.allow_unsafe_filesystem) { return; }
    throw StoreError(
        fmt::format(
            "{}: statfs: the file system is {}, which may lose what it has confirmed; choose a "
            "directory on a local disk (ext4, xfs, btrfs), or set allow_unsafe_filesystem = true "
            "if losing messages is acceptable",
            options.path,
            name
        ),
        false
    );
}

/// Zero if the text is no format.
unsigned parse_format(std::string_view text) {
    if (!text.starts_with(format_name)) { return 0; }
    text.remove_prefix(format_name.size());
    unsigned number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

void write_format(const std::string& path) {
    write_file(path, fmt::format("{}{}\n", format_name, Directory::format));
}

}  // namespace

const char* unsafe_filesystem(unsigned long magic) {
    const auto* const it = std::ranges::find(unsafe_filesystems, magic, &Unsafe::magic);
    return it == unsafe_filesystems.end() ? nullptr : it->name;
}

Directory::Directory(const DirectoryOptions& options) : path_(options.path) {
    while (path_.size() > 1 && path_.back() == '/') {
        path_.pop_back();
    }
    make(options.is_read_only);
    if (!options.is_read_only) { refuse_unsafe(options); }
    lock(options.is_read_only);
    check_format(options.is_read_only);
    was_clean_ = read_file(path_ + "/clean-stop") == clean_text;
    if (!options.is_read_only) { remove_file(path_ + "/clean-stop"); }
}

void Directory::complete(const std::string& path) {
    write_file(path + "/lock", "");
    write_format(path + "/format");
}

void Directory::mark_clean() const {
    write_file(path_ + "/clean-stop", clean_text);
}

void Directory::make(bool is_read_only) {
    if (is_read_only) {
        if (::access(path_.c_str(), R_OK | X_OK) != 0) { throw file_error(path_, "open", errno); }
        return;
    }
    if (::mkdir(path_.c_str(), directory_mode) == 0) {
        sync_directory(parent_of(path_));
    } else if (errno != EEXIST) {
        throw file_error(path_, "make directory", errno);
    }
}

void Directory::lock(bool is_read_only) {
    const std::string path = path_ + "/lock";
    const int flags = is_read_only ? O_RDONLY : O_RDWR | O_CREAT;
    lock_ = FileHandle(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    if (!lock_.is_open()) {
        throw file_error(path, "open", errno, is_read_only ? "is this a store's directory?" : "");
    }
    if (!lock_patiently(lock_.descriptor())) {
        std::string holder = read_file(path);
        holder.resize(std::min(holder.find('\n'), holder.size()));
        throw StoreError(
            fmt::format(
                "{}: lock: the store is in use by process {}; stop that one or choose another "
                "directory",
                path,
                holder.empty() ? "unknown" : holder
            ),
            false
        );
    }
    if (is_read_only) { return; }
    const std::string pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(lock_.descriptor(), 0) != 0 ||
        ::pwrite(lock_.descriptor(), pid.data(), pid.size(), 0) != std::ssize(pid)) {
        throw file_error(path, "write", errno);
    }
}

void Directory::check_format(bool is_read_only) {
    const std::string path = path_ + "/format";
    const std::string text = read_file(path);
    is_new_ = text.empty() && ::access(database().c_str(), F_OK) != 0;
    if (is_new_) {
        if (is_read_only) { throw file_error(path, "open for reading", ENOENT); }
        write_format(path);
        return;
    }
    const unsigned found = parse_format(text);
    if (found == 0) {
        throw StoreError(
            fmt::format(
                "{}: read: this is not the format of a store; restore the file or choose another "
                "directory",
                path
            ),
            true
        );
    }
    if (found <= format) { return; }
    throw StoreError(
        fmt::format(
            "{}: the store has format {}, this broker knows {} and older; start the newer broker "
            "that wrote it",
            path,
            found,
            format
        ),
        false
    );
}

}  // namespace storage
