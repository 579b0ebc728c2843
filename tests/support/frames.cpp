#include "tests/support/frames.hpp"

#include "protocol/encoder.hpp"

#include <algorithm>

namespace support {

using protocol::Command;

std::string Outgoing::encoded(protocol::Version version) const {
    std::vector<protocol::Header> headers;
    for (const auto& header : headers_) {
        headers.push_back({header.first, header.second});
    }
    std::string octets;
    protocol::append_frame(octets, command_, headers, body_, version);
    return octets;
}

Outgoing connect(std::string accept_version) {
    Outgoing frame(Command::connect);
    frame.header("accept-version", std::move(accept_version)).header("host", "localhost");
    return frame;
}

Outgoing send(std::string destination, std::string body) {
    Outgoing frame(Command::send);
    frame.header("destination", std::move(destination)).body(std::move(body));
    return frame;
}

Outgoing subscribe(std::string id, std::string destination, std::string ack) {
    Outgoing frame(Command::subscribe);
    frame.header("id", std::move(id)).header("destination", std::move(destination));
    if (ack != "auto") { frame.header("ack", std::move(ack)); }
    return frame;
}

Outgoing unsubscribe(std::string id) {
    return Outgoing(Command::unsubscribe).header("id", std::move(id));
}

Outgoing ack(std::string id) {
    return Outgoing(Command::ack).header("id", std::move(id));
}

Outgoing nack(std::string id) {
    return Outgoing(Command::nack).header("id", std::move(id));
}

Outgoing begin(std::string transaction) {
    return Outgoing(Command::begin).transaction(std::move(transaction));
}

Outgoing commit(std::string transaction) {
    return Outgoing(Command::commit).transaction(std::move(transaction));
}

Outgoing abort(std::string transaction) {
    return Outgoing(Command::abort).transaction(std::move(transaction));
}

Outgoing disconnect() {
    return Outgoing(Command::disconnect);
}

Outgoing frame(Command command) {
    return Outgoing(command);
}

std::optional<std::string> Received::find(std::string_view name) const {
    for (const auto& header : headers) {
        if (header.first == name) { return header.second; }
    }
    return std::nullopt;
}

std::string Received::value(std::string_view name) const {
    return find(name).value_or("");
}

std::string Received::describe() const {
    std::string text(protocol::to_string(command));
    for (const auto& header : headers) {
        text += "\n  " + header.first + ":" + header.second;
    }
    return text + "\n  | " + body.substr(0, 200);
}

std::string Expected::mismatch(const Received& frame) const {
    std::string text;
    if (frame.command != command_) {
        text += "expected " + std::string(protocol::to_string(command_)) + "\n";
    }
    for (const auto& header : headers_) {
        if (frame.find(header.first) != header.second) {
            text += "expected " + header.first + ":" + header.second + "\n";
        }
    }
    for (const std::string& name : absent_) {
        if (frame.find(name)) { text += "expected no " + name + "\n"; }
    }
    if (body_ && frame.body != *body_) { text += "expected the body " + *body_ + "\n"; }
    if (!text.empty()) { text += "got " + frame.describe(); }
    return text;
}

Expected connected(std::string version) {
    return Expected(Command::connected).header("version", std::move(version));
}

Expected receipt(std::string id) {
    return Expected(Command::receipt).header("receipt-id", std::move(id));
}

Expected message(std::string id) {
    return Expected(Command::message).header("subscription", std::move(id));
}

Expected message(std::string id, std::string body) {
    return message(std::move(id)).body(std::move(body));
}

Expected frame_is(Command command) {
    return Expected(command);
}

Expected error(std::string token) {
    return Expected(Command::error).header("message", std::move(token));
}

}  // namespace support
