// In place of the function argon2id where libargon2 was not there when this was built.
#include "broker/security/argon2id.hpp"

namespace security {

bool has_argon2id() {
    return false;
}

std::string argon2id_digest(std::string_view /*passcode*/, const Argon2id& /*hash*/) {
    return {};
}

}  // namespace security
