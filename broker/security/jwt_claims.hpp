// What the payload of a verified token says, and whether it says it to us and now.
// Pure. Only for payloads whose signature is good.
#pragma once

#include "broker/security/jwt.hpp"
#include "broker/security/strict_json.hpp"

namespace security {

/// The principal of the claims; `expired` only if nothing else is wrong with them.
[[nodiscard]] boost::system::result<engine::Principal, TokenFault> principal_of(
    const Json& payload, const TokenSettings& settings, std::int64_t now_ms
);

}  // namespace security
