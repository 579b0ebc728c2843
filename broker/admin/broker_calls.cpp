#include "broker/admin/broker_calls.hpp"

#include "broker/admin/destinations.hpp"
#include "broker/admin/json_input.hpp"
#include "broker/admin/openapi.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <memory>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

using Handles = std::shared_ptr<const BrokerHandles>;

Response document() {
    return text_response("application/json", openapi_document());
}

Response history(const Handles& handles) {
    json::array items;
    for (const Sample& sample : handles->sampler->history()) {
        items.push_back(to_json(sample));
    }
    return json_response(json::object{{"items", std::move(items)}});
}

Response policies(const Handles& handles) {
    json::array items;
    for (const PolicyView& policy : handles->policies) {
        json::object settings;
        for (const ConfigValue& setting : policy.settings) {
            settings[setting.key] = setting.value;
        }
        items.push_back(json::object{
            {"name", policy.name},
            {"match", policy.match},
            {"origin", policy.origin},
            {"settings", std::move(settings)}});
    }
    return json_response(json::object{{"items", std::move(items)}});
}

Response config(const Handles& handles) {
    json::array items;
    for (const ConfigValue& value : handles->config()) {
        items.push_back(json::object{
            {"key", value.key}, {"value", value.value}, {"origin", value.origin}});
    }
    return json_response(json::object{{"items", std::move(items)}});
}

json::array texts(const std::vector<std::string>& from) {
    json::array all;
    for (const std::string& text : from) {
        all.push_back(json::value(as_utf8(text)));
    }
    return all;
}

Response reload(const Handles& handles) {
    const ReloadResult result = handles->reload();
    return json_response(json::object{
        {"ok", result.errors.empty()},
        {"errors", texts(result.errors)},
        {"ignored", texts(result.ignored)}});
}

asio::awaitable<Response> drain(Handles handles, const Call& call) {
    call.query.allow({"lame_duck"});
    if (!handles->drain(call.query.flag("lame_duck"))) {
        throw Refused(409, "The broker is draining already, and no slower than that.", "shutdown");
    }
    Response response = no_content();
    response.status = 202;
    co_return response;
}

// The disk decides how long it takes.
constexpr std::chrono::minutes backup_time{10};

asio::awaitable<Response> back_up(const Shards& shards, Handles handles, const Call& call) {
    call.query.allow({});
    const json::value body = call.json();
    const std::string directory = JsonInput(body, "The body", {"directory"}).text("directory");
    if (directory.find('\0') != std::string::npos) {
        throw Refused(400, "directory must be a path: it has an octet 0.");
    }
    auto awaited = shards.receive<std::string>(
        [handles, directory](std::function<void(std::string)> done) {
            handles->back_up(directory, std::move(done));
        },
        backup_time
    );
    const std::string error = co_await std::move(awaited);
    if (!error.empty()) { throw Refused(409, "There is no backup: " + error + "."); }
    co_return json_response(json::object{{"directory", directory}}, 201);
}

asio::awaitable<Response> overview(const Shards& shards, Handles handles, const Call& call) {
    call.query.allow({});
    const auto views = co_await ask_shards(shards);
    co_return json_response(overview_json(handles->view(), *handles->sampler, views));
}

asio::awaitable<Response> answer(
    Response (*make)(const Handles&), Handles handles, const Call& call
) {
    call.query.allow({});
    co_return make(handles);
}

}  // namespace

void add_broker_calls(Api& api, const Shards& shards, BrokerHandles handles) {
    const auto shared = std::make_shared<const BrokerHandles>(std::move(handles));
    const auto add =
        [&](const char* method, const char* path, Scope scope, Response (*make)(const Handles&)) {
            api.add({method, path, scope, [make, shared](const Call& call) {
                         return answer(make, shared, call);
                     }});
        };
    add("GET", "/api/v1/openapi.json", Scope::read, [](const Handles&) { return document(); });
    add("GET", "/api/v1/history", Scope::read, history);
    add("GET", "/api/v1/policies", Scope::read, policies);
    add("GET", "/api/v1/config", Scope::admin, config);
    add("POST", "/api/v1/reload", Scope::admin, reload);
    api.add({"GET", "/api/v1/overview", Scope::read, [&shards, shared](const Call& call) {
                 return overview(shards, shared, call);
             }});
    api.add({"POST", "/api/v1/drain", Scope::admin, [shared](const Call& call) {
                 return drain(shared, call);
             }});
    api.add(
        {"POST",
         "/api/v1/backup",
         Scope::admin,
         [&shards, shared](const Call& call) { return back_up(shards, shared, call); },
         Route::body_default}
    );
}

}  // namespace admin
