#include "broker/admin/log_calls.hpp"

#include "broker/log/log.hpp"
#include "broker/log/record.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <optional>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using logging::Level;

// `2026-01-02T03:04:05` and what follows: enough to be compared with the lines' own.
bool is_time(std::string_view text) {
    constexpr std::string_view form = "0000-00-00T00:00:00";
    if (text.size() < form.size() || text.size() > form.size() + 8 || text.back() != 'Z') {
        return false;
    }
    for (std::size_t i = 0; i < form.size(); ++i) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == '0' ? !is_digit : text[i] != form[i]) { return false; }
    }
    return true;
}

std::string text_of(const json::value& value) {
    const json::string* const text = value.if_string();
    return text == nullptr ? json::serialize(value) : std::string(text->data(), text->size());
}

// A line of the log in the API's form.
json::object structured(const std::string& line) {
    const json::value record = json::parse(line);
    json::object fields;
    for (const auto& [name, value] : record.as_object()) {
        if (name != "ts" && name != "level" && name != "event" && name != "msg") {
            fields[name] = text_of(value);
        }
    }
    return {
        {"at", record.at("ts")},
        {"level", record.at("level")},
        {"event", record.at("event")},
        {"message", record.at("msg")},
        {"fields", std::move(fields)}};
}

asio::awaitable<Response> logs(const Call& call) {
    call.query.allow({"after", "limit"});
    const std::size_t limit = call.query.number("limit", 1, Page::limit_max, Page::limit_default);
    const std::string& after = call.query.text("after");
    if (!after.empty() && !is_time(after)) {
        throw Refused(400, "after must be the `at` of a line, unchanged.");
    }
    std::vector<std::string> lines = logging::recent();
    std::vector<json::object> found;
    // From the newest on: those that are wanted are few.
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        if (after.empty() && found.size() == limit) { break; }
        json::object object = structured(*line);
        const json::string& at = object.at("at").as_string();
        if (!after.empty() && std::string_view(at.data(), at.size()) <= after) { break; }
        found.push_back(std::move(object));
    }
    std::ranges::reverse(found);
    if (found.size() > limit) { found.resize(limit); }
    json::array items;
    for (json::object& object : found) {
        items.push_back(std::move(object));
    }
    co_return json_response(json::object{{"items", std::move(items)}});
}

asio::awaitable<Response> level(const Call& call) {
    call.query.allow({});
    co_return json_response(json::object{{"level", logging::level_name(logging::level())}});
}

std::optional<Level> level_named(std::string_view name) {
    for (const Level level :
         {Level::trace, Level::debug, Level::info, Level::warn, Level::error, Level::off}) {
        if (logging::level_name(level) == name) { return level; }
    }
    return std::nullopt;
}

asio::awaitable<Response> set_level(const Call& call) {
    call.query.allow({});
    const json::value body = call.json();
    const json::object* const object = body.if_object();
    const json::value* const name = object == nullptr ? nullptr : object->if_contains("level");
    std::optional<Level> level;
    if (object != nullptr && object->size() == 1 && name != nullptr && name->is_string()) {
        level = level_named({name->get_string().data(), name->get_string().size()});
    }
    if (!level) {
        throw Refused(
            400, R"(Send {"level": ...}: trace, debug, info, warn, error or off, and nothing else.)"
        );
    }
    const std::string_view before = logging::level_name(logging::level());
    logging::set_level(std::min(*level, Level::info));
    // In the log of what was before and of what comes.
    logging::info(
        "log-level",
        "The log's level was changed until the next start or reload.",
        {{"from", before}, {"to", logging::level_name(*level)}}
    );
    logging::set_level(*level);
    co_return no_content();
}

}  // namespace

void add_log_calls(Api& api) {
    api.add({"GET", "/api/v1/logs", Scope::read, logs});
    api.add({"GET", "/api/v1/log-levels", Scope::read, level});
    api.add({"PUT", "/api/v1/log-levels", Scope::admin, set_level, Route::body_default});
}

}  // namespace admin
