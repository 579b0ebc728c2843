#include "broker/engine/policy.hpp"

#include "protocol/system_event.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace engine {

namespace {

constexpr std::array<std::string_view, 2> queue_prefixes{"/queue/", "/amq/queue/"};
constexpr std::string_view topic_prefix = "/topic/";

// Greedy: what the last `*` takes grows only when the rest does not fit.
bool part_matches(std::string_view pattern, std::string_view text) {
    std::size_t at = 0;
    std::size_t in = 0;
    std::size_t behind_star = std::string_view::npos;
    std::size_t star_end = 0;
    while (in < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            behind_star = ++at;
            star_end = in;
        } else if (at < pattern.size() && pattern[at] == text[in]) {
            ++at;
            ++in;
        } else {
            if (behind_star == std::string_view::npos) { return false; }
            at = behind_star;
            in = ++star_end;
        }
    }
    return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

// Wildcards do not match levels that begin with `$` (P-DEST-08).
bool level_matches(std::string_view pattern, std::string_view level) {
    const bool is_hidden = level.starts_with('$');
    if (protocol::level_kind(pattern) == protocol::LevelKind::one) { return !is_hidden; }
    if (!is_part_pattern(pattern)) { return pattern == level; }
    return !(is_hidden && pattern.starts_with('*')) && part_matches(pattern, level);
}

// As protocol::matches, with levels that are patterns themselves.
bool levels_match(
    std::span<const std::string_view> pattern, std::span<const std::string_view> name
) {
    std::size_t at = 0;
    std::size_t in = 0;
    std::optional<std::size_t> behind_many;
    std::size_t many_end = 0;
    while (true) {
        const bool has_pattern = at < pattern.size();
        if (has_pattern && protocol::level_kind(pattern[at]) == protocol::LevelKind::many) {
            behind_many = ++at;
            many_end = in;
        } else if (!has_pattern && in == name.size()) {
            return true;
        } else if (has_pattern && in < name.size() && level_matches(pattern[at], name[in])) {
            ++at;
            ++in;
        } else {
            if (!behind_many || many_end == name.size()) { return false; }
            if (name[many_end].starts_with('$')) { return false; }
            at = *behind_many;
            in = ++many_end;
        }
    }
}

bool is_match(
    const Policy& policy, const protocol::Destination& destination, const protocol::Limits& limits
) {
    const auto pattern = parse_match(policy.match, limits);
    if (!pattern || pattern->destination.space != destination.space) { return false; }
    const std::string_view key = pattern->destination.key;
    if (!pattern->is_wildcard) { return key == destination.key; }
    return levels_match(
        protocol::split_levels(key, pattern->separator),
        protocol::split_levels(destination.key, pattern->separator)
    );
}

// Whole levels are wildcards already; in policies part of a level can be one too.
protocol::Pattern with_parts(protocol::Pattern pattern) {
    const auto levels = protocol::split_levels(pattern.destination.key, pattern.separator);
    pattern.is_wildcard = pattern.is_wildcard || std::ranges::any_of(levels, is_part_pattern);
    return pattern;
}

}  // namespace

bool is_part_pattern(std::string_view level) {
    return protocol::level_kind(level) == protocol::LevelKind::literal &&
           level.find('*') != std::string_view::npos;
}

std::optional<protocol::Pattern> parse_match(
    std::string_view match, const protocol::Limits& limits
) {
    const auto plain = protocol::parse_pattern(match, limits);
    if (plain && protocol::system_event(plain->destination)) { return std::nullopt; }
    if (plain) { return with_parts(*plain); }
    for (const std::string_view prefix : queue_prefixes) {
        if (!match.starts_with(prefix)) { continue; }
        // Wildcards have their meaning in topics only: the name is read as if it were one.
        const std::string as_topic = std::string(topic_prefix).append(match.substr(prefix.size()));
        auto pattern = protocol::parse_pattern(as_topic, limits);
        if (!pattern || protocol::system_event(pattern->destination)) { return std::nullopt; }
        const std::size_t key_size = pattern->destination.key.size();
        pattern->destination = {
            protocol::DestinationKind::queue,
            queue_prefixes.front(),
            match.substr(match.size() - key_size)};
        return with_parts(*pattern);
    }
    return std::nullopt;
}

const Policy* find_policy(
    const std::vector<Policy>& policies,
    const protocol::Destination& destination,
    const protocol::Limits& limits
) {
    if (protocol::system_event(destination)) { return nullptr; }
    const auto found = std::ranges::find_if(policies, [&](const Policy& policy) {
        return is_match(policy, destination, limits);
    });
    return found == policies.end() ? nullptr : &*found;
}

}  // namespace engine
