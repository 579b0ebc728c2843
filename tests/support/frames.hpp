// Frames as a script writes them: what a client sends, what it received, and what it expects.
// Plain values that own their text.
#pragma once

#include "protocol/command.hpp"
#include "protocol/frame.hpp"
#include "protocol/version.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A frame of a client, built up: `send("/queue/a", "x").receipt("r1")`.
class Outgoing {
public:
    explicit Outgoing(protocol::Command command) : command_(command) {}

    Outgoing& header(std::string name, std::string value) {
        headers_.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    Outgoing& body(std::string text) {
        body_ = std::move(text);
        return *this;
    }

    Outgoing& receipt(std::string id) { return header("receipt", std::move(id)); }

    Outgoing& transaction(std::string id) { return header("transaction", std::move(id)); }

    [[nodiscard]] protocol::Command command() const { return command_; }

    /// The octets, escaped for `version`.
    [[nodiscard]] std::string encoded(protocol::Version version) const;

private:
    protocol::Command command_;
    Headers headers_;
    std::string body_;
};

[[nodiscard]] Outgoing connect(std::string accept_version = "1.2");
[[nodiscard]] Outgoing send(std::string destination, std::string body = {});
[[nodiscard]] Outgoing subscribe(std::string id, std::string destination, std::string ack = "auto");
[[nodiscard]] Outgoing unsubscribe(std::string id);
[[nodiscard]] Outgoing ack(std::string id);
[[nodiscard]] Outgoing nack(std::string id);
[[nodiscard]] Outgoing begin(std::string transaction);
[[nodiscard]] Outgoing commit(std::string transaction);
[[nodiscard]] Outgoing abort(std::string transaction);
[[nodiscard]] Outgoing disconnect();
[[nodiscard]] Outgoing frame(protocol::Command command);

/// A frame of the broker, as a client saw it.
struct Received {
    protocol::Command command = protocol::Command::error;
    Headers headers;
    std::string body;
    bool is_text = true;  ///< Over WebSocket: the opcode.

    [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
    /// The value of a header that should be there; empty if it is not.
    [[nodiscard]] std::string value(std::string_view name) const;

    /// MESSAGE's `ack`.
    [[nodiscard]] std::string token() const { return value("ack"); }

    [[nodiscard]] std::string describe() const;
};

/// What a frame must have; other headers may be there.
class Expected {
public:
    explicit Expected(protocol::Command command) : command_(command) {}

    Expected& header(std::string name, std::string value) {
        headers_.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    Expected& without(std::string name) {
        absent_.push_back(std::move(name));
        return *this;
    }

    Expected& body(std::string text) {
        body_ = std::move(text);
        return *this;
    }

    /// Empty if `frame` is as expected, else what differs.
    [[nodiscard]] std::string mismatch(const Received& frame) const;

private:
    protocol::Command command_;
    Headers headers_;
    std::vector<std::string> absent_;
    std::optional<std::string> body_;
};

[[nodiscard]] Expected connected(std::string version);
[[nodiscard]] Expected receipt(std::string id);
/// A MESSAGE for the subscription `id`.
[[nodiscard]] Expected message(std::string id, std::string body);
[[nodiscard]] Expected message(std::string id);
[[nodiscard]] Expected error(std::string token);
/// Any frame of this command.
[[nodiscard]] Expected frame_is(protocol::Command command);

}  // namespace support
