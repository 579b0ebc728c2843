// Selectors that are in use together, on one topic or one queue: which of them take a message?
// Equal texts are evaluated once, `header = 'literal'` costs one look-up per header name.
#pragma once

#include "broker/engine/message_headers.hpp"
#include "broker/engine/selector.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace engine {

class SelectorIndex {
public:
    using Id = std::uint32_t;

    /// Counts one more use of the selector; equal texts have the same id while it is in use.
    Id add(const SelectorRef& selector);

    /// The id of a selector that is in use.
    [[nodiscard]] Id find(const Selector& selector) const {
        return by_text_.find(selector.text())->second;
    }

    /// Gives one use back, which must be there. The id of a selector without uses is free for
    /// another one.
    void remove(Id id);

    [[nodiscard]] bool empty() const { return by_text_.empty(); }

    /// Number of distinct selectors.
    [[nodiscard]] std::size_t size() const { return by_text_.size(); }

    /// Appends the ids of all selectors that take the message, each once, in no particular order.
    void match(const Message& message, std::vector<Id>& out) const;
    void match(const MessageHeaders& headers, std::vector<Id>& out) const;

private:
    struct Hash {
        using is_transparent = void;

        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };

    template <class Value>
    using ByText = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

    // From the value of one header to the selectors that want it: differently written ones, such as
    // `a = 'x'` and `'x' = a`, share a value.
    using ByValue = ByText<std::vector<Id>>;

    struct Slot {
        SelectorRef selector;
        std::size_t uses = 0;
        std::size_t place = 0;  // In `others_`, of those without equality.
    };

    [[nodiscard]] Id take_slot(const SelectorRef& selector);
    void enter(Id id);
    void leave(Id id);
    void leave_equality(Id id, const Selector::Equality& equality);
    void match_names(const MessageHeaders& headers, std::vector<Id>& out) const;
    void match_headers(const MessageHeaders& headers, std::vector<Id>& out) const;

    std::vector<Slot> slots_;
    std::vector<Id> free_;
    std::unordered_map<std::string_view, Id> by_text_;  // Keys are the selectors' own texts.
    ByText<ByValue> equalities_;                        // By the name of the header.
    std::vector<Id> others_;
};

}  // namespace engine
