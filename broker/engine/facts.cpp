#include "broker/engine/facts.hpp"

#include <algorithm>
#include <charconv>

namespace engine {

namespace {

template <class T>
T number(std::string_view text) {
    T value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

void note(Facts& facts, std::string_view name, std::string_view value) {
    if (name == "expires") { facts.expires = number<std::int64_t>(value); }
    if (name == "persistent" && (value == "false" || value == "False")) {
        facts.is_persistent = false;
    }
    if (name == "priority") {
        facts.has_priority = true;
        facts.priority = number<std::uint8_t>(value);
    }
    if ((name == "JMSXGroupID" || name == "message_group") && !value.empty()) {
        facts.has_group = true;
    }
    if (name == "_AMQ_LVQ_NAME") { facts.has_last_value = true; }
}

}  // namespace

Facts facts_of(std::string_view lines) {
    Facts facts;
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos) {
            note(facts, line.substr(0, colon), line.substr(colon + 1));
        }
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    }
    return facts;
}

}  // namespace engine
