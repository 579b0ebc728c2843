#include "broker/admin/tokens.hpp"

#include <openssl/crypto.h>

namespace admin {

namespace {

bool is_same(std::string_view ours, std::string_view given) {
    return ours.size() == given.size() &&
           CRYPTO_memcmp(ours.data(), given.data(), ours.size()) == 0;
}

}  // namespace

bool Token::has(Scope scope) const {
    switch (scope) {
        case Scope::none:
            return true;
        case Scope::read:
            return may_read || is_admin;
        case Scope::publish:
            return may_publish || is_admin;
        case Scope::admin:
            return is_admin;
    }
    return false;
}

const Token* Tokens::match(std::string_view text) const {
    const Token* found = nullptr;
    for (const Token& token : tokens_) {
        if (is_same(token.text, text)) { found = &token; }
    }
    return found;
}

const Token* Tokens::find(std::string_view authorization) const {
    constexpr std::string_view scheme = "Bearer ";
    if (!authorization.starts_with(scheme)) { return nullptr; }
    return match(authorization.substr(scheme.size()));
}

}  // namespace admin
