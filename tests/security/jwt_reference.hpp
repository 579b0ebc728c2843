// A second verifier of tokens, slow and by other means: schoolbook arithmetic on the published keys
// instead of OpenSSL's signatures, a document of Boost.JSON instead of our reader.
// It may accept what the broker refuses, never the other way.
#pragma once

#include "broker/security/jwt.hpp"

#include <string_view>

namespace security {

/// `token` is one that a broker with all published keys and `test_settings` may accept.
[[nodiscard]] bool reference_accepts(std::string_view token, std::int64_t now_ms);

}  // namespace security
