// From the headers of a SEND to what its MESSAGE will carry (P-SEND-03 to -06, P-FRAME-18, -19).
// Pure but for the reply address, which the session supplies.
#pragma once

#include "broker/engine/message.hpp"
#include "broker/engine/send_options.hpp"
#include "protocol/request.hpp"

#include <span>
#include <string>
#include <string_view>

namespace engine {

struct HeadContext {
    std::string_view destination;  ///< As MESSAGE will carry it.
    bool is_queue = false;
    bool is_user = false;       ///< A user destination.
    std::string_view user;      ///< May stand in `user-id` and `JMSXUserID`.
    std::string_view reply_to;  ///< Replaces the value of `reply-to` if not empty.
    std::uint64_t publisher = 0;
};

/// Encodes the forwarded headers of `request`, whose options are `options`. If these make it
/// expire, set_expiry() must be called before each message.
[[nodiscard]] SendHead make_send_head(
    const protocol::Send& request, const SendOptions& options, const HeadContext& context
);

/// When the next messages of `head` expire: milliseconds since 1970. For heads that expire.
void set_expiry(SendHead& head, std::int64_t expires);

/// A message like `message`, with `headers` of the broker's own before the user's and in place of
/// those of the same names. It expires at `expires`, 0: never, whatever `message` does. Under `id`;
/// empty: its own.
[[nodiscard]] MessageRef remade(
    const Message& message,
    std::span<const protocol::Header> headers,
    std::int64_t expires,
    std::string_view id = {}
);

/// The same message for another destination; `is_return`: without what dead-lettering has written.
[[nodiscard]] MessageRef readdressed(
    const Message& message, std::string_view destination, bool is_return
);

}  // namespace engine
