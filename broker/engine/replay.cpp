#include "broker/engine/replay.hpp"

#include "broker/engine/send_head.hpp"
#include "protocol/encoder.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace engine {

namespace {

using protocol::Error;
using protocol::ErrorCode;
using protocol::Version;

constexpr std::size_t name_max = 128;

// Headers of MESSAGE that the broker writes.
constexpr std::array<std::string_view, 12> taken = {
    "subscription",
    "message-id",
    "ack",
    "destination",
    "content-length",
    "content-type",
    "redelivered",
    "x-delivery-count",
    "expires",
    "x-stream-offset",
    "retained",
    "receipt-id"};

std::optional<Error> check_name(const std::string& name) {
    const bool is_good = !name.empty() && name.size() <= name_max &&
                         name.find_first_of(":\r\n") == std::string::npos &&
                         std::find(taken.begin(), taken.end(), name) == taken.end();
    if (is_good) { return std::nullopt; }
    return Error{
        ErrorCode::bad_header,
        "The header include-seq is " + protocol::quoted(name) + ".",
        "Give the name of a header that MESSAGE does not have yet, without colons.",
        "P-QOS-11"};
}

Error no_history(const protocol::Pattern& pattern) {
    if (pattern.is_wildcard) {
        return {
            ErrorCode::unsupported,
            "SUBSCRIBE asks for a place in the history of a wildcard, but each topic has its own.",
            "Subscribe to one topic, or leave x-stream-offset and from-seq out.",
            "P-QOS-13"};
    }
    return {
        ErrorCode::unsupported,
        "SUBSCRIBE has x-stream-offset, from-seq or a stream's arguments, but the destination "
        "keeps no history.",
        "Leave the header out, or let a policy keep history for this topic.",
        "P-QOS-13"};
}

// Takes the lines called as `line` (up to its colon) out of the user's part of `head`.
void take_out(std::string& head, std::string_view line) {
    for (std::size_t at = head.find('\n') + 1; at < head.size();) {
        const std::size_t end = head.find('\n', at) + 1;
        if (std::string_view(head).substr(at, end - at).starts_with(line)) {
            head.erase(at, end - at);
        } else {
            at = end;
        }
    }
}

}  // namespace

std::optional<Error> check_replay(
    const protocol::Pattern& pattern, bool has_history, SubscriptionOptions& options
) {
    if (!has_history && options.replay.is_required) { return no_history(pattern); }
    if (!has_history) { options.replay = {}; }
    if (options.sequence_header.empty()) { return std::nullopt; }
    return check_name(options.sequence_header);
}

MessageRef with_sequence(const MessageRef& message, const std::string& name) {
    const std::string_view number = message->find("x-stream-offset");
    if (number.empty()) { return message; }
    const std::array<protocol::Header, 1> header = {{{name, number}}};
    SendHead head = with_headers(*message, header, message->facts().expires);
    const auto clean = [&](std::string& lines, Version version) {
        std::string line;
        protocol::append_header(line, name, {}, version);
        if (line.empty()) { return; }
        line.pop_back();
        const std::size_t begin = message->facts().expires == 0 ? 0 : expires_line.size();
        std::string rest = lines.substr(begin);
        take_out(rest, line);
        lines.replace(begin, std::string::npos, rest);
    };
    clean(head.lines, Version::v1_2);
    if (head.older) {
        auto older = std::make_shared<SendHead::Older>(*head.older);
        clean(older->v1_0, Version::v1_0);
        clean(older->v1_1, Version::v1_1);
        head.older = std::move(older);
    }
    return Message::make(message->id(), head, message->body(), message->is_text());
}

}  // namespace engine
