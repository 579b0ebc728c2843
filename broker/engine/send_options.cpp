#include "broker/engine/send_options.hpp"

#include <algorithm>
#include <array>

namespace engine {

namespace {

using protocol::Error;
using protocol::ErrorCode;
using protocol::Header;
using protocol::Result;
using Text = std::string_view;

constexpr std::int64_t time_max_ms = 9'999'999'999'999LL;  // 13 digits: the year 2286.
constexpr std::int64_t delay_max_ms = 30LL * 24 * 3600 * 1000;
constexpr std::int64_t period_min_ms = 1000;
constexpr std::int64_t repeats_max = 1'000'000;
constexpr std::size_t dedup_id_max = 128;

const Header* find(const protocol::Send& request, Text name) {
    for (const Header& header : request.headers) {
        if (header.name == name) { return &header; }
    }
    return nullptr;
}

// The first of `names` that is there (P-SUB-11), as a number.
Result<std::optional<std::int64_t>> number(
    const protocol::Send& request,
    std::initializer_list<Text> names,
    std::int64_t low,
    std::int64_t high
) {
    for (const Text name : names) {
        const Header* const header = find(request, name);
        if (header == nullptr) { continue; }
        const auto value = protocol::parse_integer(name, header->value, low, high);
        if (!value) { return value.error(); }
        return std::optional<std::int64_t>(*value);
    }
    return std::optional<std::int64_t>();
}

Result<void> read_expiry(const protocol::Send& request, SendOptions& into) {
    const auto expires = number(request, {"expires"}, 0, time_max_ms);
    if (!expires) { return expires.error(); }
    into.expires_at = expires->value_or(0);
    for (const Text name : {Text("expiration"), Text("ttl")}) {
        const auto ttl = number(request, {name}, 0, time_max_ms);
        if (!ttl) { return ttl.error(); }
        if (!*ttl || **ttl == 0) { continue; }
        into.ttl_ms = std::min(**ttl, into.ttl_ms.value_or(**ttl));
    }
    return {};
}

Result<void> read_delay(const protocol::Send& request, SendOptions& into) {
    if (find(request, "AMQ_SCHEDULED_CRON") != nullptr) {
        return Error{
            ErrorCode::unsupported,
            "SEND asks for AMQ_SCHEDULED_CRON, which this broker does not offer.",
            "Use AMQ_SCHEDULED_DELAY with AMQ_SCHEDULED_PERIOD and AMQ_SCHEDULED_REPEAT.",
            "P-QOS-03"};
    }
    const auto delay = number(request, {"AMQ_SCHEDULED_DELAY", "x-delay"}, 0, delay_max_ms);
    if (!delay) { return delay.error(); }
    const auto at = number(request, {"AMQ_SCHEDULED_TIME"}, 0, time_max_ms);
    if (!at) { return at.error(); }
    const auto period = number(request, {"AMQ_SCHEDULED_PERIOD"}, period_min_ms, delay_max_ms);
    if (!period) { return period.error(); }
    const auto repeats = number(request, {"AMQ_SCHEDULED_REPEAT"}, 0, repeats_max);
    if (!repeats) { return repeats.error(); }
    if (*repeats && !*period && **repeats != 0) {
        return Error{
            ErrorCode::bad_header,
            "SEND has AMQ_SCHEDULED_REPEAT without AMQ_SCHEDULED_PERIOD.",
            "Add AMQ_SCHEDULED_PERIOD, in milliseconds, at least 1000.",
            "P-QOS-03"};
    }
    const bool is_delayed = (*delay && **delay != 0) || *at || *period;
    if (!is_delayed) { return {}; }
    into.delay = Delay{
        delay->value_or(period->value_or(0)),
        *at,
        period->value_or(0),
        static_cast<std::uint32_t>(repeats->value_or(0))};
    return {};
}

Result<void> check_priority(const protocol::Send& request) {
    const auto priority = number(request, {"priority"}, 0, 255);
    if (!priority) { return priority.error(); }
    return {};
}

Result<void> check_persistent(const protocol::Send& request) {
    const Header* const header = find(request, "persistent");
    if (header == nullptr) { return {}; }
    const auto value = protocol::parse_boolean(header->name, header->value);
    if (!value) { return value.error(); }
    return {};
}

Result<void> read_retain(const protocol::Send& request, SendOptions& into) {
    const Header* const header = find(request, "retain");
    if (header == nullptr) { return {}; }
    if (header->value == "set" || header->value == "true") {
        into.retain = Retain::set;
    } else if (header->value == "remove") {
        into.retain = Retain::remove;
    } else {
        return Error{
            ErrorCode::bad_header,
            "The header retain is " + protocol::quoted(header->value) + ".",
            "Give set or remove, or leave it out.",
            "P-QOS-08"};
    }
    return {};
}

Result<void> read_dedup(const protocol::Send& request, SendOptions& into) {
    for (const Text name : {Text("dedup-id"), Text("_AMQ_DUPL_ID")}) {
        const Header* const header = find(request, name);
        if (header == nullptr) { continue; }
        if (header->value.empty() || header->value.size() > dedup_id_max) {
            return Error{
                ErrorCode::bad_header,
                "The header " + std::string(name) + " has " + std::to_string(header->value.size()) +
                    " octets.",
                "Give an id of 1 to 128 octets.",
                "P-QOS-06"};
        }
        into.dedup_id = std::string(header->value);
        return {};
    }
    return {};
}

}  // namespace

std::int64_t SendOptions::expiry(std::int64_t now_ms) const {
    if (!ttl_ms) { return expires_at; }
    const std::int64_t from_ttl = std::min(now_ms + *ttl_ms, time_max_ms);
    return expires_at == 0 ? from_ttl : std::min(expires_at, from_ttl);
}

Result<SendOptions> send_options(const protocol::Send& request, bool is_queue, bool is_user) {
    SendOptions options;
    for (const auto read : {read_expiry, read_delay, read_retain, read_dedup}) {
        if (const auto good = read(request, options); !good) { return good.error(); }
    }
    if (const auto good = check_priority(request); !good) { return good.error(); }
    if (const auto good = check_persistent(request); !good) { return good.error(); }
    const Header* const session = is_user ? find(request, "x-session") : nullptr;
    if (session != nullptr) { options.session = std::string(session->value); }
    if (!is_queue) { return options; }
    options.retain = Retain::none;
    auto arguments = queue_arguments(request.headers, false);
    if (!arguments) { return arguments.error(); }
    options.arguments = std::move(*arguments);
    return options;
}

}  // namespace engine
