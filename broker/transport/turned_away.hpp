// Connections that get no session because a limit is reached: what they are told; and whom the
// broker tells of refusals. Pure but for the log and the broker's events.
#pragma once

#include "protocol/error.hpp"
#include "protocol/limit_key.hpp"

#include <string>
#include <string_view>

namespace transport {

class IoShard;

/// One of those that a connection may cross before it has a session.
[[nodiscard]] protocol::Error turned_away_by(protocol::LimitKey limit);

/// An ERROR for clients over TCP.
[[nodiscard]] std::string as_frame(const protocol::Error& error);

/// An HTTP response: 429 if the address is to blame, 503 if the broker has no room.
[[nodiscard]] std::string as_response(const protocol::Error& error);

/// Who was refused; what is not known is empty.
struct Refused {
    std::string_view remote;
    std::string_view listener;
    std::string_view conn = {};
    std::string_view user = {};
    std::string_view why = {};  ///< What the client was not told, for the log.
};

/// On the shard where it happened: a line of the audit, unless it was logged already, and an event.
void note_refusal(IoShard& shard, const protocol::Error& error, const Refused& who);

}  // namespace transport
