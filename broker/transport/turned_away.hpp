// Connections that get no session because a limit is reached: what they are told, and the audit.
// Pure but for the log.
#pragma once

#include "protocol/error.hpp"
#include "protocol/limit_key.hpp"

#include <string>
#include <string_view>

namespace transport {

/// One of those that a connection may cross before it has a session.
[[nodiscard]] protocol::Error turned_away_by(protocol::LimitKey limit);

/// An ERROR for clients over TCP.
[[nodiscard]] std::string as_frame(const protocol::Error& error);

/// An HTTP response: 429 if the address is to blame, 503 if the broker has no room.
[[nodiscard]] std::string as_response(const protocol::Error& error);

/// The event of a refusal in the audit (S-LOG-02).
[[nodiscard]] std::string_view audit_event(const protocol::Error& error);

/// Who was refused; what is not known is empty.
struct Refused {
    std::string_view remote;
    std::string_view listener;
    std::string_view conn = {};
    std::string_view user = {};
};

void audit_refusal(const protocol::Error& error, const Refused& who);

}  // namespace transport
