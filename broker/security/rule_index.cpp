#include "broker/security/rule_index.hpp"

#include <algorithm>

namespace security {

namespace {

/// The end of the level that begins at `from`, however names are cut.
std::size_t level_end(std::string_view key, std::size_t from) {
    return std::min(key.find_first_of("/.", from), key.size());
}

}  // namespace

void Found::add(const RuleEffect& effect) {
    if (needs(effect)) { (effect.is_deny ? deny : allow) = effect.rule; }
}

bool Found::needs(const RuleEffect& effect) const {
    const auto& first = effect.is_deny ? deny : allow;
    return !first || effect.rule < *first;
}

void RuleIndex::add(const RuleEffect& effect, const NamePattern& pattern) {
    Space& space = spaces_[pattern.space];
    space[std::string(pattern.literal_part())].push_back({effect, &pattern});
    if (effect.is_deny) { denied_.add(effect.actions); }
}

void RuleIndex::find(engine::Action action, const protocol::Destination& destination, Found& found)
    const {
    const auto space = spaces_.find(destination.space);
    if (space == spaces_.end()) { return; }
    const auto find_under = [&](std::string_view literal_part) {
        const auto entries = space->second.find(literal_part);
        if (entries == space->second.end()) { return; }
        for (const Entry& entry : entries->second) {
            const bool is_match = entry.effect.actions.has(action) && found.needs(entry.effect) &&
                                  entry.pattern->matches(destination);
            if (is_match) { found.add(entry.effect); }
        }
    };
    const std::string_view key = destination.key;
    find_under({});
    for (std::size_t from = 0; from < key.size();) {
        const std::size_t end = level_end(key, from);
        find_under(key.substr(0, end));
        from = end + 1;
    }
}

void RuleIndex::find_cover(engine::Action action, const protocol::Pattern& pattern, Found& found)
    const {
    const auto space = spaces_.find(pattern.destination.space);
    if (space == spaces_.end()) { return; }
    for (const auto& [literal_part, entries] : space->second) {
        for (const Entry& entry : entries) {
            const bool is_cover = !entry.effect.is_deny && entry.effect.actions.has(action) &&
                                  found.needs(entry.effect) && entry.pattern->covers(pattern);
            if (is_cover) { found.add(entry.effect); }
        }
    }
}

}  // namespace security
