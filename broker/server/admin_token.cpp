#include "broker/server/admin_token.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace server {

namespace {

constexpr std::size_t random_octets = 32;
constexpr std::size_t token_min = 16;
constexpr std::size_t token_max = 1024;

[[noreturn]] void fail(const std::string& file, std::string_view cause) {
    throw std::runtime_error(fmt::format(
        "Cannot use the admin token file {}: {}. Name another with admin.token_file.", file, cause
    ));
}

std::string random_token() {
    std::array<unsigned char, random_octets> octets{};
    if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1) {
        throw std::runtime_error("The system gives no random numbers.");
    }
    std::string token;
    for (const unsigned char octet : octets) {
        token += fmt::format("{:02x}", octet);
    }
    return token;
}

/// A descriptor that closes itself.
class File {
public:
    explicit File(int number) : number_(number) {}

    ~File() {
        if (number_ >= 0) { ::close(number_); }
    }

    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
};

AdminToken read_token(const std::string& name, const File& file) {
    std::array<char, token_max + 1> octets{};
    const auto size = ::read(file.number(), octets.data(), octets.size());
    if (size < 0) { fail(name, std::strerror(errno)); }
    std::string token(octets.data(), static_cast<std::size_t>(size));
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) {
        token.pop_back();
    }
    if (token.size() < token_min || token.size() > token_max) {
        fail(name, "it must hold one line of 16 to 1024 octets");
    }
    for (const char c : token) {
        if (c < '!' || c > '~') { fail(name, "it may hold only printable ASCII without blanks"); }
    }
    AdminToken found{std::move(token), name};

    struct stat status {};

    if (::fstat(file.number(), &status) == 0 && (status.st_mode & 0077U) != 0) {
        found.warning = fmt::format(
            "The admin token file {} has mode {:04o}: others may use it; run chmod 0600.",
            name,
            status.st_mode & 0777U
        );
    }
    return found;
}

AdminToken make_token(const std::string& name) {
    const File file(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)
    );
    if (file.number() < 0) { fail(name, std::strerror(errno)); }
    AdminToken made{random_token(), name};
    const std::string line = made.token + "\n";
    if (::write(file.number(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        const std::string cause = std::strerror(errno);
        ::unlink(name.c_str());
        fail(name, cause);
    }
    return made;
}

}  // namespace

AdminToken open_admin_token(const std::string& name) {
    if (name.empty()) {
        const auto directory = std::filesystem::temp_directory_path();
        const std::string own =
            (directory / ("stampede-admin-" + random_token().substr(0, 16) + ".token")).string();
        AdminToken made = make_token(own);
        made.is_temporary = true;
        return made;
    }
    const File file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number() >= 0) { return read_token(name, file); }
    if (errno != ENOENT) { fail(name, std::strerror(errno)); }
    return make_token(name);
}

}  // namespace server
