#include "broker/server/admin_token.hpp"

#include "broker/files/descriptor.hpp"
#include "broker/files/small_file.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
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
constexpr std::size_t tokens_max = 32;
constexpr std::size_t token_file_max = 64 * 1024;

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

/// The word at the front of `line`, and what is behind it without the blanks between.
std::string_view take_word(std::string_view& line) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(" \t", end), line.size()));
    return word;
}

// Of `read,publish`; false if there is another word.
bool set_scopes(admin::Token& token, std::string_view scopes) {
    token.may_read = token.may_publish = token.is_admin = false;
    while (!scopes.empty()) {
        const std::string_view scope = scopes.substr(0, scopes.find(','));
        scopes.remove_prefix(std::min(scope.size() + 1, scopes.size()));
        if (scope == "read") {
            token.may_read = true;
        } else if (scope == "publish") {
            token.may_publish = true;
        } else if (scope == "admin") {
            token.is_admin = true;
        } else {
            return false;
        }
    }
    return true;
}

admin::Token read_token(const std::string& name, std::string_view line, std::size_t number) {
    const std::string place = fmt::format("line {}: ", number);
    admin::Token token;
    std::string_view text = take_word(line);
    if (!line.empty()) {
        if (!set_scopes(token, text)) {
            fail(name, place + "the scopes before a token are read, publish or admin");
        }
        text = take_word(line);
    }
    if (!line.empty()) { fail(name, place + "a line is TOKEN or SCOPES TOKEN"); }
    if (text.size() < token_min || text.size() > token_max) {
        fail(name, place + "a token has 16 to 1024 octets");
    }
    for (const char c : text) {
        if (c < '!' || c > '~') { fail(name, place + "a token is printable ASCII"); }
    }
    token.text = text;
    return token;
}

AdminTokens read_tokens(const std::string& name, std::string_view text, unsigned mode) {
    AdminTokens found{{}, name};
    for (std::size_t number = 1; !text.empty(); ++number) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        while (!line.empty() && std::string_view(" \t\r").find(line.back()) != line.npos) {
            line.remove_suffix(1);
        }
        if (line.empty() || line.front() == '#') { continue; }
        found.tokens.push_back(read_token(name, line, number));
    }
    if (found.tokens.empty() || found.tokens.size() > tokens_max) {
        fail(name, "it must hold 1 to 32 lines, each a token of 16 to 1024 octets");
    }
    if (files::is_looser(mode, 0600)) {
        found.warning = fmt::format(
            "The admin token file {} has mode {:04o}: others may use it; run chmod 0600.",
            name,
            mode
        );
    }
    return found;
}

AdminTokens make_token(const std::string& name) {
    const files::Descriptor file(
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)
    );
    if (!file.is_open()) { fail(name, std::strerror(errno)); }
    AdminTokens made{{{random_token()}}, name};
    const std::string line = made.tokens.front().text + "\n";
    if (::write(file.number(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        const std::string cause = std::strerror(errno);
        ::unlink(name.c_str());
        fail(name, cause);
    }
    return made;
}

}  // namespace

AdminTokens open_admin_tokens(const std::string& name) {
    if (name.empty()) {
        const auto directory = std::filesystem::temp_directory_path();
        const std::string own =
            (directory / ("stampede-admin-" + random_token().substr(0, 16) + ".token")).string();
        AdminTokens made = make_token(own);
        made.is_temporary = true;
        return made;
    }
    files::SmallFile file = files::read_small_file(name, token_file_max);
    if (file.error.empty()) { return read_tokens(name, file.text, file.mode); }
    if (!file.is_missing) { fail(name, file.error); }
    return make_token(name);
}

void name_after_port(AdminTokens& tokens, std::uint16_t port) {
    if (!tokens.is_temporary) { return; }
    const auto directory = std::filesystem::path(tokens.file).parent_path();
    const std::string name =
        fmt::format("stampede-admin-{}-{}.token", port, random_token().substr(0, 16));
    const std::string renamed = (directory / name).string();
    // It is as good under its first name.
    if (std::rename(tokens.file.c_str(), renamed.c_str()) == 0) { tokens.file = renamed; }
}

}  // namespace server
