#include "broker/engine/queue_arguments.hpp"

#include "protocol/request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace engine {

namespace {

using protocol::Error;
using protocol::ErrorCode;
using protocol::Result;
using Text = std::string_view;

constexpr std::int64_t time_max_ms = 4'294'967'295LL;  // RabbitMQ's: 49 days.
constexpr std::int64_t count_max = 1'000'000'000'000LL;
constexpr std::array<std::pair<Text, Overflow>, 4> overflows = {
    {{"reject-publish", Overflow::reject},
     {"drop-head", Overflow::drop_head},
     {"block", Overflow::block},
     {"reject-publish-dlx", Overflow::reject}}};

constexpr std::array<Text, 13> names = {
    "durable",
    "auto-delete",
    "exclusive",
    "x-expires",
    "x-message-ttl",
    "x-max-length",
    "x-max-length-bytes",
    "x-overflow",
    "x-max-priority",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-queue-type",
    "x-max-age"};

Result<void> read_flag(std::optional<bool>& into, const protocol::Header& header) {
    const auto value = protocol::parse_boolean(header.name, header.value);
    if (!value) { return value.error(); }
    into = *value;
    return {};
}

template <class T>
Result<void> read_number(
    std::optional<T>& into, const protocol::Header& header, std::int64_t low, std::int64_t high
) {
    const auto value = protocol::parse_integer(header.name, header.value, low, high);
    if (!value) { return value.error(); }
    into = static_cast<T>(*value);
    return {};
}

Result<void> read_time(
    std::optional<std::chrono::milliseconds>& into, const protocol::Header& header, std::int64_t low
) {
    const auto value = protocol::parse_integer(header.name, header.value, low, time_max_ms);
    if (!value) { return value.error(); }
    into = std::chrono::milliseconds(*value);
    return {};
}

Result<void> read_overflow(std::optional<Overflow>& into, const protocol::Header& header) {
    const auto* const found =
        std::find_if(overflows.begin(), overflows.end(), [&](const auto& entry) {
            return entry.first == header.value;
        });
    if (found == overflows.end()) {
        return Error{
            ErrorCode::bad_header,
            "The header x-overflow is " + protocol::quoted(header.value) + ".",
            "Give reject-publish, drop-head or block.",
            "P-SUB-14"};
    }
    into = found->second;
    return {};
}

Result<void> check_queue_type(const protocol::Header& header) {
    const bool is_type = header.name == "x-queue-type";
    if (is_type && (header.value == "classic" || header.value == "quorum")) { return {}; }
    return Error{
        ErrorCode::unsupported,
        "The header " + std::string(header.name) + " is " + protocol::quoted(header.value) +
            ", but this is a queue, not a topic with history.",
        "Use a topic whose policy keeps history, or leave the header out.",
        "P-SUB-14"};
}

// `durable` counts if both are there, whatever their order (P-SUB-11).
Result<void> read_persistent(
    QueueArguments& into, const protocol::Header& header, std::span<const protocol::Header> headers
) {
    const bool has_durable =
        std::any_of(headers.begin(), headers.end(), [](const protocol::Header& other) {
            return other.name == "durable";
        });
    return has_durable ? Result<void>() : read_flag(into.durable, header);
}

Result<void> read(
    QueueArguments& into,
    const protocol::Header& header,
    std::span<const protocol::Header> headers,
    bool is_subscribe
) {
    const Text name = header.name;
    if (name == "durable") { return read_flag(into.durable, header); }
    if (name == "persistent" && is_subscribe) { return read_persistent(into, header, headers); }
    if (name == "auto-delete") { return read_flag(into.auto_delete, header); }
    if (name == "exclusive") { return read_flag(into.exclusive, header); }
    if (name == "x-expires") { return read_time(into.idle_life, header, 1); }
    if (name == "x-message-ttl") { return read_time(into.message_ttl, header, 0); }
    if (name == "x-max-length") { return read_number(into.messages_max, header, 0, count_max); }
    if (name == "x-max-length-bytes") { return read_number(into.bytes_max, header, 0, count_max); }
    if (name == "x-overflow") { return read_overflow(into.overflow, header); }
    if (name == "x-max-priority") { return read_number(into.priority_max, header, 1, 255); }
    if (name == "x-dead-letter-exchange") { into.dead_letter_exchange = std::string(header.value); }
    if (name == "x-dead-letter-routing-key") { into.dead_letter_key = std::string(header.value); }
    if (name == "x-queue-type" || name == "x-max-age") { return check_queue_type(header); }
    return {};
}

void put(std::string& out, Text name, const std::string& value) {
    out.append(name).append("=").append(std::to_string(value.size())).append(":");
    out.append(value).append("\n");
}

template <class T>
void put_number(std::string& out, Text name, const std::optional<T>& value) {
    if (value) { put(out, name, std::to_string(*value)); }
}

std::int64_t number(Text text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

void restore(QueueArguments& into, Text name, Text value) {
    const auto wide = static_cast<std::uint64_t>(number(value));
    if (name == "durable") { into.durable = number(value) != 0; }
    if (name == "auto-delete") { into.auto_delete = number(value) != 0; }
    if (name == "exclusive") { into.exclusive = number(value) != 0; }
    if (name == "expires") { into.idle_life = std::chrono::milliseconds(number(value)); }
    if (name == "ttl") { into.message_ttl = std::chrono::milliseconds(number(value)); }
    if (name == "messages") { into.messages_max = wide; }
    if (name == "bytes") { into.bytes_max = wide; }
    if (name == "overflow") { into.overflow = static_cast<Overflow>(number(value)); }
    if (name == "priority") { into.priority_max = static_cast<int>(number(value)); }
    if (name == "dlx") { into.dead_letter_exchange = std::string(value); }
    if (name == "dlk") { into.dead_letter_key = std::string(value); }
}

}  // namespace

std::string QueueArguments::attributes() const {
    std::string out;
    put_number(out, "durable", durable);
    put_number(out, "auto-delete", auto_delete);
    put_number(out, "exclusive", exclusive);
    if (idle_life) { put(out, "expires", std::to_string(idle_life->count())); }
    if (message_ttl) { put(out, "ttl", std::to_string(message_ttl->count())); }
    put_number(out, "messages", messages_max);
    put_number(out, "bytes", bytes_max);
    if (overflow) { put(out, "overflow", std::to_string(static_cast<int>(*overflow))); }
    put_number(out, "priority", priority_max);
    if (dead_letter_exchange) { put(out, "dlx", *dead_letter_exchange); }
    if (dead_letter_key) { put(out, "dlk", *dead_letter_key); }
    return out;
}

QueueArguments QueueArguments::from_attributes(std::string_view text) {
    QueueArguments arguments;
    while (!text.empty()) {
        const std::size_t equals = text.find('=');
        const std::size_t colon = text.find(':');
        if (equals == Text::npos || colon == Text::npos || colon < equals) { break; }
        const auto size = static_cast<std::size_t>(
            std::max<std::int64_t>(0, number(text.substr(equals + 1, colon - equals - 1)))
        );
        restore(arguments, text.substr(0, equals), text.substr(colon + 1, size));
        const std::size_t used = colon + 1 + std::min(size, text.size()) + 1;
        text.remove_prefix(std::min(text.size(), used));
    }
    return arguments;
}

std::vector<std::pair<std::string, std::string>> QueueArguments::headers() const {
    std::vector<std::pair<std::string, std::string>> out;
    const auto put_flag = [&out](const char* name, const std::optional<bool>& value) {
        if (value) { out.emplace_back(name, *value ? "true" : "false"); }
    };
    const auto put_count = [&out](const char* name, const auto& value) {
        if (value) { out.emplace_back(name, std::to_string(*value)); }
    };
    const auto put_time = [&out](const char* name, const auto& value) {
        if (value) { out.emplace_back(name, std::to_string(value->count())); }
    };
    put_flag("durable", durable);
    put_flag("auto-delete", auto_delete);
    put_flag("exclusive", exclusive);
    put_time("x-expires", idle_life);
    put_time("x-message-ttl", message_ttl);
    put_count("x-max-length", messages_max);
    put_count("x-max-length-bytes", bytes_max);
    if (overflow) { out.emplace_back("x-overflow", name_of(*overflow)); }
    put_count("x-max-priority", priority_max);
    if (dead_letter_exchange) { out.emplace_back("x-dead-letter-exchange", *dead_letter_exchange); }
    if (dead_letter_key) { out.emplace_back("x-dead-letter-routing-key", *dead_letter_key); }
    return out;
}

bool is_queue_argument(std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

Result<QueueArguments> queue_arguments(
    std::span<const protocol::Header> headers, bool is_subscribe
) {
    QueueArguments arguments;
    for (const protocol::Header& header : headers) {
        if (const auto good = read(arguments, header, headers, is_subscribe); !good) {
            return good.error();
        }
    }
    return arguments;
}

std::optional<std::string> dead_letter_destination(
    const QueueArguments& arguments, std::string_view name
) {
    if (!arguments.dead_letter_exchange && !arguments.dead_letter_key) { return std::nullopt; }
    constexpr Text queue_space = "/queue/";
    const Text own = name.starts_with(queue_space) ? name.substr(queue_space.size()) : name;
    const std::string key = arguments.dead_letter_key.value_or(std::string(own));
    const std::string exchange = arguments.dead_letter_exchange.value_or("");
    if (exchange.empty()) { return std::string(queue_space) + key; }
    if (exchange == "amq.topic") { return "/topic/" + key; }
    return "/exchange/" + exchange + "/" + key;
}

std::string_view name_of(Overflow overflow) {
    return overflows[static_cast<std::size_t>(overflow)].first;
}

}  // namespace engine
