// Destination names and wildcard patterns (section 7 of docs/protocol.md; P-DEST-01 to -09).
// One parser for SEND, SUBSCRIBE and access rules; pure views into the given text.
#pragma once

#include "protocol/error.hpp"
#include "protocol/limits.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace protocol {

enum class DestinationKind : std::uint8_t {
    queue,
    topic,
    temp_queue,
    temp_topic,
    reply_queue,
    user
};

/// A parsed concrete name: what a SEND addresses. `space` + `key` is the canonical name, equal for
/// all aliases of one queue or topic: `/queue/`, `/topic/`, `/exchange/X/`, `/foo/` and so on.
struct Destination {
    DestinationKind kind = DestinationKind::topic;
    std::string_view space;  ///< Ends with `/`, or is the whole name where the key is empty.
    std::string_view key;    ///< What follows; in reply queues the token.

    [[nodiscard]] std::string canonical() const { return std::string(space).append(key); }
};

/// How the levels of a pattern, and of the names it is compared with, are cut (P-DEST-06).
enum class Separator : std::uint8_t { slash, dot, both };

/// A parsed SUBSCRIBE destination: a concrete name, or a topic pattern with whole-level wildcards.
struct Pattern {
    Destination destination;  ///< For a pattern, `key` is the pattern text.
    bool is_wildcard = false;
    Separator separator = Separator::slash;
};

/// Parses the destination of a SEND. Refuses with `bad-destination` (P-DEST-03, -07) and with
/// `access-denied` for reserved names (`/sys/`, levels that start with `$`).
[[nodiscard]] Result<Destination> parse_destination(std::string_view text, const Limits& limits);

/// Parses the destination of a SUBSCRIBE. As parse_destination, but topics may have wildcards, and
/// the broker's own topics are admitted (protocol::system_event).
[[nodiscard]] Result<Pattern> parse_pattern(std::string_view text, const Limits& limits);

/// Levels of a pattern or name, cut at `separator` (`both` cuts at `/` and `.`).
[[nodiscard]] std::vector<std::string_view> split_levels(std::string_view key, Separator separator);

enum class LevelKind : std::uint8_t { literal, one, many };

/// `*` and `+` are one level; `#`, `**` and `>` are zero or more.
[[nodiscard]] LevelKind level_kind(std::string_view level);

/// Whether wildcard pattern `pattern_key` (cut at `separator`) matches the concrete `key`: the
/// reference matcher; the engine's index must agree with it. Levels starting with `$` never match
/// a wildcard level (P-DEST-08). Time is linear in pattern x name levels.
[[nodiscard]] bool matches(std::string_view pattern_key, Separator separator, std::string_view key);

}  // namespace protocol
