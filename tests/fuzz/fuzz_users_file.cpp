// Users files: an error with its line or a whole file, in which every user is found again; and
// changes to it leave the others as they are.
// Input: the text.
#include "broker/security/names.hpp"
#include "broker/security/password_hash.hpp"
#include "broker/security/users_edit.hpp"
#include "broker/security/users_file.hpp"
#include "tests/fuzz/choices.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace {

using fuzz::require;
using security::UsersFile;

/// The lines that name a user, read another way than by the parser.
std::vector<std::string_view> lines_of_users(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t first = line.find_first_not_of(" \t\r");
        if (first == std::string_view::npos || line[first] == '#') { continue; }
        lines.push_back(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    }
    return lines;
}

void check_error(std::string_view text, const std::string& error) {
    require(error.starts_with("users:") && error.ends_with('.'), "one sentence with file and line");
    std::size_t digits = 0;
    const unsigned long line = std::stoul(error.substr(6), &digits);
    require(error.substr(6 + digits, 2) == ": ", "the number of the line");
    const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
    require(line >= 1 && line <= static_cast<unsigned long>(lines), "the line is in the file");
    const bool is_printable =
        std::all_of(error.begin(), error.end(), [](char c) { return c >= ' ' && c <= '~'; });
    require(is_printable, "what is in the file does not come out");
}

std::string roles_text(const security::User& user) {
    std::string text;
    for (const std::string& role : user.roles) {
        require(security::name_fault(role).empty(), "roles have names");
        text += (text.empty() ? ":" : ",") + role;
    }
    return text;
}

void check_user(const UsersFile& users, std::string_view line) {
    const std::string_view name = line.substr(0, line.find(':'));
    const security::User* const user = users.find(name);
    require(user != nullptr, "each line's user is found");
    require(security::name_fault(name).empty(), "users have names");
    require(security::hash_fault(user->hash).empty(), "hashes are good");
    require(
        std::string(name) + ":" + user->hash + roles_text(*user) == line, "nothing of it is lost"
    );
    const std::string_view cost = security::hash_cost(user->hash);
    require(!cost.empty() && user->hash.starts_with(cost), "costs begin hashes");
    require(security::hash_fault(security::decoy_hash(user->hash)).empty(), "decoys are good");
}

/// Counts hashes instead of computing them.
void check_price(const UsersFile& users, std::string_view login) {
    int hashes = 0;
    const auto verifier = [&hashes](std::string_view, std::string_view hash) {
        ++hashes;
        require(security::hash_fault(hash).empty(), "what is computed is good");
        return true;
    };
    const auto principal = users.check(login, "x", verifier);
    require(hashes == 1, "every login costs one hash");
    require(principal.has_value() == (users.find(login) != nullptr), "users only");
}

void check_edits(std::string_view text, const UsersFile& users, std::string_view line) {
    const std::string name(line.substr(0, line.find(':')));
    const security::User& user = *users.find(name);
    const auto same = security::with_user(text, name, user.hash, std::nullopt);
    require(same.was_there && same.text == text, "the same hash changes nothing");
    const auto without = security::without_user(text, name);
    require(without.was_there && without.error.empty(), "a user can be deleted");
    const auto fewer = UsersFile::parse(without.text, "users");
    const std::size_t left = fewer.users ? fewer.users->size() : 0;
    require(left + 1 == users.size(), "and no other with it");
    const auto again = security::with_user(without.text, name, user.hash, user.roles);
    const auto all = UsersFile::parse(again.text, "users");
    require(all.users != nullptr && all.users->size() == users.size(), "and added again");
    require(all.users->find(name)->credential == user.credential, "as it was");
    require(all.users->find(name)->roles == user.roles, "with its roles");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const UsersFile::Parsed parsed = UsersFile::parse(text, "users");
    require((parsed.users != nullptr) == parsed.error.empty(), "an error or a whole file");
    if (parsed.users == nullptr) {
        check_error(text, parsed.error);
        return 0;
    }
    const std::vector<std::string_view> lines = lines_of_users(text);
    require(!lines.empty() && lines.size() == parsed.users->size(), "all users, and no more");
    for (const std::string_view line : lines) {
        check_user(*parsed.users, line);
    }
    check_price(*parsed.users, lines.front().substr(0, lines.front().find(':')));
    check_price(*parsed.users, "nobody at all");
    check_edits(text, *parsed.users, lines.back());
    return 0;
}
