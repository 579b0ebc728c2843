#include "broker/security/access_pattern.hpp"

#include "broker/security/names.hpp"
#include "broker/security/pattern_inclusion.hpp"
#include "protocol/system_event.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace security {

namespace {

using protocol::LevelKind;
using protocol::Separator;

PatternFault fault(std::string_view text, std::string_view what) {
    return {std::string("\"").append(protocol::quoted(text)).append("\" ").append(what)};
}

/// What the router says, but quoting what was written.
PatternFault fault(std::string_view text, const protocol::Error& error) {
    const std::string_view what = error.what;
    const std::size_t quote_end = what.rfind("\" ");
    std::string said(what.substr(quote_end == what.npos ? 0 : quote_end + 2));
    return fault(text, said.append(" ").append(error.remedy));
}

// --- Variables ---

/// A text whose variables are replaced by marks: `%0%` for the first one.
struct Marked {
    std::string text;
    std::vector<VariableSource> sources;  ///< By number of the mark.
};

std::string mark(std::size_t number) {
    return "%" + std::to_string(number) + "%";
}

/// Reads the variable at the beginning of `rest` and removes it from there.
OrFault<VariableSource> take_variable(std::string_view text, std::string_view& rest) {
    if (rest.starts_with("%u")) {
        rest.remove_prefix(2);
        return VariableSource{};
    }
    const std::size_t end = rest.find('}');
    if (!rest.starts_with("%{") || end == rest.npos) {
        return fault(
            text,
            "has a % that is neither %u nor %{claim}: write one of these, or use a "
            "wildcard"
        );
    }
    const std::string_view claim = rest.substr(2, end - 2);
    if (claim.empty() || claim.find_first_of("{%") != claim.npos) {
        return fault(text, "has a %{claim} that names no claim: write its name, as in %{tenant}");
    }
    rest.remove_prefix(end + 1);
    return VariableSource{std::string(claim)};
}

OrFault<Marked> mark_variables(std::string_view text) {
    Marked marked;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t percent = std::min(rest.find('%'), rest.size());
        marked.text.append(rest.substr(0, percent));
        rest.remove_prefix(percent);
        if (rest.empty()) { break; }
        auto source = take_variable(text, rest);
        if (!source) { return source.error(); }
        marked.text.append(mark(marked.sources.size()));
        marked.sources.push_back(*std::move(source));
    }
    return marked;
}

const std::string* claim_of(const engine::Principal& principal, const std::string& name) {
    const std::string* found = nullptr;
    for (const auto& [key, value] : principal.claims) {
        if (key != name) { continue; }
        if (found != nullptr) { return nullptr; }
        found = &value;
    }
    return found;
}

const std::string* value_of(const VariableSource& source, const engine::Principal& principal) {
    if (source.claim) { return claim_of(principal, *source.claim); }
    return principal.is_anonymous ? nullptr : &principal.user;
}

/// Whether `value` is one level of a name, and no other client can be meant by it.
bool is_level(std::string_view value) {
    return !value.empty() && value.find_first_of("/.*+#>") == value.npos && value[0] != '$' &&
           protocol::is_utf8(value) && !has_control(value);
}

// --- Names ---

constexpr std::string_view topic_prefix = "/topic/";

/// Where the router has no wildcards, or not in every verb, and rules do.
constexpr std::array<std::string_view, 6> other_prefixes{
    "/queue/", "/amq/queue/", "/user/", "/temp-queue/", "/temp-topic/", "/exchange/amq.direct/"};

/// The key is read as if it were a topic's; the router says what the prefix stands for.
protocol::Result<NamePattern> parse_under(
    std::string_view prefix, std::string_view text, const protocol::Limits& limits
) {
    const std::string topic = std::string(topic_prefix).append(text.substr(prefix.size()));
    const auto pattern = protocol::parse_pattern(topic, limits);
    if (!pattern) { return pattern.error(); }
    if (protocol::system_event(pattern->destination)) {
        return protocol::parse_destination(text, limits).error();
    }
    const std::string example = std::string(prefix).append("name/queue/name");
    const auto named = protocol::parse_destination(example, {});
    if (!named) { return named.error(); }
    return NamePattern{
        std::string(named->space),
        std::string(pattern->destination.key),
        pattern->separator,
        pattern->is_wildcard};
}

/// `/topic/$SYS.*`: all of the broker's own topics, which no wildcard before `$SYS` matches
/// (S-ACL-08).
std::optional<NamePattern> parse_all_events(std::string_view text) {
    if (!text.starts_with(topic_prefix)) { return std::nullopt; }
    const std::string_view key = text.substr(topic_prefix.size());
    if (!key.starts_with(protocol::system_event_prefix)) { return std::nullopt; }
    const std::string_view level = key.substr(protocol::system_event_prefix.size());
    if (protocol::level_kind(level) == LevelKind::literal) { return std::nullopt; }
    return NamePattern{std::string(topic_prefix), std::string(key), Separator::dot, true};
}

protocol::Result<NamePattern> parse_name(std::string_view text, const protocol::Limits& limits) {
    if (auto events = parse_all_events(text)) { return *std::move(events); }
    for (const std::string_view prefix : other_prefixes) {
        if (text.starts_with(prefix)) { return parse_under(prefix, text, limits); }
    }
    const auto pattern = protocol::parse_pattern(text, limits);
    if (!pattern) { return pattern.error(); }
    return NamePattern{
        std::string(pattern->destination.space),
        std::string(pattern->destination.key),
        pattern->separator,
        pattern->is_wildcard};
}

