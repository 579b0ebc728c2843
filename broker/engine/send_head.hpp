// From the headers of a SEND to what its MESSAGE will carry (P-SEND-03 to -06, P-FRAME-18, -19).
// Pure but for the reply address, which the session supplies.
#pragma once

#include "broker/engine/message.hpp"
#include "protocol/request.hpp"

#include <span>
#include <string>
#include <string_view>

namespace engine {

/// Encodes the forwarded headers of `request`. `reply_to` replaces the value of `reply-to` if not
/// empty. `user` may stand in `user-id` and `JMSXUserID`. Refuses `unsupported` for wishes that
/// this broker would otherwise silently not grant (delays, retained messages).
[[nodiscard]] protocol::Result<SendHead> make_send_head(
    const protocol::Send& request, bool is_queue, std::string_view user, std::string_view reply_to
);

/// The head of `message` with more headers of the broker's own before the user's.
[[nodiscard]] SendHead with_headers(
    const Message& message, std::span<const protocol::Header> headers
);

}  // namespace engine
