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

// What no STOMP broker but RabbitMQ has: ignoring it would deliver what was not asked for.
Result<void> check_unsupported(const protocol::Subscribe& request) {
    for (const Text name : {Text("x-stream-filter"), Text("x-stream-match-unfiltered")}) {
        const auto value = find(request, name);
        if (!value || *value == "false") { continue; }
        return protocol::Error{
            ErrorCode::unsupported,
            "SUBSCRIBE asks for " + std::string(name) + ", which this broker does not offer.",
            "Use a selector instead of stream filters.",
            "P-SUB-12"};
    }
    return {};
}

// The first of `names` that is there, as a boolean (P-SUB-11).
Result<bool> flag(const protocol::Subscribe& request, std::initializer_list<Text> names) {
    for (const Text name : names) {
        const auto value = find(request, name);
        if (!value) { continue; }
        const auto wanted = protocol::parse_boolean(name, *value);
        if (!wanted) { return wanted.error(); }
        return *wanted;
    }
    return false;
}

protocol::Error bad_offset(Text name, Text value) {
    return {
        ErrorCode::bad_header,
        "The header " + std::string(name) + " is " + protocol::quoted(value) + ".",
        "Give first, last, next, offset=N or timestamp=T.",
        "P-QOS-11"};
}

Result<std::uint64_t> replay_number(Text name, Text value) {
    constexpr std::int64_t highest = 9'007'199'254'740'991LL;
    const auto number = protocol::parse_integer(name, value, 0, highest);
    if (!number) { return number.error(); }
    return static_cast<std::uint64_t>(*number);
}

// Seconds, or from 100,000,000,000 on milliseconds.
Result<Replay> replay_from_time(Text name, Text value) {
    const auto number = replay_number(name, value);
    if (!number) { return number.error(); }
    constexpr std::uint64_t first_ms = 100'000'000'000ULL;
    return Replay{Replay::From::time, *number < first_ms ? *number * 1000 : *number, true};
}

Result<Replay> stream_offset(Text name, Text value) {
    if (value == "first") { return Replay{Replay::From::first, 0, true}; }
    if (value == "last") { return Replay{Replay::From::last, 0, true}; }
    if (value == "next") { return Replay{Replay::From::live, 0, true}; }
    const std::size_t cut = value.find_first_of("=:");
    if (cut == Text::npos) { return bad_offset(name, value); }
    const Text kind = value.substr(0, cut);
    const Text rest = value.substr(cut + 1);
    if (kind == "timestamp") { return replay_from_time(name, rest); }
    if (kind != "offset") { return bad_offset(name, value); }
    const auto number = replay_number(name, rest);
    if (!number) { return number.error(); }
    return Replay{Replay::From::offset, *number, true};
}

