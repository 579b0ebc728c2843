// Who a durable or shared subscription is: user, client and name, and what it listens to (P-DUR-01,
// -02). A plain value, with the canonical queue name and the attributes that a store keeps.
#pragma once

#include "protocol/frame.hpp"
#include "protocol/request.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace engine {

/// What the headers of a SUBSCRIBE or UNSUBSCRIBE ask for.
struct DurableRequest {
    bool is_by_name = false;  ///< Else identified by destination and subscription id.
    std::string_view name;    ///< In the first case.
};

/// The durable subscription that `headers` of a frame on a topic ask for, if they do. Refuses
/// `bad-header` for flags that are no booleans and for an empty name.
[[nodiscard]] protocol::Result<std::optional<DurableRequest>> durable_request(
    std::span<const protocol::Header> headers
);

/// A durable subscription, or one that several connections share by name (`x-queue-name`), or both.
struct DurableName {
    std::string user;
    std::string client_id;  ///< Empty: subscriptions compete (P-DUR-06).
    std::string name;       ///< Its own, or the subscription id.
    std::string destination;
    bool is_by_name = false;  ///< Then another destination or selector redefines it (P-DUR-05).
    bool is_shared = false;   ///< Named by `x-queue-name`: no client-id, always competing.
    bool is_durable = true;   ///< Else it goes with its last subscriber.
    std::string selector = {};
    std::chrono::milliseconds idle_life{0};  ///< Removed when detached that long; 0: never.

    /// Equal for what is the same subscription: `/durable/...` or `/shared/...`.
    [[nodiscard]] std::string canonical() const;

    /// Whether the two keep the same messages.
    [[nodiscard]] bool has_same_definition(const DurableName& other) const {
        return destination == other.destination && selector == other.selector;
    }

    [[nodiscard]] std::string attributes() const;
    /// What attributes() said, or nothing.
    [[nodiscard]] static std::optional<DurableName> from_attributes(std::string_view text);

    friend bool operator==(const DurableName&, const DurableName&) = default;
};

}  // namespace engine
