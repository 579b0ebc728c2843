#include "broker/engine/subscription_options.hpp"

#include <algorithm>
#include <array>

namespace engine {

namespace {

using protocol::ErrorCode;
using protocol::Result;
using Text = std::string_view;

constexpr std::int64_t any_low = -2'147'483'648LL;
constexpr std::int64_t any_high = 2'147'483'647LL;

std::optional<Text> find(const protocol::Subscribe& request, Text name) {
    for (const protocol::Header& header : request.headers) {
        if (header.name == name) { return header.value; }
    }
    return std::nullopt;
}

protocol::Error unsupported(Text name, Text instead) {
    return {
        ErrorCode::unsupported,
        "SUBSCRIBE asks for " + std::string(name) + ", which this destination does not offer.",
        std::string(instead),
        "P-SUB-12"};
}

struct Flag {
    Text name;
    Text instead;
};

// Asking for these and getting an ordinary subscription would lose messages or rights.
constexpr std::array<Flag, 6> refused_if_true = {{
    {"browser", "Subscribe without browser; messages cannot be looked at without consuming them."},
    {"no-local",
     "Subscribe without no-local and leave out your own messages by a header of yours."},
    {"activemq.noLocal",
     "Subscribe without activemq.noLocal and leave out your own messages by a header of yours."},
    {"exclusive", "Subscribe without exclusive, or use a /temp-queue/ destination."},
    {"activemq.exclusive", "Subscribe without activemq.exclusive."},
    {"x-stream-match-unfiltered", "Subscribe without stream filters."},
}};

constexpr std::array<Flag, 5> refused_if_present = {{
    {"selector",
     "Subscribe without selector and filter in the client, or use a destination per kind of "
     "message."},
    {"x-stream-filter", "Subscribe without stream filters."},
    {"x-stream-offset", "Subscribe without it: this destination keeps no history."},
    {"from-seq", "Subscribe without it: this destination keeps no history."},
    {"x-queue-name", "Use a queue to share messages among consumers."},
}};

Result<void> check_flags(const protocol::Subscribe& request, bool is_queue) {
    for (const Flag& flag : refused_if_true) {
        const auto value = find(request, flag.name);
        if (!value) { continue; }
        const auto wanted = protocol::parse_boolean(flag.name, *value);
        if (!wanted) { return wanted.error(); }
        if (*wanted && (flag.name != "exclusive" || is_queue)) {
            return unsupported(flag.name, flag.instead);
        }
    }
    for (const Flag& flag : refused_if_present) {
        if (find(request, flag.name)) { return unsupported(flag.name, flag.instead); }
    }
    return {};
}

// `durable` or `persistent` as arguments of a queue; the first given counts.
Result<std::optional<bool>> queue_durable(const protocol::Subscribe& request) {
    for (const Text name : {Text("durable"), Text("persistent")}) {
        const auto value = find(request, name);
        if (!value) { continue; }
        const auto wanted = protocol::parse_boolean(name, *value);
        if (!wanted) { return wanted.error(); }
        return std::optional<bool>(*wanted);
    }
    return std::optional<bool>();
}

// The window in messages: the first name of the table that is given counts (P-SUB-11).
Result<std::size_t> window_messages(const protocol::Subscribe& request, const Limits& limits) {
    const auto number = [&](Text name, Text value, std::size_t zero) -> Result<std::size_t> {
        const auto parsed = protocol::parse_integer(name, value, 0, any_high);
        if (!parsed) { return parsed.error(); }
        const auto wanted = *parsed == 0 ? zero : static_cast<std::size_t>(*parsed);
        return std::min(wanted, limits.window_messages_max);
    };
    if (const auto value = find(request, "prefetch-count")) {
        return number("prefetch-count", *value, limits.window_messages_max);
    }
    if (const auto value = find(request, "activemq.prefetchSize")) {
        return number("activemq.prefetchSize", *value, 1);
    }
    if (const auto value = find(request, "credit")) {
        return number("credit", value->substr(0, value->find(',')), limits.window_messages_max);
    }
    return limits.window_messages;
}

Result<std::size_t> window_bytes(const protocol::Subscribe& request, const Limits& limits) {
    const auto number = [&](Text name, Text value) -> Result<std::size_t> {
        const auto parsed = protocol::parse_integer(name, value, -1, any_high);
        if (!parsed) { return parsed.error(); }
        if (*parsed < 0) { return limits.window_bytes_max; }
        return std::clamp<std::size_t>(
            static_cast<std::size_t>(*parsed), 1, limits.window_bytes_max
        );
    };
    if (const auto value = find(request, "consumer-window-size")) {
        return number("consumer-window-size", *value);
    }
    const auto credit = find(request, "credit");
    const std::size_t comma = credit ? credit->find(',') : Text::npos;
    if (comma != Text::npos) { return number("credit", credit->substr(comma + 1)); }
    return limits.window_bytes;
}

Result<int> priority(const protocol::Subscribe& request) {
    for (const Text name : {Text("x-priority"), Text("activemq.priority")}) {
        const auto value = find(request, name);
        if (!value) { continue; }
        const auto parsed = protocol::parse_integer(name, *value, any_low, any_high);
        if (!parsed) { return parsed.error(); }
        return static_cast<int>(*parsed);
    }
    return 0;
}

}  // namespace

Result<SubscriptionOptions> subscription_options(
    const protocol::Subscribe& request, bool is_queue, const Limits& limits
) {
    if (const auto flags = check_flags(request, is_queue); !flags) { return flags.error(); }
    const auto messages = window_messages(request, limits);
    if (!messages) { return messages.error(); }
    const auto bytes = window_bytes(request, limits);
    if (!bytes) { return bytes.error(); }
    const auto rank = priority(request);
    if (!rank) { return rank.error(); }
    SubscriptionOptions options{request.ack, *messages, *bytes, *rank, {}, {}};
    if (is_queue) {
        const auto durable = queue_durable(request);
        if (!durable) { return durable.error(); }
        options.is_queue_durable = *durable;
        return options;
    }
    const auto durable = durable_request(request.headers);
    if (!durable) { return durable.error(); }
    if (*durable) {
        options.durable = DurableName{
            {},
            {},
            std::string((*durable)->is_by_name ? (*durable)->name : request.id.value_or("")),
            std::string(request.destination),
            (*durable)->is_by_name};
    }
    return options;
}

}  // namespace engine
