#include "broker/security/users_file_load.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace security {

namespace {

/// A descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}

    ~Descriptor() {
        if (number_ >= 0) { ::close(number_); }
    }

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
};

std::string cannot_read(const std::string& file, std::string_view cause) {
    return fmt::format("Cannot read the users file {}: {}.", file, cause);
}

std::string loose_mode(const std::string& file, unsigned mode) {
    if ((mode & ~0640U) == 0) { return {}; }
    return fmt::format(
        "The users file {} has mode {:04o}: others may use it; run chmod 0640 on it.", file, mode
    );
}

/// Appends what can be read, up to one octet more than a users file may have. Returns an errno.
int read_all(const Descriptor& from, std::string& text) {
    std::array<char, 65536> part{};
    while (text.size() <= users_file_bytes_max) {
        const auto count = ::read(from.number(), part.data(), part.size());
        if (count == 0) { return 0; }
        if (count < 0 && errno != EINTR) { return errno; }
        if (count > 0) { text.append(part.data(), static_cast<std::size_t>(count)); }
    }
    return 0;
}

}  // namespace

UsersText read_users_text(const std::string& file) {
    UsersText read;
    // A pipe must not hold up the start.
    const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (opened.number() < 0) {
        read.is_missing = errno == ENOENT;
        read.error = cannot_read(file, std::strerror(errno));
        return read;
    }

    struct stat status {};

    if (::fstat(opened.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
        read.error = cannot_read(file, "it is not a regular file");
        return read;
    }
    read.mode = status.st_mode & 0777U;
    const int failure = read_all(opened, read.text);
    if (failure != 0) { read.error = cannot_read(file, std::strerror(failure)); }
    return read;
}

LoadedUsers load_users(const std::string& file, bool is_strict) {
    UsersText read = read_users_text(file);
    if (!read.error.empty()) { return {nullptr, std::move(read.error), ""}; }
    std::string warning = loose_mode(file, read.mode);
    if (is_strict && !warning.empty()) { return {nullptr, std::move(warning), ""}; }
    UsersFile::Parsed parsed = UsersFile::parse(read.text, file);
    return {std::move(parsed.users), std::move(parsed.error), std::move(warning)};
}

}  // namespace security
