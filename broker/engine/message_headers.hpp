// The headers of one message as selectors see them: scanned once, unescaped when asked for.
// Lives shorter than the message; no allocation for up to 32 headers without escapes.
#pragma once

#include "broker/engine/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

/// Cheap to construct: lines are read as far as the names asked for need. Remembers what it read,
/// so one object serves all selectors that look at a message, on one thread.
class MessageHeaders {
public:
    explicit MessageHeaders(const Message& message);
    MessageHeaders(const MessageHeaders&) = delete;
    MessageHeaders& operator=(const MessageHeaders&) = delete;

    /// The unescaped value of the first entry called `name`, `destination` included; it is valid as
    /// long as this object and the message.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

    /// Number of entries, repeated ones included.
    [[nodiscard]] std::size_t size() const;

    /// The name of entry `index`.
    [[nodiscard]] std::string_view name(std::size_t index) const;

    /// The value of entry `index`, or nothing if an earlier one has the same name.
    [[nodiscard]] std::optional<std::string_view> value_if_first(std::size_t index) const;

private:
    // Trivial, so that an unused array of them costs nothing.
    struct Entry {
        const char* name;
        const char* value;
        std::uint32_t name_size;
        std::uint32_t value_size;
        bool is_unescaped;
    };

    static constexpr std::size_t inline_max = 32;

    [[nodiscard]] bool read_line() const;
    [[nodiscard]] Entry& entry(std::size_t index) const;
    void remember(const Entry& entry) const;
    [[nodiscard]] std::string_view value(Entry& entry) const;
    [[nodiscard]] std::string_view unescaped(std::string_view text) const;

    mutable std::string_view rest_;  // Lines not yet read.
    mutable std::size_t count_ = 0;
    mutable std::array<Entry, inline_max> first_;
    mutable std::vector<Entry> more_;
    mutable std::forward_list<std::string> unescaped_;
};

}  // namespace engine
