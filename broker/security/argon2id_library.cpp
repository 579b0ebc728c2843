// The function argon2id by libargon2.
#include "broker/security/argon2id.hpp"

#include <argon2.h>

namespace security {

namespace {

/// The library's interface takes what it only reads as if it wrote to it.
std::uint8_t* octets_of(std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

}  // namespace

bool has_argon2id() {
    return true;
}

std::string argon2id_digest(std::string_view passcode, const Argon2id& hash) {
    std::string digest(hash.digest.size(), '\0');
    argon2_context context{};
    context.out = octets_of(digest);
    context.outlen = static_cast<std::uint32_t>(digest.size());
    context.pwd = octets_of(passcode);
    context.pwdlen = static_cast<std::uint32_t>(passcode.size());
    context.salt = octets_of(hash.salt);
    context.saltlen = static_cast<std::uint32_t>(hash.salt.size());
    context.t_cost = hash.passes;
    context.m_cost = hash.memory_kib;
    context.lanes = hash.lanes;
    context.threads = 1;
    context.version = ARGON2_VERSION_13;
    context.flags = ARGON2_DEFAULT_FLAGS;
    return argon2id_ctx(&context) == ARGON2_OK ? digest : std::string();
}

}  // namespace security
