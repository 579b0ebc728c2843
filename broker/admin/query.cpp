#include "broker/admin/query.hpp"

#include "broker/admin/response.hpp"

#include <algorithm>
#include <charconv>

namespace admin {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') { return c - '0'; }
    if (c >= 'a' && c <= 'f') { return c - 'a' + 10; }
    if (c >= 'A' && c <= 'F') { return c - 'A' + 10; }
    return -1;
}

std::optional<std::size_t> number_in(std::string_view text) {
    std::size_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, number);
    if (ec != std::errc() || stop != end) { return std::nullopt; }
    return number;
}

std::string list_of(const std::vector<std::string_view>& names) {
    std::string list;
    for (const std::string_view name : names) {
        list.append(list.empty() ? "" : ", ").append(name);
    }
    return list;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool is_form) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(is_form && text[i] == '+' ? ' ' : text[i]);
            continue;
        }
        if (i + 2 >= text.size()) { return std::nullopt; }
        const int high = hex_digit(text[i + 1]);
        const int low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0) { return std::nullopt; }
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return out;
}

Query::Query(std::string_view text) {
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const std::size_t equals = part.find('=');
        auto name = percent_decoded(part.substr(0, equals), true);
        auto value = percent_decoded(
            equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1), true
        );
        if (!name || !value) {
            throw Refused(400, "The query is not percent-encoded: a % needs two hex digits.");
        }
        if (!values_.emplace(std::move(*name), std::move(*value)).second) {
            throw Refused(400, "A parameter of the query is given twice: give it once.");
        }
    }
}

void Query::allow(std::initializer_list<std::string_view> known) const {
    for (const auto& [name, value] : values_) {
        if (std::ranges::find(known, name) != known.end()) { continue; }
        const std::string list = list_of(known);
        throw Refused(
            400,
            list.empty() ? "This call has no parameters."
                         : "An unknown parameter is in the query; this call knows " + list + "."
        );
    }
}

const std::string& Query::text(std::string_view name) const {
    static const std::string none;
    const auto found = values_.find(name);
    return found == values_.end() ? none : found->second;
}

std::size_t Query::number(
    std::string_view name, std::size_t least, std::size_t most, std::size_t otherwise
) const {
    const auto found = values_.find(name);
    if (found == values_.end()) { return otherwise; }
    const auto value = number_in(found->second);
    if (!value || *value < least || *value > most) {
        throw Refused(
            400,
            std::string(name) + " must be a number from " + std::to_string(least) + " to " +
                std::to_string(most) + "."
        );
    }
    return *value;
}

bool Query::flag(std::string_view name) const {
    return choice(name, {"false", "true"}) == "true";
}

std::string Query::choice(std::string_view name, const std::vector<std::string_view>& choices)
    const {
    const auto found = values_.find(name);
    if (found == values_.end()) { return std::string(choices.front()); }
    if (std::ranges::find(choices, found->second) != choices.end()) { return found->second; }
    throw Refused(400, std::string(name) + " must be one of " + list_of(choices) + ".");
}

Page::Page(const Query& query) : limit(query.number("limit", 1, limit_max, limit_default)) {
    const std::string& cursor = query.text("cursor");
    if (cursor.empty()) { return; }
    const auto number = cursor.front() == 'o' ? number_in(std::string_view(cursor).substr(1))
                                              : std::optional<std::size_t>();
    if (!number || *number > offset_max) {
        throw Refused(400, "cursor must be what `next` of another page says, unchanged.");
    }
    offset = *number;
}

std::optional<std::string> Page::next(std::size_t total) const {
    if (end() >= total || end() > offset_max) { return std::nullopt; }
    return "o" + std::to_string(end());
}

}  // namespace admin
