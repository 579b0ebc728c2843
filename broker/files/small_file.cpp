#include "broker/files/small_file.hpp"

#include "broker/files/descriptor.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace files {

namespace {

/// Appends what is there, until `text` has more than `bytes_max` octets. Returns an errno.
int read_all(const Descriptor& from, std::size_t bytes_max, std::string& text) {
    std::array<char, 65536> part{};
    while (text.size() <= bytes_max) {
        const auto count = ::read(from.number(), part.data(), part.size());
        if (count == 0) { return 0; }
        if (count < 0 && errno != EINTR) { return errno; }
        if (count > 0) { text.append(part.data(), static_cast<std::size_t>(count)); }
    }
    return 0;
}

}  // namespace

SmallFile read_small_file(const std::string& path, std::size_t bytes_max) {
    SmallFile file;
    const Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!opened.is_open()) {
        file.is_missing = errno == ENOENT;
        file.error = std::strerror(errno);
        return file;
    }

    struct stat status {};

    if (::fstat(opened.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
        file.error = "it is not a regular file";
        return file;
    }
    file.mode = status.st_mode & 0777U;
    const int failure = read_all(opened, bytes_max, file.text);
    if (failure != 0) { file.error = std::strerror(failure); }
    if (file.text.size() > bytes_max) {
        file.text.clear();
        file.error = "it has more than " + std::to_string(bytes_max) + " octets";
    }
    return file;
}

}  // namespace files
