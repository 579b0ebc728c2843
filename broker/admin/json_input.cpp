#include "broker/admin/json_input.hpp"

#include "broker/admin/response.hpp"
#include "protocol/error.hpp"

#include <algorithm>

namespace admin {

namespace json = boost::json;

JsonInput::JsonInput(
    const json::value& value, std::string where, std::initializer_list<std::string_view> known
)
    : object_(value.if_object()), where_(std::move(where)) {
    if (object_ == nullptr) { throw Refused(400, where_ + " must be a JSON object."); }
    for (const auto& member : *object_) {
        const std::string_view name = member.key();
        if (std::ranges::find(known, name) != known.end()) { continue; }
        std::string list;
        for (const std::string_view other : known) {
            list.append(list.empty() ? "" : ", ").append(other);
        }
        throw Refused(
            400,
            where_ + " has the unknown member " + protocol::quoted(name) + "; known are " + list +
                "."
        );
    }
}

const json::value* JsonInput::find(std::string_view name) const {
    return object_->if_contains(name);
}

void JsonInput::refuse(std::string_view name, std::string_view what) const {
    throw Refused(400, where_ + ": " + std::string(name) + " " + std::string(what) + ".");
}

std::string JsonInput::text(std::string_view name) const {
    auto value = optional_text(name);
    if (!value) { refuse(name, "is missing"); }
    return *std::move(value);
}

std::optional<std::string> JsonInput::optional_text(std::string_view name) const {
    const json::value* const value = find(name);
    if (value == nullptr) { return std::nullopt; }
    if (!value->is_string()) { refuse(name, "must be a text"); }
    return std::string(value->get_string());
}

std::optional<bool> JsonInput::optional_flag(std::string_view name) const {
    const json::value* const value = find(name);
    if (value == nullptr) { return std::nullopt; }
    if (!value->is_bool()) { refuse(name, "must be true or false"); }
    return value->get_bool();
}

std::optional<std::size_t> JsonInput::optional_number(
    std::string_view name, std::size_t least, std::size_t most
) const {
    const json::value* const value = find(name);
    if (value == nullptr) { return std::nullopt; }
    boost::system::error_code ec;
    const auto number = value->to_number<std::size_t>(ec);
    if (ec || number < least || number > most) {
        refuse(
            name, "must be a number from " + std::to_string(least) + " to " + std::to_string(most)
        );
    }
    return number;
}

std::vector<std::pair<std::string, std::string>> JsonInput::texts(std::string_view name) const {
    std::vector<std::pair<std::string, std::string>> found;
    const json::value* const value = find(name);
    if (value == nullptr) { return found; }
    const json::object* const object = value->if_object();
    if (object == nullptr) { refuse(name, "must be an object of texts"); }
    for (const auto& member : *object) {
        const json::string* const text = member.value().if_string();
        if (text == nullptr) { refuse(name, "must be an object of texts"); }
        found.emplace_back(std::string(member.key()), std::string(*text));
    }
    return found;
}

const json::array& JsonInput::list(std::string_view name) const {
    static const json::array none;
    const json::value* const value = find(name);
    if (value == nullptr) { return none; }
    if (!value->is_array()) { refuse(name, "must be an array"); }
    return value->get_array();
}

}  // namespace admin
