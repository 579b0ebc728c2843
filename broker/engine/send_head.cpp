#include "broker/engine/send_head.hpp"

#include "protocol/encoder.hpp"
#include "protocol/escape.hpp"

#include <algorithm>
#include <array>

namespace engine {

namespace {

using Text = std::string_view;
using protocol::Header;
using protocol::Version;

// Facts that only the broker states (S-ACL-12), and what a SEND uses up.
constexpr std::array<Text, 11> never_forwarded = {
    "destination",
    "content-length",
    "receipt",
    "transaction",
    "message-id",
    "subscription",
    "ack",
    "redelivered",
    "retained",
    "x-delivery-count",
    "x-stream-offset"};

// Arguments of the queue, not properties of the message (P-SUB-14).
constexpr std::array<Text, 13> queue_arguments = {
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

constexpr std::array<Text, 7> later_features = {
    "x-delay",
    "AMQ_SCHEDULED_DELAY",
    "AMQ_SCHEDULED_TIME",
    "AMQ_SCHEDULED_PERIOD",
    "AMQ_SCHEDULED_REPEAT",
    "AMQ_SCHEDULED_CRON",
    "retain"};

template <std::size_t N>
bool contains(const std::array<Text, N>& names, Text name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_forwarded(const Header& header, bool is_queue, Text user) {
    const Text name = header.name;
    if (contains(never_forwarded, name) || name.starts_with("x-death-")) { return false; }
    if ((name == "user-id" || name == "JMSXUserID") && header.value != user) { return false; }
    return !is_queue || !contains(queue_arguments, name);
}

}  // namespace

protocol::Result<SendHead> make_send_head(
    const protocol::Send& request, bool is_queue, std::string_view user, std::string_view reply_to
) {
    SendHead head;
    head.lines.reserve(256);
    bool versions_differ = protocol::needs_escape(request.destination);
    std::string v1_0;
    std::string v1_1;
    protocol::append_header(head.lines, "destination", request.destination, Version::v1_2);
    for (const Header& header : request.headers) {
        if (contains(later_features, header.name)) {
            return protocol::Error{
                protocol::ErrorCode::unsupported,
                "SEND asks for " + std::string(header.name) +
                    ", which this version of the broker does not offer.",
                "Leave the header out.",
                "P-SEND-06"};
        }
        if (header.name == "persistent" && (header.value == "false" || header.value == "False")) {
            head.is_persistent = false;
        }
        if (!is_forwarded(header, is_queue, user)) { continue; }
        const Text value = header.name == "reply-to" && !reply_to.empty() ? reply_to : header.value;
        versions_differ =
            versions_differ || protocol::needs_escape(header.name) || protocol::needs_escape(value);
        protocol::append_header(head.lines, header.name, value, Version::v1_2);
    }
    head.lines.push_back('\n');
    if (!versions_differ) { return head; }
    auto older = std::make_shared<SendHead::Older>();
    const auto encode = [&](std::string& out, Version version) {
        protocol::append_header(out, "destination", request.destination, version);
        for (const Header& header : request.headers) {
            if (!is_forwarded(header, is_queue, user)) { continue; }
            const Text value =
                header.name == "reply-to" && !reply_to.empty() ? reply_to : header.value;
            protocol::append_header(out, header.name, value, version);
        }
        out.push_back('\n');
    };
    encode(older->v1_0, Version::v1_0);
    encode(older->v1_1, Version::v1_1);
    head.older = std::move(older);
    return head;
}

SendHead with_headers(const Message& message, std::span<const Header> headers) {
    const auto encode = [&](Version version) {
        std::string lines;
        for (const Header& header : headers) {
            protocol::append_header(lines, header.name, header.value, version);
        }
        return lines.append(message.head(version));
    };
    const auto differs = [](const Header& header) { return protocol::needs_escape(header.value); };
    SendHead head{encode(Version::v1_2), nullptr, message.is_persistent()};
    if (!message.is_same_for_all() || std::any_of(headers.begin(), headers.end(), differs)) {
        head.older = std::make_shared<const SendHead::Older>(SendHead::Older{
            encode(Version::v1_0), encode(Version::v1_1)});
    }
    return head;
}

}  // namespace engine
