// The users file: who there is, with which hash and roles (S-AUTH-06, S-AUTH-07).
// Immutable once read, so it may be used on all threads. At most 16 MiB, 100,000 users, 64 roles
// each. Pure; reading it from disk is users_file_load.hpp.
#pragma once

#include "broker/engine/principal.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace security {

inline constexpr std::size_t users_file_bytes_max = 16U << 20U;
inline constexpr std::size_t users_max = 100'000;

struct User {
    std::string hash;
    std::vector<std::string> roles;
    /// Of name and hash: another one means that the credential has changed.
    std::uint64_t credential = 0;
};

/// Says whether a passcode is the one of a stored hash, at the price of one hash.
using Verifier = std::function<bool(std::string_view passcode, std::string_view hash)>;

class UsersFile {
public:
    struct Parsed {
        std::shared_ptr<const UsersFile> users;  ///< Null if there is an error.
        std::string error;                       ///< One sentence with file and line.
    };

    /// All of it or none. Lines `name:hash[:role,role]`, `#` comments and blank lines; `file` is
    /// the name in errors. Errors never repeat what is in the file.
    [[nodiscard]] static Parsed parse(std::string_view text, const std::string& file);

    [[nodiscard]] std::size_t size() const { return users_.size(); }

    /// Null if there is no such user.
    [[nodiscard]] const User* find(std::string_view name) const;

    /// Who has this login and passcode; nothing for an unknown user and for a wrong passcode alike.
    /// Either costs one hash, done here and now: for the hash pool only. The unknown user's hash is
    /// of the kind and cost that most users have. An empty login or passcode costs none
    /// (S-AUTH-05).
    [[nodiscard]] std::optional<engine::Principal> check(
        std::string_view login, std::string_view passcode
    ) const;
    [[nodiscard]] std::optional<engine::Principal> check(
        std::string_view login, std::string_view passcode, const Verifier& verifier
    ) const;

private:
    struct NameHash {
        using is_transparent = void;

        std::size_t operator()(std::string_view name) const {
            return std::hash<std::string_view>()(name);
        }
    };

    using Users = std::unordered_map<std::string, User, NameHash, std::equal_to<>>;

    explicit UsersFile(Users users);

    /// What is wrong with this line; empty if it is taken or passed over.
    static std::string read_line(std::string_view line, Users& users);

    Users users_;
    std::string decoy_;  ///< What an unknown user's passcode is checked against.
};

}  // namespace security