Result<Replay> replay(const protocol::Subscribe& request) {
    if (const auto value = find(request, "x-stream-offset")) {
        return stream_offset("x-stream-offset", *value);
    }
    if (const auto value = find(request, "from-seq")) {
        if (*value == "-1") { return Replay{Replay::From::live, 0, true}; }
        if (*value == "0") { return Replay{Replay::From::first, 0, true}; }
        const auto number = replay_number("from-seq", *value);
        if (!number) { return number.error(); }
        return Replay{Replay::From::offset, *number, true};
    }
    const auto is_retroactive = flag(request, {"activemq.retroactive"});
    if (!is_retroactive) { return is_retroactive.error(); }
    return *is_retroactive ? Replay{Replay::From::first, 0, false} : Replay{};
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

Result<void> read_common(
    const protocol::Subscribe& request, SubscriptionOptions& options, const Limits& limits
) {
    const auto messages = window_messages(request, limits);
    if (!messages) { return messages.error(); }
    options.window_messages = *messages;
    const auto bytes = window_bytes(request, limits);
    if (!bytes) { return bytes.error(); }
    options.window_bytes = *bytes;
    const auto rank = priority(request);
    if (!rank) { return rank.error(); }
    options.priority = *rank;
    const auto no_local = flag(request, {"no-local", "activemq.noLocal"});
    if (!no_local) { return no_local.error(); }
    options.no_local = *no_local;
    if (const auto selector = find(request, "selector")) {
        if (selector->empty()) {
            return protocol::Error{
                ErrorCode::bad_selector,
                "The header selector is empty.",
                "Give a condition such as type = 'order', or leave the header out.",
                "P-SEL-04"};
        }
        options.selector = std::string(*selector);
    }
    return {};
}

Result<void> read_queue(const protocol::Subscribe& request, SubscriptionOptions& options) {
    const auto single = flag(request, {"activemq.exclusive"});
    if (!single) { return single.error(); }
    options.is_single_active = *single;
    const auto browser = flag(request, {"browser"});
    if (!browser) { return browser.error(); }
    options.is_browser = *browser;
    if (options.is_browser) { options.ack = protocol::AckMode::automatic; }
    auto arguments = queue_arguments(request.headers, true);
    if (!arguments) { return arguments.error(); }
    options.arguments = std::move(*arguments);
    for (const Text name : {Text("x-stream-offset"), Text("from-seq")}) {
        if (!find(request, name)) { continue; }
        return protocol::Error{
            ErrorCode::unsupported,
            "SUBSCRIBE has " + std::string(name) + ", but a queue keeps no history.",
            "Leave the header out, or use a topic whose policy keeps history.",
            "P-QOS-13"};
    }
    return {};
}

// Of a topic: who shares it, and who finds it again (P-DUR-01, P-DUR-07).
Result<void> read_durable(const protocol::Subscribe& request, SubscriptionOptions& options) {
    const auto durable = durable_request(request.headers);
    if (!durable) { return durable.error(); }
    const auto shared = find(request, "x-queue-name");
    if (shared && shared->empty()) {
        return protocol::Error{
            ErrorCode::bad_header,
            "The header x-queue-name is empty.",
            "Give the shared subscription a name.",
            "P-DUR-07"};
    }
    if (!*durable && !shared) { return {}; }
    const bool is_by_name = shared || (*durable)->is_by_name;
    DurableName name{
        {},
        {},
        std::string(
            shared       ? *shared
            : is_by_name ? (*durable)->name
                         : request.id.value_or("")
        ),
        std::string(request.destination),
        is_by_name,
        shared.has_value(),
        durable->has_value(),
        options.selector};
    if (const auto life = find(request, "x-expires")) {
        const auto value = protocol::parse_integer("x-expires", *life, 1, 4'294'967'295LL);
        if (!value) { return value.error(); }
        name.idle_life = std::chrono::milliseconds(*value);
    }
    options.durable = std::move(name);
    return {};
}

Result<void> read_topic(const protocol::Subscribe& request, SubscriptionOptions& options) {
    const auto from = replay(request);
    if (!from) { return from.error(); }
    options.replay = *from;
    if (const auto name = find(request, "include-seq")) {
        if (name->empty()) {
            return protocol::Error{
                ErrorCode::bad_header,
                "The header include-seq is empty.",
                "Give the name of a header for the number, or leave it out.",
                "P-QOS-11"};
        }
        options.sequence_header = std::string(*name);
    }
    // RabbitMQ's arguments of a stream: only a topic with history is one (P-SUB-14). How durable it
    // is, is not the reader's to say: its `durable` makes no subscription that is kept.
    const bool is_stream = find(request, "x-queue-type") == "stream";
    if (is_stream || find(request, "x-max-age")) { options.replay.is_required = true; }
    if (is_stream) { return {}; }
    if (const auto good = read_durable(request, options); !good) { return good.error(); }
    if (options.durable && options.replay.from != Replay::From::live) {
        return protocol::Error{
            ErrorCode::unsupported,
            "SUBSCRIBE asks for a durable or shared subscription that begins in the past.",
            "Ask for one of the two: a durable subscription goes on where it was left.",
            "P-QOS-11"};
    }
    return {};
}

}  // namespace

Result<SubscriptionOptions> subscription_options(
    const protocol::Subscribe& request, bool is_queue, const Limits& limits
) {
    if (const auto good = check_unsupported(request); !good) { return good.error(); }
    SubscriptionOptions options;
    options.ack = request.ack;
    if (const auto good = read_common(request, options, limits); !good) { return good.error(); }
    const auto good = is_queue ? read_queue(request, options) : read_topic(request, options);
    if (!good) { return good.error(); }
    return options;
}

}  // namespace engine
