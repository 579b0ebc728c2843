#include "broker/server/config_reload.hpp"

#include "broker/server/config_keys.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <type_traits>
#include <variant>

namespace server {

namespace {

constexpr std::array<std::string_view, 2> limit_sections = {"limits", "heartbeat"};

/// Read again on SIGHUP, each in its own way.
constexpr std::array<std::string_view, 9> reloaded = {
    "limits.",
    "heartbeat.",
    "auth.users_file",
    "auth.backends",
    "hook.",
    "jwt.",
    "acl[",
    "certificate[",
    "log.level"};

bool is_reloaded(std::string_view key) {
    return std::ranges::any_of(reloaded, [key](std::string_view begin) {
        return key.starts_with(begin);
    });
}

void copy_value(const Target& to, const Target& from) {
    std::visit(
        [](auto* target, auto* source) {
            if constexpr (std::is_same_v<decltype(target), decltype(source)>) { *target = *source; }
        },
        to,
        from
    );
}

std::map<std::string_view, std::string_view> by_key(const std::vector<EffectiveValue>& values) {
    std::map<std::string_view, std::string_view> found;
    for (const EffectiveValue& value : values) {
        if (!is_reloaded(value.key)) { found.emplace(value.key, value.value); }
    }
    return found;
}

/// `policy[0]` for one of its keys.
std::string entry_or_key(std::string_view key) {
    const std::size_t end = key.find(']');
    return std::string(end == std::string_view::npos ? key : key.substr(0, end + 1));
}

}  // namespace

void take_limits(Config& running, Config fresh) {
    for (const Row<Config>& row : config_rows()) {
        if (std::ranges::find(limit_sections, row.key.section) == limit_sections.end()) {
            continue;
        }
        copy_value(row.target(running), row.target(fresh));
    }
    running.transport.exempt = fresh.transport.exempt;
}

std::vector<std::string> keys_for_restart(
    const std::vector<EffectiveValue>& running, const std::vector<EffectiveValue>& fresh
) {
    const auto before = by_key(running);
    const auto now = by_key(fresh);
    std::set<std::string> names;
    for (const auto& [key, value] : now) {
        const auto found = before.find(key);
        if (found == before.end() || found->second != value) { names.insert(entry_or_key(key)); }
    }
    for (const auto& [key, value] : before) {
        if (!now.contains(key)) { names.insert(entry_or_key(key)); }
    }
    return {names.begin(), names.end()};
}

std::vector<EffectiveValue> values_after_reload(
    const std::vector<EffectiveValue>& running, const std::vector<EffectiveValue>& fresh
) {
    std::vector<EffectiveValue> values;
    for (const EffectiveValue& value : running) {
        if (!is_reloaded(value.key)) { values.push_back(value); }
    }
    for (const EffectiveValue& value : fresh) {
        if (is_reloaded(value.key)) { values.push_back(value); }
    }
    return values;
}

}  // namespace server
