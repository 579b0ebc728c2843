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
    return remade(*message, header, message->facts().expires);
}

}  // namespace engine
