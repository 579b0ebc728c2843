#include "broker/engine/policy.hpp"

#include <algorithm>
#include <array>

namespace engine {

namespace {

constexpr std::array<std::string_view, 2> queue_prefixes{"/queue/", "/amq/queue/"};
constexpr std::string_view topic_prefix = "/topic/";

bool is_match(
    const Policy& policy, const protocol::Destination& destination, const protocol::Limits& limits
) {
    const auto pattern = parse_match(policy.match, limits);
    if (!pattern || pattern->destination.space != destination.space) { return false; }
    const std::string_view key = pattern->destination.key;
    return pattern->is_wildcard ? protocol::matches(key, pattern->separator, destination.key)
                                : key == destination.key;
}

}  // namespace

std::optional<protocol::Pattern> parse_match(
    std::string_view match, const protocol::Limits& limits
) {
    const auto plain = protocol::parse_pattern(match, limits);
    if (plain) { return *plain; }
    for (const std::string_view prefix : queue_prefixes) {
        if (!match.starts_with(prefix)) { continue; }
        // Wildcards have their meaning in topics only: the name is read as if it were one.
        const std::string as_topic = std::string(topic_prefix).append(match.substr(prefix.size()));
        auto pattern = protocol::parse_pattern(as_topic, limits);
        if (!pattern) { return std::nullopt; }
        const std::size_t key_size = pattern->destination.key.size();
        pattern->destination = {
            protocol::DestinationKind::queue,
            queue_prefixes.front(),
            match.substr(match.size() - key_size)};
        return *pattern;
    }
    return std::nullopt;
}

const Policy* find_policy(
    const std::vector<Policy>& policies,
    const protocol::Destination& destination,
    const protocol::Limits& limits
) {
    const auto found = std::ranges::find_if(policies, [&](const Policy& policy) {
        return is_match(policy, destination, limits);
    });
    return found == policies.end() ? nullptr : &*found;
}

}  // namespace engine
