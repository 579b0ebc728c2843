#include "broker/security/auth_hook.hpp"

#include <fmt/format.h>

#include <functional>
#include <utility>

namespace security {

namespace {

std::uint64_t identity_of(const HttpClient::Settings& http) {
    const HttpUrl& url = http.url;
    return std::hash<std::string>()(fmt::format(
        "{}\n{}\n{}\n{}\n{}", url.is_https, url.authority(), url.socket, url.target, http.ca_file
    ));
}

}  // namespace

AuthHook::AuthHook(Outbound& outbound, Settings settings)
    : settings_(std::move(settings)),
      identity_(identity_of(settings_.http)),
      client_(outbound, settings_.http) {}

bool AuthHook::ask(
    const engine::Credentials& credentials, std::string_view facts, Standing standing, Done done
) {
    const bool has_place = standing == Standing::within_budget ||
                           client_.in_flight() < (settings_.http.in_flight_max + 1) / 2;
    if (!has_place) { return false; }
    return client_.post(
        hook_request(credentials, facts),
        [login = *credentials.login, done = std::move(done)](const HttpResult& result) {
            if (!result) { return done(HookAnswer{}, "hook: " + result.error().what); }
            HookAnswer answer = parse_hook_answer(*result, login);
            std::string why;
            if (answer.result == HookAnswer::Result::deny) { why = "the hook denies it"; }
            if (!answer.fault.empty()) {
                why = fmt::format("hook: the answer is malformed: {}", answer.fault);
            }
            done(std::move(answer), std::move(why));
        }
    );
}

}  // namespace security
