// Which call a request leads to, who may make it, and that the table and openapi.json agree.
#include "broker/admin/api.hpp"

#include "broker/admin/broker_calls.hpp"
#include "broker/admin/browse_calls.hpp"
#include "broker/admin/connection_calls.hpp"
#include "broker/admin/definition_calls.hpp"
#include "broker/admin/destination_calls.hpp"
#include "broker/admin/health.hpp"
#include "broker/admin/log_calls.hpp"
#include "broker/admin/openapi.hpp"
#include "broker/admin/publish_calls.hpp"
#include "broker/admin/queue_calls.hpp"
#include "broker/admin/scheduled_calls.hpp"
#include "broker/admin/tokens.hpp"
#include "broker/admin/trace_calls.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace admin {
namespace {

const std::string admin_token(32, 'a');
const std::string read_token(32, 'r');

Tokens tokens() {
    return Tokens({{admin_token}, {read_token, true, false, false}});
}

boost::asio::awaitable<Response> nothing(const Call&) {
    co_return no_content();
}

Api small_api() {
    Api api(tokens(), "127.0.0.1");
    api.add({"GET", "/open", Scope::none, nothing});
    api.add({"GET", "/api/v1/things", Scope::read, nothing});
    api.add({"GET", "/api/v1/things/{name}", Scope::read, nothing});
    api.add({"DELETE", "/api/v1/things/{name}", Scope::admin, nothing});
    api.add({"GET", "/api/v1/things/{name}/parts/{part}", Scope::read, nothing});
    return api;
}

RequestHead head(std::string method, std::string target, const std::string& token = admin_token) {
    RequestHead head;
    head.method = std::move(method);
    head.target = std::move(target);
    head.host = "localhost";
    if (!token.empty()) { head.authorization = "Bearer " + token; }
    return head;
}

TEST(Tokens, S_AUTH_07_S_WEB_07_MatchAsAWholeOnly) {
    const Tokens known = tokens();
    EXPECT_EQ(known.match(admin_token)->text, admin_token);
    EXPECT_EQ(known.find("Bearer " + read_token)->text, read_token);
    std::string nearly = admin_token;
    nearly.back() = 'b';
    for (const std::string& text :
         {std::string(), nearly, admin_token.substr(1), admin_token + "a", admin_token + '\0'}) {
        EXPECT_EQ(known.match(text), nullptr) << text;
    }
    EXPECT_EQ(known.find(admin_token), nullptr);
}

TEST(Api, O_10_SegmentsOfPathsAreDecodedOnce) {
    const Api api = small_api();
    const RequestHead asked = head("GET", "/api/v1/things/%2Fqueue%2Fa%2520b/parts/%C3%A4?x=%31");
    const auto found = api.find(asked);
    ASSERT_NE(found.route, nullptr);
    EXPECT_EQ(found.parameters, (std::vector<std::string>{"/queue/a%20b", "\xC3\xA4"}));
    EXPECT_EQ(found.query, "x=%31");
    EXPECT_EQ(api.find(head("GET", "/api/v1/things/a+b")).parameters.at(0), "a+b");
}

TEST(Api, O_10_OtherPathsLeadNowhere) {
    const Api api = small_api();
    for (const char* const path :
         {"",
          "/",
          "/api/v1/thing",
          "/api/v1/things/",
          "/api/v1/things//",
          "/api/v1/things/a/",
          "/api/v1/things/a/b",
          "/api/v1/things/%",
          "/api/v1/things/%zz",
          "/api/v1/things/a/parts/",
          "api/v1/things",
          "/API/v1/things",
          "//api/v1/things",
          "/api/v1/%74hings"}) {
        const auto found = api.find(head("GET", path));
        EXPECT_EQ(found.route, nullptr) << path;
        EXPECT_EQ(found.refusal.status, 404u) << path;
    }
}

TEST(Api, O_4_BeforeWhatWasStoredIsBackOnlyHealthAnswers) {
    Api api = small_api();
    bool is_open = false;
    api.open_when([&is_open] { return is_open; });
    EXPECT_EQ(api.find(head("GET", "/api/v1/things")).refusal.status, 503U);
    EXPECT_EQ(api.find(head("DELETE", "/api/v1/things/a")).refusal.status, 503U);
    EXPECT_NE(api.find(head("GET", "/open")).route, nullptr);
    is_open = true;
    EXPECT_NE(api.find(head("GET", "/api/v1/things")).route, nullptr);
}

TEST(Api, O_10_WhatDoesNotEndHasNoHead) {
    Api api = small_api();
    Route route{"GET", "/api/v1/stream", Scope::read, nothing};
    route.is_stream = true;
    api.add(std::move(route));
    EXPECT_NE(api.find(head("HEAD", "/api/v1/things")).route, nullptr);
    EXPECT_NE(api.find(head("GET", "/api/v1/stream")).route, nullptr);
    EXPECT_EQ(api.find(head("HEAD", "/api/v1/stream")).refusal.status, 405U);
}

TEST(Api, O_10_OtherMethodsAreNamed) {
    const Api api = small_api();
    const auto found = api.find(head("POST", "/api/v1/things/a"));
    EXPECT_EQ(found.refusal.status, 405u);
    const auto& fields = found.refusal.fields;
    const auto allow = std::find(
        fields.begin(), fields.end(), std::pair<std::string, std::string>("Allow", "GET, DELETE")
    );
    EXPECT_NE(allow, fields.end());
    EXPECT_NE(api.find(head("HEAD", "/api/v1/things/a")).route, nullptr);
}

TEST(Api, S_WEB_07_TheTokenComesBeforeAllElse) {
    const Api api = small_api();
    EXPECT_EQ(api.find(head("GET", "/api/v1/nothing", "")).refusal.status, 401u);
    EXPECT_EQ(api.find(head("POST", "/api/v1/things", "")).refusal.status, 401u);
    EXPECT_EQ(api.find(head("GET", "/api/v1/things", "x")).refusal.status, 401u);
    EXPECT_NE(api.find(head("GET", "/open", "")).route, nullptr);
    EXPECT_EQ(api.find(head("DELETE", "/api/v1/things/a", read_token)).refusal.status, 403u);
    EXPECT_NE(api.find(head("GET", "/api/v1/things/a", read_token)).route, nullptr);
}

/// `GET /path` to its scope.
using Table = std::map<std::string, std::string>;

Table described() {
    Table table;
    const boost::json::value document = boost::json::parse(openapi_document());
    for (const auto& [path, methods] : document.at("paths").as_object()) {
        for (const auto& [method, operation] : methods.as_object()) {
            std::string name(method);
            std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
                return static_cast<char>(std::toupper(c));
            });
            const auto& scope = operation.at("x-scope").as_string();
            table[name + " " + std::string(path)] = scope.c_str();
        }
    }
    return table;
}

TEST(Api, O_10_EveryCallOfTheTableIsDescribedWithItsScope) {
    Api api(tokens(), "");
    const Shards shards(std::vector<transport::Post>{});
    ConnectionCalls connections(shards);
    add_health(api, {});
    add_metrics(api, Scope::read, [] { return std::string(); });
    add_broker_calls(api, shards, {});
    connections.add_to(api);
    add_subscription_calls(api, shards);
    add_log_calls(api);
    add_scheduled_calls(api, shards);
    add_destination_calls(api, shards);
    add_browse_calls(api, shards);
    add_publish_calls(api, shards, 1);
    add_queue_calls(api, shards);
    add_definition_calls(api, shards);
    add_trace_calls(api, shards);
    const Table table = described();
    std::set<std::string> seen;
    for (const Route& route : api.routes()) {
        const std::string name = route.method + " " + route.path;
        ASSERT_TRUE(table.contains(name)) << name;
        EXPECT_EQ(table.at(name), to_string(route.scope)) << name;
        EXPECT_TRUE(seen.insert(name).second) << name << " is there twice";
    }
    EXPECT_EQ(seen.size(), table.size());
}

}  // namespace
}  // namespace admin
