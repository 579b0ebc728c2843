// Destination names, patterns and the reference matcher (P-DEST-01 to -09).
// The default prefix table only; one pass over the text per question, no allocation but in errors.
#include "protocol/destination.hpp"

#include "protocol/system_event.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace protocol {

namespace {

// --- Refusals ---

Error bad(
    std::string_view text,
    std::string_view what,
    std::string_view remedy,
    const char* rule,
    LimitKey limit = LimitKey::none
) {
    std::string sentence = "Destination \"" + quoted(text) + "\" ";
    sentence.append(what).append(".");
    return {ErrorCode::bad_destination, std::move(sentence), std::string(remedy), rule, limit};
}

Error reserved(std::string_view text) {
    return {
        ErrorCode::access_denied,
        "Destination \"" + quoted(text) + "\" is a reserved name.",
        "Use a name outside /sys/ whose levels do not begin with $.",
        "S-ACL-08",
        LimitKey::none,
        false,
        quoted(text)};
}

Error no_headers_exchange(std::string_view text) {
    return {
        ErrorCode::unsupported,
        "Destination \"" + quoted(text) + "\" needs routing by headers, which is not offered.",
        "Use a topic for each kind of message instead of matching headers.",
        "P-DEST-01"};
}

Error empty_name(std::string_view text) {
    return bad(
        text, "has no name after its prefix", "Append a name, as in /topic/prices.", "P-DEST-03"
    );
}

Error bad_wildcard(std::string_view text) {
    return bad(
        text,
        "has a wildcard level, which only SUBSCRIBE to a topic may have",
        "Name one destination, or subscribe to a pattern of topics.",
        "P-DEST-07"
    );
}

// --- Levels ---

bool cuts(Separator separator, char c) {
    return (c == '/' && separator != Separator::dot) || (c == '.' && separator != Separator::slash);
}

/// Walks over the levels of a key; the empty key has none.
class Levels {
public:
    Levels(std::string_view key, Separator separator)
        : rest_(key), separator_(separator), done_(key.empty()) {}

    [[nodiscard]] bool done() const { return done_; }

    [[nodiscard]] std::string_view level() const { return rest_.substr(0, size()); }

    void advance() {
        const std::size_t end = size();
        done_ = end == rest_.size();
        rest_.remove_prefix(done_ ? end : end + 1);
    }

    std::string_view take() {
        const std::string_view taken = level();
        advance();
        return taken;
    }

private:
    [[nodiscard]] std::size_t size() const {
        std::size_t end = 0;
        while (end < rest_.size() && !cuts(separator_, rest_[end])) {
            ++end;
        }
        return end;
    }

