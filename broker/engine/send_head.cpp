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
constexpr std::array<Text, 12> never_forwarded = {
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
    "x-stream-offset",
    "expires"};

template <std::size_t N>
bool contains(const std::array<Text, N>& names, Text name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_forwarded(const Header& header, bool is_queue, bool is_user, Text user) {
    const Text name = header.name;
    if (contains(never_forwarded, name) || name.starts_with("x-death-")) { return false; }
    if ((name == "user-id" || name == "JMSXUserID") && header.value != user) { return false; }
    if (is_user && name == "x-session") { return false; }
    return !is_queue || !is_queue_argument(name);
}

// expires_line with its value.
std::string line_of(std::int64_t expires) {
    std::string line(expires_line);
    const std::string digits = std::to_string(expires);
    line.replace(line.size() - 1 - digits.size(), digits.size(), digits);
    return line;
}

// Of a line, with its colon.
Text name_of(Text line) {
    return line.substr(0, line.find(':') + 1);
}

// Appends the lines of `head` but for those whose names stand in `added`, which replace them, or
// begin with `dropped`, if that is not empty.
void append_others(std::string& out, Text head, Text added, Text dropped) {
    while (!added.empty() && !head.empty()) {
        const Text line = head.substr(0, head.find('\n') + 1);
        const Text name = name_of(line);
        bool is_replaced = !dropped.empty() && name.starts_with(dropped);
        for (Text rest = added; !rest.empty() && !name.empty();) {
            is_replaced = is_replaced || rest.starts_with(name);
            rest.remove_prefix(rest.find('\n') + 1);
        }
        if (!is_replaced) { out.append(line); }
        head.remove_prefix(line.size());
    }
    out.append(head);
}

// As remade(); lines whose names begin with `dropped` are left out, if that is not empty.
MessageRef with_headers(
    const Message& message,
    std::span<const Header> headers,
    Text dropped,
    std::int64_t expires,
    Text id
) {
    const auto encode = [&](Version version) {
        std::string lines = expires == 0 ? std::string() : line_of(expires);
        const std::size_t begin = lines.size();
        for (const Header& header : headers) {
            protocol::append_header(lines, header.name, header.value, version);
        }
        const std::string added = lines.substr(begin);
        const std::size_t old = message.facts().expires == 0 ? 0 : expires_line.size();
        append_others(lines, message.head(version).substr(old), added, dropped);
        return lines;
    };
    const auto differs = [](const Header& header) {
        return protocol::needs_escape(header.name) || protocol::needs_escape(header.value);
    };
    SendHead head{encode(Version::v1_2), nullptr, message.facts(), message.publisher()};
    head.facts.expires = expires;
    if (!message.is_same_for_all() || std::any_of(headers.begin(), headers.end(), differs)) {
        head.older = std::make_shared<const SendHead::Older>(SendHead::Older{
            encode(Version::v1_0), encode(Version::v1_1)});
    }
    return Message::make(id.empty() ? message.id() : id, head, message.body(), message.is_text());
}

}  // namespace

SendHead make_send_head(
    const protocol::Send& request, const SendOptions& options, const HeadContext& context
) {
    const auto encode = [&](std::string& out, Version version) {
        bool has_escapes = protocol::needs_escape(context.destination);
        if (options.expires()) { out.append(expires_line); }
        protocol::append_header(out, "destination", context.destination, version);
        for (const Header& header : request.headers) {
            if (!is_forwarded(header, context.is_queue, context.is_user, context.user)) {
                continue;
            }
            const bool is_replaced = header.name == "reply-to" && !context.reply_to.empty();
            const Text value = is_replaced ? context.reply_to : header.value;
            has_escapes =
                has_escapes || protocol::needs_escape(header.name) || protocol::needs_escape(value);
            protocol::append_header(out, header.name, value, version);
        }
        out.push_back('\n');
        return has_escapes;
    };
    SendHead head;
    head.lines.reserve(256);
    const bool versions_differ = encode(head.lines, Version::v1_2);
    head.facts = facts_of(head.lines);
    head.publisher = context.publisher;
    if (!versions_differ) { return head; }
    auto older = std::make_shared<SendHead::Older>();
    (void)encode(older->v1_0, Version::v1_0);
    (void)encode(older->v1_1, Version::v1_1);
    head.older = std::move(older);
    return head;
}

void set_expiry(SendHead& head, std::int64_t expires) {
    head.facts.expires = expires;
    if (expires == 0 || !head.older) { return; }
    auto older = std::make_shared<SendHead::Older>(*head.older);
    for (std::string* const lines : {&older->v1_0, &older->v1_1}) {
        lines->replace(0, expires_line.size(), line_of(expires));
    }
    head.older = std::move(older);
}

MessageRef remade(
    const Message& message, std::span<const Header> headers, std::int64_t expires, Text id
) {
    return with_headers(message, headers, {}, expires, id);
}

MessageRef readdressed(const Message& message, Text destination, bool is_return) {
    const std::array<Header, 1> headers = {{{"destination", destination}}};
    const Text dropped = is_return ? Text("x-death-") : Text();
    return with_headers(message, headers, dropped, message.facts().expires, {});
}

}  // namespace engine
