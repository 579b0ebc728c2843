#include "broker/admin/health.hpp"

#include <boost/json/object.hpp>

#include <memory>

namespace admin {

namespace {

namespace json = boost::json;

Response response_of(const std::vector<Check>& checks, const std::string& durability) {
    bool is_good = true;
    json::object results;
    for (const Check& check : checks) {
        is_good = is_good && (check.problem.empty() || !check.is_needed);
        results[check.name] = check.problem.empty() ? "ok" : check.problem;
    }
    const json::object object{
        {"status", is_good ? "ok" : "unavailable"},
        {"durability", durability},
        {"checks", std::move(results)}};
    return json_response(object, is_good ? 200 : 503);
}

struct Question {
    Checks checks;
    std::string durability;
};

boost::asio::awaitable<Response> answer(
    std::shared_ptr<const Question> question, const Call& call
) {
    call.query.allow({});
    co_return response_of(question->checks(), question->durability);
}

boost::asio::awaitable<Response> scrape(
    std::shared_ptr<const std::function<std::string()>> text, const Call& call
) {
    call.query.allow({});
    co_return text_response("text/plain; version=0.0.4; charset=utf-8", (*text)());
}

}  // namespace

void add_metrics(Api& api, Scope scope, std::function<std::string()> text) {
    const auto shared = std::make_shared<const std::function<std::string()>>(std::move(text));
    api.add({"GET", "/metrics", scope, [shared](const Call& call) { return scrape(shared, call); }}
    );
}

void add_health(Api& api, HealthChecks checks) {
    const auto add = [&](const char* path, Checks asked) {
        const auto question =
            std::make_shared<const Question>(Question{std::move(asked), checks.durability});
        api.add({"GET", path, Scope::none, [question](const Call& call) {
                     return answer(question, call);
                 }});
    };
    add("/healthz", std::move(checks.alive));
    add("/readyz", std::move(checks.ready));
    add("/startupz", std::move(checks.started));
}

}  // namespace admin
