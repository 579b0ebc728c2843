// The admin listener's bearer tokens and what each may (S-WEB-07).
// Immutable. Compared in a time that tells no more than the length (S-AUTH-07).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace admin {

/// `admin` includes the others; `read` and `publish` include nothing else; `none` needs no token.
enum class Scope : std::uint8_t { none, read, publish, admin };

[[nodiscard]] constexpr std::string_view to_string(Scope scope) {
    switch (scope) {
        case Scope::read:
            return "read";
        case Scope::publish:
            return "publish";
        case Scope::admin:
            return "admin";
        case Scope::none:
            break;
    }
    return "none";
}

struct Token {
    std::string text;
    bool may_read = true;
    bool may_publish = true;
    bool is_admin = true;

    [[nodiscard]] bool has(Scope scope) const;
};

class Tokens {
public:
    explicit Tokens(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    /// The token that an `Authorization` field carries as `Bearer`; null if it is none of ours.
    [[nodiscard]] const Token* find(std::string_view authorization) const;
    /// The same for the token alone.
    [[nodiscard]] const Token* match(std::string_view text) const;

private:
    std::vector<Token> tokens_;
};

}  // namespace admin