    std::string_view rest_;
    Separator separator_;
    bool done_;
};

template <class Predicate>
bool any_level(std::string_view key, Separator separator, Predicate predicate) {
    for (Levels levels(key, separator); !levels.done(); levels.advance()) {
        if (predicate(levels.level())) { return true; }
    }
    return false;
}

std::size_t count_levels(std::string_view key, char separator) {
    return static_cast<std::size_t>(std::count(key.begin(), key.end(), separator)) + 1;
}

bool is_wildcard(std::string_view level) {
    return level_kind(level) != LevelKind::literal;
}

bool is_hidden(std::string_view level) {
    return level.starts_with('$');
}

bool is_unusable(std::string_view level) {
    return level.empty() || level == "." || level == "..";
}

// --- The text as a whole ---

bool is_c0(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

/// U+0080 to U+009F in valid UTF-8.
bool has_c1(std::string_view text) {
    for (std::size_t at = text.find('\xC2'); at != std::string_view::npos;
         at = text.find('\xC2', at + 1)) {
        if (static_cast<unsigned char>(text[at + 1]) < 0xA0) { return true; }
    }
    return false;
}

std::optional<Error> check_size(std::string_view text, std::size_t size, const Limits& limits) {
    if (size <= limits.destination_bytes_max) { return std::nullopt; }
    return bad(
        text,
        "has " + std::to_string(size) + " octets; at most " +
            std::to_string(limits.destination_bytes_max) + " are allowed",
        "Shorten the name; limits.destination_bytes is the limit.",
        "P-DEST-03",
        LimitKey::destination_bytes
    );
}

std::optional<Error> check_text(std::string_view text, const Limits& limits) {
    if (text.empty()) {
        return bad(text, "is empty", "Name a destination, as in /queue/orders.", "P-DEST-03");
    }
    if (auto error = check_size(text, text.size(), limits)) { return error; }
    if (!is_utf8(text) || std::any_of(text.begin(), text.end(), is_c0) || has_c1(text)) {
        return bad(
            text,
            "is not UTF-8 without control characters",
            "Encode the name as UTF-8 and leave out control characters.",
            "P-DEST-03"
        );
    }
    return std::nullopt;
}

bool is_reserved(std::string_view text) {
    return text == "/sys" || text.starts_with("/sys/") ||
           any_level(text, Separator::both, is_hidden);
}

/// `key` is what follows the prefix, or one level of the prefix itself.
std::optional<Error> check_levels(
    std::string_view text, std::string_view key, const Limits& limits
) {
    if (any_level(key, Separator::slash, is_unusable) ||
        any_level(key, Separator::dot, [](std::string_view level) { return level.empty(); })) {
        return bad(
            text,
            "has an empty level or a level . or ..",
            "Give every level between / and between . a name.",
            "P-DEST-03"
        );
    }
    if (std::max(count_levels(key, '/'), count_levels(key, '.')) > limits.destination_levels_max) {
        return bad(
            text,
            "has more than " + std::to_string(limits.destination_levels_max) + " levels",
            "Use fewer levels; limits.destination_levels is the limit.",
            "P-DEST-03",
            LimitKey::destination_levels
        );
    }
    return std::nullopt;
}

// --- The table of prefixes ---

struct Parsed {
    Destination destination;
    bool has_wildcards = false;  ///< Wildcard levels of the key have their meaning or are refused.
    bool needs_key = true;
};

struct Prefix {
    std::string_view spelling;  ///< Ends with `/`.
    DestinationKind kind;
    std::string_view space;
    bool has_wildcards;
};

constexpr std::array<Prefix, 9> prefixes{{
    {"/topic/", DestinationKind::topic, "/topic/", true},
    {"/queue/", DestinationKind::queue, "/queue/", true},
    {"/temp-queue/", DestinationKind::temp_queue, "/temp-queue/", true},
    {"/temp-topic/", DestinationKind::temp_topic, "/temp-topic/", true},
    {"/reply-queue/", DestinationKind::reply_queue, "/reply-queue/", true},
    {"/user/", DestinationKind::user, "/user/", true},
    {"/amq/queue/", DestinationKind::queue, "/queue/", true},
    {"/exchange/amq.topic/", DestinationKind::topic, "/topic/", true},
    {"/exchange/amq.direct/", DestinationKind::topic, "/exchange/amq.direct/", false},
}};

constexpr std::string_view exchange_prefix = "/exchange/";
constexpr std::string_view fanout = "/exchange/amq.fanout";
constexpr std::string_view headers = "/exchange/amq.headers";

bool is_within(std::string_view text, std::string_view name) {
    return text == name || (text.starts_with(name) && text[name.size()] == '/');
}

/// A prefix of the table with nothing behind it, its slash included or not.
bool is_bare_prefix(std::string_view text) {
    if (text == "/exchange" || text == "/amq") { return true; }
    return std::any_of(prefixes.begin(), prefixes.end(), [text](const Prefix& prefix) {
        return prefix.has_wildcards &&
               text == prefix.spelling.substr(0, prefix.spelling.size() - 1);
    });
}

/// Names after the first level (`/foo/bar`) or after an exchange: `from` is where that level
/// begins.
Result<Parsed> parse_space(
    std::string_view text, std::size_t from, bool may_lack_key, const Limits& limits
) {
    const std::size_t slash = text.find('/', from);
    const std::string_view name = text.substr(from, slash == text.npos ? text.npos : slash - from);
    if (name.empty()) { return empty_name(text); }
    if (auto error = check_levels(text, name, limits)) { return *std::move(error); }
    if (slash == text.npos && !may_lack_key) { return empty_name(text); }
    const std::size_t cut = slash == text.npos ? text.size() : slash + 1;
    const Destination topic{DestinationKind::topic, text.substr(0, cut), text.substr(cut)};
    return Parsed{topic, true, slash != text.npos};
}

Result<Parsed> parse_fanout(std::string_view text, const Limits& limits) {
    if (text.size() > fanout.size()) {
        const std::string_view ignored = text.substr(fanout.size() + 1);
        if (ignored.empty()) { return empty_name(text); }
        if (auto error = check_levels(text, ignored, limits)) { return *std::move(error); }
    }
    return Parsed{{DestinationKind::topic, fanout, {}}, false, false};
}

Result<Parsed> parse_prefix(std::string_view text, const Limits& limits) {
    if (!text.starts_with('/')) {
        return Parsed{{DestinationKind::queue, "/queue/", text}, true, true};
    }
    for (const Prefix& prefix : prefixes) {
        if (!text.starts_with(prefix.spelling)) { continue; }
        const std::string_view key = text.substr(prefix.spelling.size());
        return Parsed{{prefix.kind, prefix.space, key}, prefix.has_wildcards, true};
    }
    if (is_bare_prefix(text)) { return empty_name(text); }
    if (is_within(text, headers)) { return no_headers_exchange(text); }
    if (is_within(text, fanout)) { return parse_fanout(text, limits); }
    const bool is_exchange = text.starts_with(exchange_prefix);
    return parse_space(text, is_exchange ? exchange_prefix.size() : 1, is_exchange, limits);
}

enum class Verb : std::uint8_t { send, subscribe };

/// Everything that SEND and SUBSCRIBE have in common.
Result<Parsed> parse(std::string_view text, Verb verb, const Limits& limits) {
    if (auto error = check_text(text, limits)) { return *std::move(error); }
    const bool needs_event = is_reserved(text);
    if (needs_event && verb == Verb::send) { return reserved(text); }
    auto parsed = parse_prefix(text, limits);
    if (needs_event && !(parsed && system_event(parsed->destination))) { return reserved(text); }
    if (!parsed) { return parsed; }
    const std::string_view key = parsed->destination.key;
    if (!parsed->needs_key) { return parsed; }
    if (key.empty()) { return empty_name(text); }
    if (auto error = check_levels(text, key, limits)) { return *std::move(error); }
    // An alias may be shorter than the name that it stands for, which must be one, too.
    const std::size_t size = parsed->destination.space.size() + key.size();
    if (auto error = check_size(text, size, limits)) { return *std::move(error); }
    return parsed;
}

// --- Wildcards ---

Separator separator_of(std::string_view key) {
    if (key.find('/') != std::string_view::npos) { return Separator::slash; }
    return key.find('.') != std::string_view::npos ? Separator::dot : Separator::both;
}

/// What has no patterns has no separator either: there a level under `/` or `.` counts.
bool has_wildcard_level(const Parsed& parsed) {
    const Destination& destination = parsed.destination;
    if (!parsed.has_wildcards) { return false; }
    if (destination.kind == DestinationKind::topic) {
        return any_level(destination.key, separator_of(destination.key), is_wildcard);
    }
    return any_level(destination.key, Separator::slash, is_wildcard) ||
           any_level(destination.key, Separator::dot, is_wildcard);
}

bool has_early_rest(std::string_view key, Separator separator) {
    Levels levels(key, separator);
    while (!levels.done()) {
        if (levels.take() == ">" && !levels.done()) { return true; }
    }
    return false;
}

// --- User destinations ---

bool is_user_name_space(std::string_view level) {
    return level == "queue" || level == "topic";
}

/// P-USER-02, -05: a SEND names the user: NAME/queue/N or NAME/topic/N.
bool names_user(std::string_view key) {
    Levels levels(key, Separator::slash);
    levels.advance();
    return !levels.done() && is_user_name_space(levels.take()) && !levels.done();
}

Error no_user(std::string_view text) {
    return bad(
        text,
        "does not name the user to send to",
        "Send to /user/NAME/queue/N or /user/NAME/topic/N.",
        "P-USER-05"
    );
}

/// P-USER-01: a SUBSCRIBE does not: queue/N or topic/N.
bool is_own(std::string_view key) {
    Levels levels(key, Separator::slash);
    return is_user_name_space(levels.take()) && !levels.done();
}

Error not_own(std::string_view text) {
    return bad(
        text,
        "is not a user destination that can be subscribed to",
        "Subscribe to /user/queue/N or /user/topic/N: the user is who connected.",
        "P-USER-01"
    );
}

bool one_matches(std::string_view pattern_level, std::string_view level) {
    if (level_kind(pattern_level) == LevelKind::one) { return !is_hidden(level); }
    return pattern_level == level;
}

}  // namespace

Result<Destination> parse_destination(std::string_view text, const Limits& limits) {
    const auto parsed = parse(text, Verb::send, limits);
    if (!parsed) { return parsed.error(); }
    const Destination& destination = parsed->destination;
    if (has_wildcard_level(*parsed)) { return bad_wildcard(text); }
    if (destination.kind == DestinationKind::user && !names_user(destination.key)) {
        return no_user(text);
    }
    return destination;
}

Result<Pattern> parse_pattern(std::string_view text, const Limits& limits) {
    const auto parsed = parse(text, Verb::subscribe, limits);
    if (!parsed) { return parsed.error(); }
    const Destination& destination = parsed->destination;
    const Separator separator = separator_of(destination.key);
    const bool has_wildcard = has_wildcard_level(*parsed);
    if (has_wildcard && destination.kind != DestinationKind::topic) { return bad_wildcard(text); }
    if (destination.kind == DestinationKind::user && !is_own(destination.key)) {
        return not_own(text);
    }
    if (has_wildcard && has_early_rest(destination.key, separator)) {
        return bad(text, "has > before its last level", "Use # or ** there.", "P-DEST-05");
    }
    return Pattern{destination, has_wildcard, separator};
}

std::vector<std::string_view> split_levels(std::string_view key, Separator separator) {
    std::vector<std::string_view> out;
    for (Levels levels(key, separator); !levels.done();) {
        out.push_back(levels.take());
    }
    return out;
}

LevelKind level_kind(std::string_view level) {
    if (level == "*" || level == "+") { return LevelKind::one; }
    if (level == "#" || level == "**" || level == ">") { return LevelKind::many; }
    return LevelKind::literal;
}

bool matches(std::string_view pattern_key, Separator separator, std::string_view key) {
    Levels pattern(pattern_key, separator);
    Levels name(key, separator);
    // Where to go on after a mismatch: the last `many` takes one level more. Taking as little as
    // possible for every earlier one is enough, also with hidden levels, which none may take.
    std::optional<Levels> after_many;
    Levels many_end = name;
    while (true) {
        if (!pattern.done() && level_kind(pattern.level()) == LevelKind::many) {
            pattern.advance();
            after_many = pattern;
            many_end = name;
        } else if (pattern.done() && name.done()) {
            return true;
        } else if (!pattern.done() && !name.done() && one_matches(pattern.level(), name.level())) {
            pattern.advance();
            name.advance();
        } else {
            if (!after_many || many_end.done() || is_hidden(many_end.take())) { return false; }
            pattern = *after_many;
            name = many_end;
        }
    }
}

}  // namespace protocol