bool is_part_wildcard(std::string_view level) {
    return protocol::level_kind(level) == LevelKind::literal && level.find('*') != level.npos;
}

/// Each of these would be a literal to the router, which nobody expects of a rule.
std::string_view fault_of_space(std::string_view space) {
    for (const std::string_view level : protocol::split_levels(space, Separator::slash)) {
        if (level.find_first_of("*%") != level.npos ||
            protocol::level_kind(level) != LevelKind::literal) {
            return "has a wildcard or variable in its first level, which must be a name: write a "
                   "rule for each";
        }
    }
    return {};
}

std::string_view fault_before_parsing(std::string_view text, const protocol::Limits& limits) {
    if (!text.starts_with('/')) {
        return "has no leading slash: write the whole name, as in /queue/orders or /topic/news.#";
    }
    if (text.starts_with("/reply-queue/")) {
        return "is a reply address, which needs no rule: leave it out";
    }
    if (text.size() > limits.destination_bytes_max) {
        return "is longer than a destination may be: shorten it";
    }
    return {};
}

bool is_many(std::string_view level) {
    return protocol::level_kind(level) == LevelKind::many;
}

/// Joins what was cut at `separator`, which is at both only if it is one level.
std::string join(const std::vector<std::string_view>& levels, Separator separator) {
    std::string key;
    for (const std::string_view level : levels) {
        if (!key.empty()) { key += separator == Separator::dot ? '.' : '/'; }
        key.append(level);
    }
    return key;
}

}  // namespace

bool NamePattern::matches(const protocol::Destination& destination) const {
    if (space != destination.space) { return false; }
    if (!is_wildcard) { return key == destination.key; }
    return protocol::matches(key, separator, destination.key);
}

bool NamePattern::covers(const protocol::Pattern& pattern) const {
    if (space != pattern.destination.space) { return false; }
    if (!pattern.is_wildcard) { return matches(pattern.destination); }
    if (!is_wildcard) { return false; }
    const auto wide = protocol::split_levels(key, separator);
    const auto narrow = protocol::split_levels(pattern.destination.key, pattern.separator);
    if (std::ranges::all_of(wide, is_many)) { return true; }
    // Names without any separator are one level however they are cut.
    const bool is_one_level = pattern.separator == Separator::both &&
                              protocol::level_kind(narrow.front()) == LevelKind::one;
    return (separator == pattern.separator || is_one_level) && includes(wide, narrow);
}

std::string_view NamePattern::literal_part() const {
    if (!is_wildcard) { return key; }
    std::size_t size = 0;
    for (const std::string_view level : protocol::split_levels(key, separator)) {
        if (protocol::level_kind(level) != LevelKind::literal) { break; }
        size += level.size() + 1;
    }
    return std::string_view(key).substr(0, size == 0 ? 0 : size - 1);
}

OrFault<AccessPattern> AccessPattern::parse(std::string_view text, const protocol::Limits& limits) {
    const std::string_view early_fault = fault_before_parsing(text, limits);
    if (!early_fault.empty()) { return fault(text, early_fault); }
    auto marked = mark_variables(text);
    if (!marked) { return marked.error(); }
    protocol::Limits wider = limits;
    wider.destination_bytes_max += marked->text.size();  // Marks may be longer than variables.
    auto pattern = parse_name(marked->text, wider);
    if (!pattern) { return fault(text, pattern.error()); }
    const std::string_view space_fault = fault_of_space(pattern->space);
    if (!space_fault.empty()) { return fault(text, space_fault); }

    AccessPattern parsed;
    const auto levels = protocol::split_levels(pattern->key, pattern->separator);
    for (std::size_t at = 0; at < levels.size(); ++at) {
        const std::size_t number = parsed.variables_.size();
        if (number < marked->sources.size() && levels[at] == mark(number)) {
            parsed.variables_.push_back({at, std::move(marked->sources[number])});
        } else if (levels[at].find('%') != std::string_view::npos) {
            return fault(text, "has %u or %{claim} among other text: let it be a whole level");
        } else if (is_part_wildcard(levels[at])) {
            return fault(text, "has a * among other text: a wildcard is a whole level");
        }
    }
    // The router ignores what follows /exchange/amq.fanout/: there it would be for everybody.
    if (parsed.variables_.size() != marked->sources.size()) {
        return fault(text, "has %u or %{claim} where the name is ignored: leave it out");
    }
    parsed.pattern_ = *std::move(pattern);
    return parsed;
}

std::optional<NamePattern> AccessPattern::fill(const engine::Principal& principal) const {
    if (variables_.empty()) { return pattern_; }
    auto levels = protocol::split_levels(pattern_.key, pattern_.separator);
    for (const Variable& variable : variables_) {
        const std::string* const value = value_of(variable.source, principal);
        if (value == nullptr || !is_level(*value)) { return std::nullopt; }
        levels[variable.level] = *value;
    }
    NamePattern filled = pattern_;
    filled.key = join(levels, pattern_.separator);
    return filled;
}

}  // namespace security
