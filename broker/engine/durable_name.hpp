// Who a durable subscription is: user, client and name, and what it listens to (P-DUR-01, -02).
// A plain value, with the canonical queue name and the attributes that a store keeps.
#pragma once

#include "protocol/frame.hpp"
#include "protocol/request.hpp"

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

struct DurableName {
    std::string user;
    std::string client_id;  ///< Empty: subscriptions compete (P-DUR-06).
    std::string name;       ///< Its own, or the subscription id.
    std::string destination;
    bool is_by_name = false;  ///< Then another destination redefines it (P-DUR-05).

    /// Equal for what is the same subscription: `/durable/...`.
    [[nodiscard]] std::string canonical() const;

    [[nodiscard]] std::string attributes() const;
    /// What attributes() said, or nothing.
    [[nodiscard]] static std::optional<DurableName> from_attributes(std::string_view text);

    friend bool operator==(const DurableName&, const DurableName&) = default;
};

}  // namespace engine
