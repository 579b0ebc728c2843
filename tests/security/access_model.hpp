// What access rules mean, written down a second time and as plainly as possible (S-ACL-01 to -04).
// For rules without faults; slow, and exponential in the number of `#` of a pattern.
#pragma once

#include "broker/security/access_rule.hpp"
#include "protocol/destination.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace security::model {

using engine::Action;
using engine::Principal;

/// A level, or a separator between two.
struct Piece {
    std::string text;
    bool is_variable = false;  ///< `%u`, `%{claim}`.
    bool is_separator = false;
};

/// Where a pattern holds: space and key as the router has them.
struct Place {
    std::string space;
    std::string key;
};

inline Place place_of(const std::string& text) {
    const std::vector<std::pair<std::string, std::string>> prefixes{
        {"/queue/", "/queue/"},
        {"/amq/queue/", "/queue/"},
        {"/topic/", "/topic/"},
        {"/exchange/amq.topic/", "/topic/"}};
    for (const auto& [prefix, space] : prefixes) {
        if (text.starts_with(prefix)) { return {space, text.substr(prefix.size())}; }
    }
    const std::string fanout = "/exchange/amq.fanout";
    if (text == fanout || text.starts_with(fanout + "/")) { return {fanout, ""}; }
    const std::string exchange = "/exchange/";
    const std::size_t slash = text.find('/', text.starts_with(exchange) ? exchange.size() : 1);
    if (slash == std::string::npos) { return {text, ""}; }
    return {text.substr(0, slash + 1), text.substr(slash + 1)};
}

/// Cuts at every `/` and `.` that is not within `%{...}`.
inline std::vector<Piece> pieces_of(const std::string& key) {
    std::vector<Piece> pieces(1);
    for (std::size_t i = 0; i < key.size(); ++i) {
        if (key.compare(i, 2, "%{") == 0) {
            const std::size_t end = key.find('}', i);
            pieces.back() = {key.substr(i, end + 1 - i), true};
            i = end;
        } else if (key[i] == '/' || key[i] == '.') {
            pieces.push_back({std::string(1, key[i]), false, true});
            pieces.emplace_back();
        } else {
            pieces.back().text += key[i];
        }
    }
    for (Piece& piece : pieces) {
        piece.is_variable = piece.is_variable || piece.text == "%u";
    }
    return pieces;
}

inline bool is_usable(const std::string& value) {
    bool usable =
        !value.empty() && value[0] != '$' && protocol::parse_destination("/foo/" + value, {});
    for (const char c : value) {
        usable = usable && c != '/' && c != '.' && c != '*' && c != '+' && c != '#' && c != '>';
    }
    return usable;
}

inline std::optional<std::string> value_of(const std::string& variable, const Principal& who) {
    std::vector<std::string> values;
    if (variable == "%u" && !who.is_anonymous) { values.push_back(who.user); }
    for (const auto& [claim, value] : who.claims) {
        if (variable == "%{" + claim + "}") { values.push_back(value); }
    }
    if (values.size() != 1 || !is_usable(values.front())) { return std::nullopt; }
    return values.front();
}

/// The levels of `pieces` between separators that are `cut`; other separators belong to them.
inline std::vector<Piece> levels_of(const std::vector<Piece>& pieces, const std::string& cuts) {
    std::vector<Piece> levels(1);
    for (const Piece& piece : pieces) {
        if (piece.is_separator && cuts.find(piece.text) != std::string::npos) {
            levels.emplace_back();
        } else {
            levels.back().text += piece.text;
            levels.back().is_variable = levels.back().is_variable || piece.is_variable;
        }
    }
    return levels;
}

inline bool is_one(const Piece& level) {
    return !level.is_variable && (level.text == "*" || level.text == "+");
}

inline bool is_many(const Piece& level) {
    return !level.is_variable && (level.text == "#" || level.text == "**" || level.text == ">");
}

inline bool levels_match(
    const std::vector<Piece>& pattern,
    std::size_t at,
    const std::vector<Piece>& name,
    std::size_t in
) {
    if (at == pattern.size()) { return in == name.size(); }
    const bool has_visible = in < name.size() && name[in].text[0] != '$';
    if (is_many(pattern[at])) {
        return levels_match(pattern, at + 1, name, in) ||
               (has_visible && levels_match(pattern, at, name, in + 1));
    }
    if (in == name.size()) { return false; }
    const bool is_match = is_one(pattern[at]) ? has_visible : pattern[at].text == name[in].text;
    return is_match && levels_match(pattern, at + 1, name, in + 1);
}

inline bool pattern_matches(
    const std::string& pattern, const Principal& who, const protocol::Destination& destination
) {
    const Place place = place_of(pattern);
    if (place.space != destination.space) { return false; }
    std::vector<Piece> pieces = pieces_of(place.key);
    std::string cuts;
    for (const Piece& piece : pieces) {
        if (piece.is_separator && cuts != "/") { cuts = piece.text; }
    }
    if (cuts.empty()) { cuts = "/."; }
    std::string filled;
    for (Piece& piece : pieces) {
        if (piece.is_variable) {
            const auto value = value_of(piece.text, who);
            if (!value) { return false; }
            piece.text = *value;
        }
        filled += piece.text;
    }
    const auto levels = levels_of(pieces, cuts);
    const bool is_wildcard =
        std::ranges::any_of(levels, is_one) || std::ranges::any_of(levels, is_many);
    if (!is_wildcard) { return filled == destination.key; }
    std::vector<Piece> name(1);
    for (const char c : destination.key) {
        if (cuts.find(c) != std::string::npos) {
            name.emplace_back();
        } else {
            name.back().text += c;
        }
    }
    return levels_match(levels, 0, name, 0);
}

inline bool is_selected(const std::string& selector, const Principal& who) {
    if (selector == "anonymous") { return who.is_anonymous; }
    if (selector == "authenticated") { return !who.is_anonymous; }
    if (selector == "user:" + who.user) { return !who.is_anonymous; }
    for (const std::string& role : who.roles) {
        if (selector == "role:" + role) { return true; }
    }
    const std::size_t equals = selector.find('=');
    for (const auto& [claim, value] : who.claims) {
        if (selector.starts_with("claim:") && selector.substr(6, equals - 6) == claim &&
            selector.substr(equals + 1) == value) {
            return true;
        }
    }
    return false;
}

/// Whether `rule` says anything about it.
inline bool concerns(
    const AccessRule& rule,
    const Principal& who,
    Action action,
    const protocol::Destination& destination
) {
    const auto& actions = rule.deny.empty() ? rule.allow : rule.deny;
    return std::ranges::any_of(
               rule.who, [&](const auto& text) { return is_selected(text, who); }
           ) &&
           std::ranges::any_of(
               actions, [&](const auto& name) { return action_of(name) == action; }
           ) &&
           std::ranges::any_of(rule.on, [&](const auto& pattern) {
               return pattern_matches(pattern, who, destination);
           });
}

/// The decision of S-ACL-02.
inline bool allows(
    const std::vector<AccessRule>& rules,
    const Principal& who,
    Action action,
    const protocol::Destination& destination
) {
    bool is_allowed = false;
    for (const AccessRule& rule : rules) {
        if (!concerns(rule, who, action, destination)) { continue; }
        if (!rule.deny.empty()) { return false; }
        is_allowed = true;
    }
    return is_allowed;
}

}  // namespace security::model
