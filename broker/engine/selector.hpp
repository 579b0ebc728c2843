// JMS selectors (P-SEL-01 to -05): which messages a subscription wants, by their headers.
// Pure; parsing and evaluation are bounded by SelectorLimits, and nothing in them recurses deeper.
#pragma once

#include "broker/engine/message_headers.hpp"
#include "broker/engine/selector_limits.hpp"
#include "broker/engine/selector_program.hpp"
#include "protocol/error.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace engine {

class Selector;
using SelectorRef = std::shared_ptr<const Selector>;

/// Immutable: may be used on all shards at once.
class Selector {
    struct Private {};

public:
    /// `header = 'literal'`: the header called `name` has exactly this value.
    struct Equality {
        std::string name;
        std::string literal;
    };

    /// Refuses `bad-selector` with the column (counted in characters from 1), what is wrong there
    /// and what to do.
    [[nodiscard]] static protocol::Result<SelectorRef> parse(
        std::string_view text, const SelectorLimits& limits
    );

    Selector(Private, std::string_view text, SelectorProgram program);
    Selector(const Selector&) = delete;
    Selector& operator=(const Selector&) = delete;

    /// The condition is TRUE: neither FALSE nor NULL.
    [[nodiscard]] bool selects(const MessageHeaders& headers) const;

    /// As written; selectors are the same if their texts are.
    [[nodiscard]] const std::string& text() const { return text_; }

    /// What selects() decides, if it is only that a header has a value.
    [[nodiscard]] const std::optional<Equality>& equality() const { return equality_; }

private:
    const std::string text_;
    const SelectorProgram program_;
    const std::optional<Equality> equality_;
};

/// Who has `selector` (null: none) takes `message`.
[[nodiscard]] inline bool selects(const SelectorRef& selector, const Message& message) {
    return !selector || selector->selects(MessageHeaders(message));
}

}  // namespace engine
