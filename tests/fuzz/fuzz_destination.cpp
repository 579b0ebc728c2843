// Destinations: names have one canonical form, which access rules and the router share, and
// patterns match what a slow reading of their levels says, in the engine's index too. Input: lines,
// each a name or pattern; at most 24.
#include "broker/engine/subscription_index.hpp"
#include "broker/security/access_list.hpp"
#include "protocol/system_event.hpp"
#include "protocol/utf8.hpp"
#include "tests/fuzz/choices.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using fuzz::require;
using protocol::Destination;
using protocol::DestinationKind;
using protocol::LevelKind;
using protocol::Pattern;
using protocol::Separator;

constexpr std::size_t lines_max = 24;

bool is_cut(Separator separator, char c) {
    return (c == '/' && separator != Separator::dot) || (c == '.' && separator != Separator::slash);
}

std::vector<std::string> levels_of(std::string_view key, Separator separator) {
    if (key.empty()) { return {}; }
    std::vector<std::string> levels(1);
    for (const char c : key) {
        if (is_cut(separator, c)) {
            levels.emplace_back();
        } else {
            levels.back() += c;
        }
    }
    return levels;
}

bool is_one(const std::string& level) {
    return level == "*" || level == "+";
}

bool is_many(const std::string& level) {
    return level == "#" || level == "**" || level == ">";
}

/// Which beginnings of the name each beginning of the pattern matches: row after row.
bool matches_slowly(const Pattern& pattern, std::string_view key) {
    const auto wanted = levels_of(pattern.destination.key, pattern.separator);
    const auto levels = levels_of(key, pattern.separator);
    std::vector<bool> row(levels.size() + 1, false);
    row[0] = true;
    for (const std::string& level : wanted) {
        std::vector<bool> next(levels.size() + 1, false);
        if (is_many(level)) { next[0] = row[0]; }
        for (std::size_t i = 0; i < levels.size(); ++i) {
            const bool is_hidden = levels[i].starts_with('$');
            if (is_many(level)) {
                next[i + 1] = row[i + 1] || (next[i] && !is_hidden);
            } else {
                next[i + 1] = row[i] && (is_one(level) ? !is_hidden : level == levels[i]);
            }
        }
        row = next;
    }
    return row.back();
}

void check_refusal(const protocol::Error& error) {
    require(!error.what.empty() && !error.remedy.empty(), "a refusal says why");
    require(error.what.size() < 1200, "a refusal is short");
    require(error.what.find('\n') == std::string::npos, "a refusal is one line");
}

bool is_shared(const Destination& destination) {
    return destination.kind == DestinationKind::queue || destination.kind == DestinationKind::topic;
}

void check_name(std::string_view text, const Destination& destination) {
    require(text.size() <= 255 && protocol::is_utf8(text), "names are short and UTF-8");
    require(!text.starts_with("/sys/"), "reserved names are refused");
    const auto levels = levels_of(destination.key, Separator::slash);
    require(levels.size() <= 16, "names have few levels");
    for (const Separator separator : {Separator::slash, Separator::dot}) {
        for (const std::string& level : levels_of(destination.key, separator)) {
            require(!level.empty() && !level.starts_with('$'), "no level is empty or hidden");
        }
    }
    if (!is_shared(destination)) { return; }
    const std::string canonical = destination.canonical();
    const auto again = protocol::parse_destination(canonical, {});
    require(again.has_value(), "a canonical name is a name");
    require(again->canonical() == canonical, "a canonical name is its own");
    require(again->kind == destination.kind, "and of the same kind");
}

struct Lines {
    std::vector<std::string> texts;
    std::vector<Destination> names;
    std::vector<Pattern> patterns;
};

Lines lines_of(std::string_view input) {
    Lines lines;
    while (!input.empty() && lines.texts.size() < lines_max) {
        const std::string_view line = input.substr(0, input.find('\n'));
        lines.texts.emplace_back(line);
        input.remove_prefix(std::min(line.size() + 1, input.size()));
    }
    for (const std::string& text : lines.texts) {
        const auto name = protocol::parse_destination(text, {});
        name ? check_name(text, *name) : check_refusal(name.error());
        if (name) { lines.names.push_back(*name); }
        const auto pattern = protocol::parse_pattern(text, {});
        if (!pattern) {
            check_refusal(pattern.error());
            continue;
        }
        // What only the broker sends to is a name for who subscribes alone.
        const bool is_name = name.has_value() ||
                             pattern->destination.kind == DestinationKind::user ||
                             protocol::system_event(pattern->destination).has_value();
        require(pattern->is_wildcard != is_name, "what is no pattern is a name");
        if (pattern->is_wildcard) { lines.patterns.push_back(*pattern); }
    }
    return lines;
}

/// The numbers of the patterns from `first` on that match.
std::set<unsigned> matching(const Lines& lines, const Destination& name, unsigned first) {
    std::set<unsigned> found;
    for (unsigned i = first; i < lines.patterns.size(); ++i) {
        const Pattern& pattern = lines.patterns[i];
        const bool is_match = matches_slowly(pattern, name.key);
        require(
            protocol::matches(pattern.destination.key, pattern.separator, name.key) == is_match,
            "the matcher agrees"
        );
        if (is_match && pattern.destination.space == name.space) { found.insert(i); }
    }
    return found;
}

void check_index(const Lines& lines) {
    engine::SubscriptionIndex index;
    for (unsigned i = 0; i < lines.patterns.size(); ++i) {
        index.add(lines.patterns[i], {nullptr, i, nullptr});
    }
    for (unsigned first = 0; first <= lines.patterns.size(); ++first) {
        for (const Destination& name : lines.names) {
            if (name.kind != DestinationKind::topic) { continue; }
            std::vector<engine::Interest> found;
            index.find(name.space, name.key, found);
            std::set<unsigned> numbers;
            for (const engine::Interest& interest : found) {
                require(numbers.insert(interest.shard).second, "each pattern is found once");
            }
            require(numbers == matching(lines, name, first), "the index agrees");
        }
        if (first == lines.patterns.size()) { break; }
        index.remove(lines.patterns[first], {nullptr, first, nullptr});
    }
    require(index.empty(), "nothing is left in the index");
}

/// A rule about a name holds for exactly the names that are routed like it.
void check_rights(const Lines& lines, const Destination& ruled) {
    const std::string canonical = ruled.canonical();
    // Rules may not have what looks like a wildcard or variable and is none.
    if (!is_shared(ruled) || canonical.find_first_of("%*+#>") != std::string::npos) { return; }
    const security::AccessRule rule{{"user:ada"}, {"publish"}, {}, {canonical}};
    const auto list = security::AccessList::make({rule});
    require(list.has_value(), "a name can be ruled");
    for (const Destination& name : lines.names) {
        const auto answer = (*list)->explain({"ada"}, engine::Action::publish, name);
        const bool is_same = is_shared(name) && name.canonical() == canonical;
        require(answer.is_allowed == is_same, "rules and routes have one key");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Lines lines = lines_of(fuzz::Choices(data, size).rest());
    check_index(lines);
    for (const Destination& name : lines.names) {
        check_rights(lines, name);
    }
    return 0;
}
