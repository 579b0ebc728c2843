#include "broker/security/users_edit.hpp"

#include <fmt/format.h>

namespace security {

namespace {

/// A line in a text, with its end.
struct Place {
    std::size_t begin = 0;
    std::size_t size = 0;
};

struct Found {
    std::optional<Place> place;
    std::string error;
};

bool is_of(std::string_view line, std::string_view name) {
    return line.size() > name.size() && line[name.size()] == ':' && line.starts_with(name);
}

Found find_line(std::string_view text, std::string_view name) {
    Found found;
    std::size_t first = 0;
    std::size_t number = 1;
    for (std::size_t begin = 0; begin < text.size(); ++number) {
        const std::size_t end = text.find('\n', begin);
        const std::size_t size = (end == std::string_view::npos ? text.size() : end + 1) - begin;
        if (is_of(text.substr(begin, size), name)) {
            if (found.place) {
                found.error = fmt::format(
                    "the user has two lines, {} and {}; remove one of them", first, number
                );
                return found;
            }
            found.place = Place{begin, size};
            first = number;
        }
        begin += size;
    }
    return found;
}

/// The last line may lack all of it, or its second half.
std::string_view end_of_line(std::string_view line) {
    const std::size_t end = line.find_last_not_of('\n') + 1;
    return line.substr(end > 0 && line[end - 1] == '\r' ? end - 1 : end);
}

/// What follows name and hash, with the colon in front; empty if there are no roles.
std::string_view roles_in(std::string_view line) {
    line.remove_suffix(end_of_line(line).size());
    const std::size_t hash_at = line.find(':') + 1;
    const std::size_t roles_at = line.find(':', hash_at);
    return roles_at == std::string_view::npos ? std::string_view() : line.substr(roles_at);
}

std::string join(const std::vector<std::string>& roles) {
    std::string text;
    for (const std::string& role : roles) {
        text += text.empty() ? ':' : ',';
        text += role;
    }
    return text;
}

std::string appended(std::string_view text, std::string_view line) {
    const std::string_view first = text.substr(0, text.find('\n') + 1);
    const std::string_view end = first.ends_with("\r\n") ? "\r\n" : "\n";
    std::string result(text);
    if (text.ends_with('\r')) {
        result += '\n';
    } else if (!text.empty() && !text.ends_with('\n')) {
        result += end;
    }
    return result.append(line).append(end);
}

}  // namespace

EditedUsers with_user(
    std::string_view text,
    std::string_view name,
    std::string_view hash,
    const std::optional<std::vector<std::string>>& roles
) {
    Found found = find_line(text, name);
    if (!found.error.empty()) { return {"", true, std::move(found.error)}; }
    std::string line = fmt::format("{}:{}", name, hash);
    if (roles) { line += join(*roles); }
    if (!found.place) { return {appended(text, line), false}; }
    const std::string_view old = text.substr(found.place->begin, found.place->size);
    if (!roles) { line += roles_in(old); }
    line += end_of_line(old);
    std::string result(text);
    return {result.replace(found.place->begin, found.place->size, line), true};
}

EditedUsers without_user(std::string_view text, std::string_view name) {
    Found found = find_line(text, name);
    if (!found.error.empty()) { return {"", true, std::move(found.error)}; }
    if (!found.place) { return {"", false, "there is no such user"}; }
    std::string result(text);
    return {result.erase(found.place->begin, found.place->size), true};
}

}  // namespace security
