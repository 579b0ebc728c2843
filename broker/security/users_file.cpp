#include "broker/security/users_file.hpp"

#include "broker/security/names.hpp"
#include "broker/security/password_hash.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace security {

namespace {

/// Takes what is before `separator` off the front of `text`, and the separator.
std::string_view take_until(std::string_view& text, char separator) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return part;
}

bool is_passed_over(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t");
    return first == std::string_view::npos || line[first] == '#';
}

/// 64 bits of SHA-256. Names have no colon, so no two pairs give the same text.
std::uint64_t credential_of(std::string_view name, std::string_view hash) {
    const std::string text = fmt::format("{}:{}", name, hash);
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::uint64_t credential = 0;
    for (std::size_t i = 0; i < sizeof credential; ++i) {
        credential = credential << 8U | digest[i];
    }
    return credential;
}

/// The parts of one line. A fault is a sentence about it without its end.
struct Entry {
    std::string_view name;
    User user;
    std::string fault = {};
};

std::string role_fault(std::string_view role, const std::vector<std::string>& others) {
    const std::string fault = name_fault(role);
    if (!fault.empty()) { return "a role " + fault; }
    if (std::ranges::find(others, role) != others.end()) { return "a role is there twice"; }
    return others.size() == roles_max ? "there are more than 64 roles" : "";
}

void read_roles(std::string_view text, Entry& entry) {
    for (bool is_last = false; !is_last && entry.fault.empty();) {
        is_last = text.find(',') == std::string_view::npos;
        const std::string_view role = take_until(text, ',');
        entry.fault = role_fault(role, entry.user.roles);
        entry.user.roles.emplace_back(role);
    }
}

std::string fault_of(std::string_view name, std::string_view hash) {
    std::string fault = name_fault(name);
    if (!fault.empty()) { return "the name " + fault; }
    fault = hash_fault(hash);
    if (fault.empty()) { return {}; }
    return "the hash " + fault + "; make a good one with `stampede passwd`";
}

Entry entry_of(std::string_view line) {
    Entry entry;
    if (line.find(':') == std::string_view::npos) {
        entry.fault = "there is no colon; write name:hash or name:hash:role,role";
        return entry;
    }
    entry.name = take_until(line, ':');
    const bool has_roles = line.find(':') != std::string_view::npos;
    entry.user.hash = take_until(line, ':');
    entry.user.credential = credential_of(entry.name, entry.user.hash);
    entry.fault = fault_of(entry.name, entry.user.hash);
    if (entry.fault.empty() && has_roles) { read_roles(line, entry); }
    return entry;
}

std::string file_fault(std::string_view text) {
    if (text.size() > users_file_bytes_max) { return "the users file is larger than 16 MiB"; }
    if (!text.starts_with("\xEF\xBB\xBF")) { return {}; }
    return "the users file begins with a byte order mark; save it as UTF-8 without one";
}

}  // namespace

UsersFile::Parsed UsersFile::parse(std::string_view text, const std::string& file) {
    std::string fault = file_fault(text);
    Users users;
    std::size_t number = 1;
    for (std::size_t line = 1; fault.empty() && !text.empty(); ++line) {
        fault = read_line(take_until(text, '\n'), users);
        number = line;
    }
    if (!fault.empty()) { return {nullptr, fmt::format("{}:{}: {}.", file, number, fault)}; }
    if (!users.empty()) {
        return {std::shared_ptr<const UsersFile>(new UsersFile(std::move(users))), ""};
    }
    constexpr auto nobody =
        "{}:1: the users file has no user, so nobody could log in; add one with `stampede passwd`.";
    return {nullptr, fmt::format(nobody, file)};
}

UsersFile::UsersFile(Users users) : users_(std::move(users)) {
    std::map<std::string_view, std::size_t> counts;
    std::size_t most = 0;
    for (const auto& [name, user] : users_) {
        most = std::max(most, ++counts[hash_cost(user.hash)]);
    }
    for (const auto& [name, user] : users_) {
        if (counts[hash_cost(user.hash)] != most) { continue; }
        decoy_ = decoy_hash(user.hash);
        return;
    }
}

std::string UsersFile::read_line(std::string_view line, Users& users) {
    if (line.ends_with('\r')) { line.remove_suffix(1); }
    if (is_passed_over(line)) { return {}; }
    Entry entry = entry_of(line);
    if (!entry.fault.empty()) { return std::move(entry.fault); }
    if (users.size() == users_max) { return "there are more than 100,000 users"; }
    const bool is_new = users.try_emplace(std::string(entry.name), std::move(entry.user)).second;
    return is_new ? "" : "the name is the one of a user above; remove one of the two";
}

const User* UsersFile::find(std::string_view name) const {
    const auto it = users_.find(name);
    return it == users_.end() ? nullptr : &it->second;
}

std::optional<engine::Principal> UsersFile::check(std::string_view login, std::string_view passcode)
    const {
    return check(login, passcode, verify_passcode);
}

std::optional<engine::Principal> UsersFile::check(
    std::string_view login, std::string_view passcode, const Verifier& verifier
) const {
    if (login.empty() || passcode.empty()) { return std::nullopt; }
    const User* const user = find(login);
    // Before anything is returned, so that one hash is the price of either answer.
    const bool matches = verifier(passcode, user == nullptr ? decoy_ : user->hash);
    if (user == nullptr || !matches) { return std::nullopt; }
    engine::Principal principal;
    principal.user = login;
    principal.roles = user->roles;
    principal.voucher = engine::Voucher::users_file;
    principal.credential = user->credential;
    return principal;
}

}  // namespace security
