#include "broker/admin/response.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace admin {

namespace {

namespace http = boost::beast::http;
namespace json = boost::json;
using protocol::ErrorCode;

Response respond(unsigned status, std::string_view type, std::string body) {
    Response response{status, std::move(body)};
    response.fields = {
        {"Content-Type", std::string(type)},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"}};
    return response;
}

Response problem(unsigned status, std::string_view detail, std::string_view reason) {
    json::object object{
        {"type", "about:blank"},
        {"title", std::string(http::obsolete_reason(http::int_to_status(status)))},
        {"status", status},
        {"detail", detail}};
    if (!reason.empty()) { object["reason"] = reason; }
    return respond(status, "application/problem+json", json::serialize(object) + "\n");
}

// Of refusals that a publisher or a declaration can meet; what is left is the caller's fault.
unsigned status_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::access_denied:
            return 403;
        case ErrorCode::frame_too_large:
        case ErrorCode::header_too_large:
            return 413;
        case ErrorCode::queue_full:
        case ErrorCode::limit_queues:
            return 409;
        case ErrorCode::overload:
        case ErrorCode::disk_full:
        case ErrorCode::storage_failed:
        case ErrorCode::storage_timeout:
        case ErrorCode::shutdown:
        case ErrorCode::internal:
            return 503;
        default:
            return 400;
    }
}

}  // namespace

Refused::Refused(const protocol::Error& error)
    : Refused(
          status_of(error.code),
          error.remedy.empty() ? error.what : error.what + " " + error.remedy,
          std::string(protocol::token(error.code))
      ) {}

Response Refused::response() const {
    return problem(status_, detail_, reason_);
}

Response json_response(const json::value& value, unsigned status) {
    return respond(status, "application/json", json::serialize(value) + "\n");
}

Response text_response(std::string_view content_type, std::string body) {
    return respond(200, content_type, std::move(body));
}

Response no_content() {
    Response response = respond(204, "application/json", {});
    response.fields.erase(response.fields.begin());
    return response;
}

Response not_allowed(const std::string& methods) {
    Response response = problem(405, "Allowed here: " + methods + ".", {});
    response.fields.emplace_back("Allow", methods);
    return response;
}

}  // namespace admin
