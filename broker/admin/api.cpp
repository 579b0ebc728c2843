#include "broker/admin/api.hpp"

#include "broker/log/log.hpp"

#include <boost/json/stream_parser.hpp>

#include <algorithm>
#include <optional>

namespace admin {

namespace {

namespace json = boost::json;

constexpr std::size_t depth_max = 32;
constexpr std::string_view prefix = "/api/";

std::string_view without_query(std::string_view target) {
    return target.substr(0, target.find('?'));
}

std::string_view query_of(std::string_view target) {
    const std::size_t question = target.find('?');
    return question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
}

std::string_view take_segment(std::string_view& path) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    return segment;
}

/// What stands for the pattern's {...} in `path`; nothing if it does not match, or if one of them
/// is empty or malformed.
std::optional<std::vector<std::string>> matched(std::string_view pattern, std::string_view path) {
    std::vector<std::string> parameters;
    if (std::ranges::count(pattern, '/') != std::ranges::count(path, '/')) { return std::nullopt; }
    while (!pattern.empty()) {
        const std::string_view wanted = take_segment(pattern);
        const std::string_view segment = take_segment(path);
        if (!wanted.starts_with('{')) {
            if (wanted != segment) { return std::nullopt; }
            continue;
        }
        auto decoded = percent_decoded(segment, false);
        if (!decoded || decoded->empty()) { return std::nullopt; }
        parameters.push_back(*std::move(decoded));
    }
    return parameters;
}

}  // namespace

json::value Call::json(bool may_be_empty) const {
    if (body.empty() && may_be_empty) { return nullptr; }
    json::parse_options options;
    options.max_depth = depth_max;
    boost::system::error_code ec;
    json::stream_parser parser({}, options);
    const std::size_t read = parser.write_some(body, ec);
    if (!ec && read == body.size()) { parser.finish(ec); }
    if (ec || read != body.size()) {
        throw Refused(
            400,
            "The body is no JSON: " + (ec ? ec.message() : std::string("something follows it")) +
                " near octet " + std::to_string(read) + "."
        );
    }
    return parser.release();
}

Api::Api(Tokens tokens, std::string host) : tokens_(std::move(tokens)), host_(std::move(host)) {}

void Api::add(Route route) {
    routes_.push_back(std::move(route));
}

// Against DNS rebinding (S-WEB-04).
bool Api::is_known_host(std::string_view host) const {
    if (host_.empty()) { return true; }
    const std::size_t end = host.starts_with('[') ? host.find(']') : host.find(':');
    std::string_view name = host.substr(0, end);
    if (name.starts_with('[')) { name.remove_prefix(1); }
    return name == "localhost" || name == host_ || name == "127.0.0.1" || name == "::1";
}

Api::Found Api::refuse(const RequestHead& head, const Refused& refused) const {
    Found found;
    found.refusal = refused.response();
    log_call(head, found.refusal.status, refused.what());
    return found;
}

Api::Found Api::find(const RequestHead& head) const {
    if (!is_known_host(head.host)) {
        return refuse(
            head, {421, "This Host is not served here: use localhost or the listener's address."}
        );
    }
    const std::string_view path = without_query(head.target);
    Found found;
    std::string methods;
    bool is_open = false;
    for (const Route& route : routes_) {
        auto parameters = matched(route.path, path);
        if (!parameters) { continue; }
        methods += (methods.empty() ? "" : ", ") + route.method;
        is_open = is_open || route.scope == Scope::none;
        const bool is_head = head.method == "HEAD" && route.method == "GET" && !route.is_stream;
        if (route.method != head.method && !is_head) { continue; }
        found.route = &route;
        found.parameters = std::move(*parameters);
    }
    const Token* const token = tokens_.find(head.authorization);
    if (!is_open && token == nullptr) {
        Found refusal = refuse(
            head,
            {401,
             "Send Authorization: Bearer with the token of the file that the broker's log names."}
        );
        refusal.refusal.fields.emplace_back("WWW-Authenticate", "Bearer");
        return refusal;
    }
    if (found.route == nullptr && !methods.empty()) {
        found.refusal = not_allowed(methods);
        log_call(head, found.refusal.status);
        return found;
    }
    if (found.route == nullptr) {
        return refuse(
            head, {404, "There is no such call: /api/v1/openapi.json describes those there are."}
        );
    }
    if (!is_open && !token->has(found.route->scope)) {
        return refuse(
            head,
            {403,
             "This token lacks the scope " + std::string(to_string(found.route->scope)) + ".",
             "access-denied"}
        );
    }
    if (path.starts_with(prefix) && !is_open_()) {
        return refuse(
            head, {503, "The broker is starting: /startupz says when it has.", "overload"}
        );
    }
    found.query = query_of(head.target);
    return found;
}

boost::asio::awaitable<Response> Api::answer(
    const RequestHead& head, Found found, std::string body
) {
    Response response;
    std::string detail;
    try {
        if (!body.empty() && head.content_type.substr(0, 16) != "application/json") {
            throw Refused(415, "Send the body as Content-Type: application/json.");
        }
        const Call call{
            std::move(found.parameters), Query(found.query), std::move(body), head.idempotency_key};
        response = co_await found.route->handle(call);
    } catch (const Refused& refused) {
        response = refused.response();
        detail = refused.what();
    } catch (const std::exception& error) {
        logging::error("admin-failed", "An admin call failed.", {{"err", error.what()}});
        response = Refused(500, "The call failed: the broker's log says why.").response();
    }
    log_call(head, response.status, detail);
    co_return response;
}

void log_call(const RequestHead& head, unsigned status, std::string_view detail) {
    const std::string_view path = without_query(head.target);
    const logging::Fields fields = {
        {"remote", head.remote},
        {"method", head.method},
        {"path", path},
        {"status", status},
        {"why", detail}};
    if (status == 401 || status == 403) {
        logging::warn("admin-denied", "An admin call was refused.", fields);
    } else if (head.method == "GET" || head.method == "HEAD" || !path.starts_with(prefix)) {
        // A console asks every second.
        logging::debug("admin-call", "An admin call was answered.", fields);
    } else {
        logging::info("admin-call", "An admin call was answered.", fields);
    }
}

}  // namespace admin
