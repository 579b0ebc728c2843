#include "broker/engine/policy.hpp"

namespace engine {

SlowConsumerPolicy slow_consumer_policy(
    const std::vector<Policy>& policies,
    const protocol::Destination& destination,
    const protocol::Limits& limits
) {
    for (const Policy& policy : policies) {
        const auto pattern = protocol::parse_pattern(policy.match, limits);
        if (!pattern || pattern->destination.space != destination.space) { continue; }
        const std::string_view key = pattern->destination.key;
        const bool matches = pattern->is_wildcard
                                 ? protocol::matches(key, pattern->separator, destination.key)
                                 : key == destination.key;
        if (matches) { return policy.slow_consumer; }
    }
    return {};
}

}  // namespace engine
