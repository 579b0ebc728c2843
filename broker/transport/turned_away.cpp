// The texts, by limit.
// Constant data.
#include "broker/transport/turned_away.hpp"

#include "broker/log/audit.hpp"
#include "broker/transport/http_upgrade.hpp"
#include "broker/transport/system_events.hpp"
#include "protocol/encoder.hpp"

#include <array>

namespace transport {

using protocol::Error;
using protocol::ErrorCode;
using protocol::LimitKey;
using protocol::SystemEvent;

namespace {

bool is_of_address(LimitKey limit) {
    return limit == LimitKey::connections_per_ip || limit == LimitKey::unauthenticated_per_ip ||
           limit == LimitKey::connections_per_second_per_ip;
}

std::string_view sentence(LimitKey limit) {
    switch (limit) {
        case LimitKey::connections_per_ip:
            return "Your address has as many connections as it may have.";
        case LimitKey::unauthenticated_per_ip:
            return "Your address has as many connections without login as it may have.";
        case LimitKey::connections_per_second_per_ip:
            return "Your address opens connections faster than it may.";
        case LimitKey::unauthenticated:
            return "Too many connections have not logged in yet.";
        case LimitKey::memory_alarm_2:
            return "The broker is short of memory.";
        default:
            return "The broker has as many connections as it may have.";
    }
}

ErrorCode code_of(LimitKey limit) {
    switch (limit) {
        case LimitKey::memory_alarm_2:
            return ErrorCode::overload;
        case LimitKey::connections_per_second_per_ip:
            return ErrorCode::rate_limited;
        default:
            return ErrorCode::limit_connections;
    }
}

// In the audit (S-LOG-02).
std::string_view audit_event(const Error& error) {
    if (error.limit != LimitKey::none) { return "limit"; }
    switch (error.code) {
        case ErrorCode::access_denied:
        case ErrorCode::revoked:
            return "denied";
        case ErrorCode::auth_failed:
            return "auth-failed";
        default:
            return "refused";
    }
}

SystemEvent event_of(const Error& error) {
    if (error.code == ErrorCode::slow_consumer) { return SystemEvent::slow_consumer; }
    if (error.limit != LimitKey::none) { return SystemEvent::limit; }
    return error.code == ErrorCode::auth_failed ? SystemEvent::auth_failed : SystemEvent::refused;
}

}  // namespace

Error turned_away_by(LimitKey limit) {
    return {
        code_of(limit),
        std::string(sentence(limit)),
        "Connect again later, or let the operator look at " + std::string(name_of(limit)) + ".",
        "S-RATE-01",
        limit};
}

std::string as_frame(const Error& error) {
    const std::string body = error.what + "\n" + error.remedy + "\n";
    const std::string length = std::to_string(body.size());
    const std::array<protocol::Header, 3> headers = {
        {{"message", protocol::token(error.code)},
         {"content-type", "text/plain"},
         {"content-length", length}}};
    std::string frame;
    protocol::append_frame(frame, protocol::Command::error, headers, body, protocol::Version::v1_0);
    return frame;
}

std::string as_response(const Error& error) {
    return HttpUpgrade::try_later_response(
        is_of_address(error.limit) ? 429 : 503, error.what + " " + error.remedy
    );
}

void note_refusal(IoShard& shard, const Error& error, const Refused& who) {
    if (!error.is_logged) {
        logging::audit(
            {audit_event(error),
             error.what,
             protocol::token(error.code),
             name_of(error.limit),
             error.destination,
             error.remedy,
             who.conn,
             who.user,
             who.remote,
             who.listener,
             who.why,
             error.trace}
        );
    }
    tell(
        shard,
        event_of(error),
        who.remote,
        {{"reason", protocol::token(error.code)},
         {"limit", name_of(error.limit)},
         {"destination", error.destination},
         {"message", error.what},
         {"connection", who.conn},
         {"user", who.user},
         {"address", who.remote},
         {"listener", who.listener},
         {"traceparent", error.trace}}
    );
}

}  // namespace transport
