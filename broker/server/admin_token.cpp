#include "broker/server/admin_token.hpp"

#include "broker/files/descriptor.hpp"
#include "broker/files/small_file.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace server {

namespace {

constexpr std::size_t random_octets = 32;
constexpr std::size_t token_min = 16;
constexpr std::size_t token_max = 1024;
constexpr std::size_t token_file_max = 4096;

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

AdminToken read_token(const std::string& name, std::string text, unsigned mode) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.pop_back();
    }
    if (text.size() < token_min || text.size() > token_max) {
        fail(name, "it must hold one line of 16 to 1024 octets");
    }
    for (const char c : text) {
        if (c < '!' || c > '~') { fail(name, "it may hold only printable ASCII without blanks"); }
    }
    AdminToken found{std::move(text), name};
    if (files::is_looser(mode, 0600)) {
        found.warning = fmt::format(
            "The admin token file {} has mode {:04o}: others may use it; run chmod 0600.",
            name,
            mode
        );
    }
    return found;
}

AdminToken make_token(const std::string& name) {
    const files::Descriptor file(
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)
    );
    if (!file.is_open()) { fail(name, std::strerror(errno)); }
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
    files::SmallFile file = files::read_small_file(name, token_file_max);
    if (file.error.empty()) { return read_token(name, std::move(file.text), file.mode); }
    if (!file.is_missing) { fail(name, file.error); }
    return make_token(name);
}

}  // namespace server
