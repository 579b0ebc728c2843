// User destinations (P-USER-01 to -05): which topics stand behind `/user/...`.
// A subscription is on two of them: one reaches all connections of its user, one this connection
// only, so that `x-session` costs a message nothing.
#pragma once

#include "protocol/destination.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace engine {

/// The name space of the topics behind user destinations: no client can name one of them, and
/// wildcards never match them.
inline constexpr std::string_view user_space = "/user/";

/// What a SUBSCRIBE to a user destination listens to.
class UserTopics {
public:
    /// `key` is the SUBSCRIBE's destination behind `/user/`: `queue/N` or `topic/N`.
    UserTopics(std::string_view user, std::string_view session, std::string_view key);

    /// Refers to this object.
    [[nodiscard]] std::array<protocol::Pattern, 2> patterns() const;

private:
    std::string of_user_;
    std::string of_session_;
};

/// Where a SEND to a user destination goes.
struct UserAddress {
    std::string topic;        ///< Its key in `user_space`; empty: nobody can be there (P-USER-04).
    std::string destination;  ///< What MESSAGE says (P-USER-03).

    /// `key` is the SEND's destination behind `/user/`: `NAME/queue/N`; `session` the value of
    /// `x-session`, or empty.
    [[nodiscard]] static UserAddress of(std::string_view key, std::string_view session);

    /// The topic's name. Refers to this object.
    [[nodiscard]] protocol::Destination name() const {
        return {protocol::DestinationKind::topic, user_space, topic};
    }
};

}  // namespace engine
