// One published message: immutable, shared by reference with every subscriber, already encoded.
// `const` is the licence to cross shards. Octets and head are in one allocation.
#pragma once

#include "broker/engine/facts.hpp"
#include "protocol/version.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace engine {

/// What the messages of one head share: the encoded header lines from `destination:` to the blank
/// line. Where escapes make versions differ, 1.0 and 1.1 have encodings of their own.
struct SendHead {
    std::string lines;  ///< For 1.2, and for all versions if `older` is empty.

    struct Older {
        std::string v1_0;
        std::string v1_1;
    };

    std::shared_ptr<const Older> older;
    /// If `facts.expires` is set, the lines begin with expires_line, whose value it replaces.
    Facts facts;
    std::uint64_t publisher = 0;  ///< Session::number() of who sent it; 0: nobody here.
};

class Message;
using MessageRef = std::shared_ptr<const Message>;

class Message {
    struct Private {};

public:
    /// Encodes a message named `id` (of `0-9 A-Z a-z`) with `head` and a copy of `body`.
    /// `is_utf8`: the body is known to be valid UTF-8 and not looked at again. `stamp`: see
    /// stamp().
    [[nodiscard]] static MessageRef make(
        std::string_view id,
        const SendHead& head,
        std::string_view body,
        bool is_utf8 = false,
        std::uint32_t stamp = 0
    );

    Message(
        Private,
        char* octets,
        std::string_view id,
        const SendHead& head,
        std::string_view body,
        bool is_utf8,
        std::uint32_t stamp
    );
    ~Message();
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;

    [[nodiscard]] std::string_view id() const { return {octets_ + id_prefix, id_size_}; }

    /// `message-id:M` LF.
    [[nodiscard]] std::string_view id_line() const { return {octets_, id_prefix + id_size_ + 1U}; }

    /// `content-length:N` LF.
    [[nodiscard]] std::string_view length_line() const {
        return {octets_ + id_line().size(), length_line_size_};
    }

    /// Header lines from `destination:` to the blank line, as `version` writes them.
    [[nodiscard]] std::string_view head(protocol::Version version) const;

    [[nodiscard]] std::string_view body() const { return {octets_ + body_begin_, body_size_}; }

    [[nodiscard]] std::string_view body_with_nul() const {
        return {octets_ + body_begin_, body_size_ + 1U};
    }

    /// All versions write this message alike: whole() is the frame's end for each of them.
    [[nodiscard]] bool is_same_for_all() const { return older_ == nullptr; }

    /// id_line(), length_line(), head(1.2) and body_with_nul() as one piece.
    [[nodiscard]] std::string_view whole() const { return {octets_, size()}; }

    /// The whole frame is valid UTF-8: it goes out as a WebSocket text message (P-WS-12).
    [[nodiscard]] bool is_text() const { return is_text_; }

    /// A durable queue stores it (P-SEND-09).
    [[nodiscard]] bool is_persistent() const { return facts_.is_persistent; }

    [[nodiscard]] const Facts& facts() const { return facts_; }

    /// Not to be handed to a connection any more (P-QOS-02).
    [[nodiscard]] bool is_expired(std::uint64_t now_ms) const {
        return facts_.expires != 0 && static_cast<std::uint64_t>(facts_.expires) <= now_ms;
    }

    /// is_expired() now. Asks `clock` for the time only where it matters: that is not free.
    template <class Clock>
    [[nodiscard]] bool is_expired_by(const Clock& clock) const {
        return facts_.expires != 0 && is_expired(clock.wall_clock_ms());
    }

    /// The session that sent it, for no-local; 0: none that is still known.
    [[nodiscard]] std::uint64_t publisher() const { return publisher_; }

    /// When it was made, if it is one of those whose way is timed, as stamp_of() says; else 0.
    [[nodiscard]] std::uint32_t stamp() const { return stamp_; }

    /// Octets charged against windows, queues and budgets.
    [[nodiscard]] std::size_t size() const { return body_begin_ + body_size_ + 1U; }

    /// The still escaped (1.2) value of a header, or empty.
    [[nodiscard]] std::string_view find(std::string_view name) const;

private:
    static constexpr std::size_t id_prefix = 11;  // "message-id:"

    char* octets_;
    std::shared_ptr<const SendHead::Older> older_;
    std::uint32_t body_begin_;
    std::uint32_t body_size_;
    std::uint16_t length_line_size_;
    std::uint8_t id_size_;
    bool is_text_;
    std::uint32_t stamp_;
    Facts facts_;
    std::uint64_t publisher_;
};

/// One message on its way to one subscription. `sequence` orders it in its queue (0: from a topic);
/// `count` numbers this delivery of it, from 1. `is_stored`: the queue's store has it.
struct Delivery {
    MessageRef message;
    std::uint64_t sequence = 0;
    std::uint32_t count = 0;
    bool is_stored = false;
};

}  // namespace engine
