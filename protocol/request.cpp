#include "protocol/request.hpp"

#include <charconv>

namespace protocol {

namespace {

using Text = std::string_view;

Error missing(Command command, Text name) {
    return {
        ErrorCode::missing_header,
        std::string(to_string(command)) + " has no header " + std::string(name) + ".",
        "Add the header " + std::string(name) + ".",
        "P-SEND-01"};
}

// The header `name`, not longer than an id may be.
Result<std::optional<Text>> optional_id(const Frame& frame, Text name, const Limits& limits) {
    const auto value = frame.find(name);
    if (value && value->size() > limits.id_bytes_max) {
        return Error{
            ErrorCode::bad_frame,
            "The header " + std::string(name) + " of " + std::string(to_string(frame.command)) +
                " has " + std::to_string(value->size()) + " octets; the limit is " +
                std::to_string(limits.id_bytes_max) + ".",
            "Use a shorter " + std::string(name) + "; limits.id_bytes is the limit.",
            "P-LIM-01",
            LimitKey::id_bytes};
    }
    return value;
}

Result<Text> required_id(const Frame& frame, Text name, const Limits& limits) {
    const auto value = optional_id(frame, name, limits);
    if (!value) { return value.error(); }
    if (!*value || (*value)->empty()) { return missing(frame.command, name); }
    return **value;
}

Result<Request> to_connect(const Frame& frame, const Limits& limits) {
    const auto client_id = optional_id(frame, "client-id", limits);
    if (!client_id) { return client_id.error(); }
    return Connect{
        frame.find("accept-version"),
        frame.find("host"),
        frame.find("login"),
        frame.find("passcode"),
        frame.find("Authorization"),
        frame.find("heart-beat"),
        *client_id,
        frame.find("request-id")};
}

Result<Request> to_send(const Frame& frame, const Limits& limits) {
    const auto receipt = optional_id(frame, "receipt", limits);
    if (!receipt) { return receipt.error(); }
    const auto transaction = optional_id(frame, "transaction", limits);
    if (!transaction) { return transaction.error(); }
    const auto destination = frame.find("destination");
    if (!destination || destination->empty()) { return missing(frame.command, "destination"); }
    return Send{
        *destination,
        *receipt,
        *transaction,
        frame.headers,
        frame.body,
        frame.repeats_head,
        frame.is_utf8};
}

Result<AckMode> to_ack_mode(const Frame& frame) {
    const Text mode = frame.find("ack").value_or("auto");
    if (mode == "auto") { return AckMode::automatic; }
    if (mode == "client") { return AckMode::client; }
    if (mode == "client-individual") { return AckMode::client_individual; }
    return Error{
        ErrorCode::bad_header,
        "SUBSCRIBE has an unknown ack mode: " + quoted(mode) + ".",
        "Use auto, client or client-individual.",
        "P-SUB-01"};
}

Result<Request> to_subscribe(const Frame& frame, Version version, const Limits& limits) {
    const auto receipt = optional_id(frame, "receipt", limits);
    if (!receipt) { return receipt.error(); }
    const auto id = optional_id(frame, "id", limits);
    if (!id) { return id.error(); }
    const auto destination = frame.find("destination");
    if (!destination || destination->empty()) { return missing(frame.command, "destination"); }
    if (!*id && version != Version::v1_0) { return missing(frame.command, "id"); }
    const auto mode = to_ack_mode(frame);
    if (!mode) { return mode.error(); }
    return Subscribe{*destination, *id, *mode, *receipt, frame.headers};
}

Result<Request> to_unsubscribe(const Frame& frame, Version version, const Limits& limits) {
    const auto receipt = optional_id(frame, "receipt", limits);
    if (!receipt) { return receipt.error(); }
    const auto id = optional_id(frame, "id", limits);
    if (!id) { return id.error(); }
    const auto destination = version == Version::v1_0 ? frame.find("destination") : std::nullopt;
    if (!*id && !destination) { return missing(frame.command, "id"); }
    return Unsubscribe{*id, destination, *receipt, frame.headers};
}

// The header of the version's own form that this frame lacks (P-ACK-02).
std::optional<Text> lacks(const Frame& frame, Version version) {
    const auto needs = [&frame](Text name) {
        return frame.find(name) ? std::nullopt : std::optional(name);
    };
    if (version == Version::v1_2) { return needs("id"); }
    const auto lacked = needs("message-id");
    return lacked || version == Version::v1_0 ? lacked : needs("subscription");
}

// Both names work in every version; where they differ the version's own one counts (P-ACK-02).
Result<Request> to_settle(const Frame& frame, Version version, const Limits& limits) {
    const bool is_nack = frame.command == Command::nack;
    if (is_nack && version == Version::v1_0) {
        return Error{
            ErrorCode::bad_frame,
            "STOMP 1.0 has no NACK.",
            "Connect with accept-version:1.1 or 1.2 to use it.",
            "P-VER-05"};
    }
    const auto receipt = optional_id(frame, "receipt", limits);
    if (!receipt) { return receipt.error(); }
    const auto id = optional_id(frame, "id", limits);
    if (!id) { return id.error(); }
    const auto message_id = optional_id(frame, "message-id", limits);
    if (!message_id) { return message_id.error(); }
    const auto transaction = optional_id(frame, "transaction", limits);
    if (!transaction) { return transaction.error(); }
    const auto subscription = optional_id(frame, "subscription", limits);
    if (!subscription) { return subscription.error(); }
    const bool own_is_id = version == Version::v1_2;
    const auto own = own_is_id ? *id : *message_id;
    const auto other = own_is_id ? *message_id : *id;
    const auto token = own ? own : other;
    if (!token) { return missing(frame.command, own_is_id ? "id" : "message-id"); }
    const auto lacked = limits.strict ? lacks(frame, version) : std::nullopt;
    if (lacked) {
        Error error = missing(frame.command, *lacked);
        error.rule = "P-ACK-02";
        return error;
    }
    return Settle{is_nack, *token, *subscription, *transaction, *receipt, frame.headers};
}

template <class T>
Result<Request> to_transaction(const Frame& frame, const Limits& limits) {
    const auto receipt = optional_id(frame, "receipt", limits);
    if (!receipt) { return receipt.error(); }
    const auto transaction = required_id(frame, "transaction", limits);
    if (!transaction) { return transaction.error(); }
    return T{*transaction, *receipt};
}

Result<Request> to_disconnect(const Frame& frame, const Limits& limits) {
    const auto receipt = optional_id(frame, "receipt", limits);
    if (!receipt) { return receipt.error(); }
    return Disconnect{*receipt};
}

}  // namespace

Result<Request> to_request(const Frame& frame, Version version, const Limits& limits) {
    switch (frame.command) {
        case Command::connect:
        case Command::stomp:
            return to_connect(frame, limits);
        case Command::send:
            return to_send(frame, limits);
        case Command::subscribe:
            return to_subscribe(frame, version, limits);
        case Command::unsubscribe:
            return to_unsubscribe(frame, version, limits);
        case Command::ack:
        case Command::nack:
            return to_settle(frame, version, limits);
        case Command::begin:
            return to_transaction<Begin>(frame, limits);
        case Command::commit:
            return to_transaction<Commit>(frame, limits);
        case Command::abort:
            return to_transaction<Abort>(frame, limits);
        case Command::disconnect:
            return to_disconnect(frame, limits);
        case Command::connected:
        case Command::message:
        case Command::receipt:
        case Command::error:
            break;
    }
    return Error{
        ErrorCode::bad_frame,
        std::string(to_string(frame.command)) + " is a command of servers.",
        "Send client commands only.",
        "P-FRAME-03"};
}

Result<bool> parse_boolean(std::string_view name, std::string_view value) {
    if (value == "true" || value == "True") { return true; }
    if (value == "false" || value == "False") { return false; }
    return Error{
        ErrorCode::bad_header,
        "The header " + std::string(name) + " is not a boolean: " + quoted(value) + ".",
        "Use true or false.",
        "P-SUB-11"};
}

Result<std::int64_t> parse_integer(
    std::string_view name, std::string_view value, std::int64_t low, std::int64_t high
) {
    std::int64_t number = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, ec] = std::from_chars(value.data(), end, number);
    if (ec == std::errc() && stop == end && number >= low && number <= high) { return number; }
    return Error{
        ErrorCode::bad_header,
        "The header " + std::string(name) + " is not an integer from " + std::to_string(low) +
            " to " + std::to_string(high) + ": " + quoted(value) + ".",
        "Send a decimal integer in that range.",
        "P-SUB-11"};
}

}  // namespace protocol
