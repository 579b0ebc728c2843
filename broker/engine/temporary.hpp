// A connection's temporary destinations: private names, with reply tokens that others may send to.
// Lives on the connection's shard; bounded by Limits::temporary_destinations_max (P-TEMP-01 to
// -07).
#pragma once

#include "broker/engine/destinations.hpp"

#include <map>
#include <string>
#include <string_view>

namespace engine {

class TemporaryDestinations {
public:
    struct Temporary {
        Route route;
        std::string token;
    };

    explicit TemporaryDestinations(Destinations& router) : router_(router) {}

    ~TemporaryDestinations() { clear(); }

    TemporaryDestinations(const TemporaryDestinations&) = delete;
    TemporaryDestinations& operator=(const TemporaryDestinations&) = delete;

    /// The destination `name` names here, made if it is new. Refuses `limit-queues`.
    [[nodiscard]] protocol::Result<const Temporary*> open(const protocol::Destination& name);
    [[nodiscard]] const Temporary* find(std::string_view canonical) const;
    /// They vanish with their content (P-TEMP-07).
    void clear();

private:
    Destinations& router_;
    std::map<std::string, Temporary, std::less<>> by_name_;
};

}  // namespace engine
