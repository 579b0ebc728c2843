// What a SUBSCRIBE may ask for of a topic's history (P-QOS-11, P-QOS-13).
// Pure.
#pragma once

#include "broker/engine/message.hpp"
#include "broker/engine/subscription_options.hpp"
#include "protocol/destination.hpp"

#include <optional>
#include <string>

namespace engine {

/// The refusal of a replay that `options` want and `pattern` cannot give. What is only a wish is
/// taken out of `options` if it cannot be granted.
[[nodiscard]] std::optional<protocol::Error> check_replay(
    const protocol::Pattern& pattern, bool has_history, SubscriptionOptions& options
);

/// `message` with its number in the header `name`, too, in place of the publisher's if there is
/// one; itself if it has none.
[[nodiscard]] MessageRef with_sequence(const MessageRef& message, const std::string& name);

}  // namespace engine
