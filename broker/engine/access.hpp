// What a principal may do: the one decision point (S-ACL-05) as the engine sees it.
// Immutable: may be used on all shards at once. Decisions take time linear in the rules that
// concern the principal; who asks for every message keeps the answers.
#pragma once

#include "broker/engine/principal.hpp"
#include "protocol/destination.hpp"

#include <cstdint>
#include <memory>

namespace engine {

enum class Action : std::uint8_t { publish, subscribe, create, browse };

inline constexpr std::size_t action_count = 4;

/// The rights of one principal under one access list.
class Access {
public:
    virtual ~Access() = default;

    /// A concrete destination, as the router knows it: aliases of a name have one answer
    /// (S-ACL-03). False if it is denied, or not allowed (S-ACL-02).
    [[nodiscard]] virtual bool allows(Action action, const protocol::Destination& destination)
        const = 0;

    /// Everything that the wildcard `pattern` can match is allowed by one rule; what of it is
    /// denied is left to allows(), for each message (S-ACL-07).
    [[nodiscard]] virtual bool covers(Action action, const protocol::Pattern& pattern) const = 0;

    /// allows() may be false under a pattern that covers() has granted.
    [[nodiscard]] virtual bool has_denials(Action action) const = 0;
};

using AccessRef = std::shared_ptr<const Access>;

/// Of who has shown the token of the admin listener (S-WEB-08): everything.
[[nodiscard]] AccessRef admin_access();

class Message;

/// Whether a subscriber may get `message`, by the destination that it names (S-ACL-06).
[[nodiscard]] bool may_read(const Access& access, const Message& message);

/// The access list in force.
class Authorizer {
public:
    virtual ~Authorizer() = default;
    /// Never null. Any thread.
    [[nodiscard]] virtual AccessRef access_of(const PrincipalRef& principal) const = 0;
};

}  // namespace engine
