// A compiled selector: operands and operators in postfix order, run on a small stack.
// Immutable while it runs; no recursion, no allocation, bounded by its number of nodes.
#pragma once

#include "broker/engine/like_pattern.hpp"
#include "broker/engine/message_headers.hpp"
#include "broker/engine/selector_value.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

struct SelectorNode {
    enum class Op : std::uint8_t {
        header,         ///< The header whose name is text().
        priority,       ///< `priority`, 4 if there is none.
        delivery_mode,  ///< 'PERSISTENT' or 'NON_PERSISTENT', by `persistent`.
        text,
        integer,
        real,
        boolean,  ///< `index` is 0 or 1.
        plus,
        minus,
        add,
        subtract,
        multiply,
        divide,
        equal,
        less,
        less_or_equal,
        greater,
        greater_or_equal,
        between,
        in,    ///< Looks through the `size` literals that follow.
        like,  ///< By pattern `index`.
        is_null,
        logical_not,
        logical_and,
        logical_or,
        skip_if_no,   ///< The left operand of AND decides: on at node `index`.
        skip_if_yes,  ///< The same for OR.
    };

    Op op;
    bool is_negated = false;  ///< NOT, or `<>` for equal.
    std::uint16_t size = 0;
    std::uint32_t index = 0;

    union {
        std::int64_t integer = 0;
        double real;
    };

    [[nodiscard]] static SelectorNode of(Op op) {
        SelectorNode node{};
        node.op = op;
        return node;
    }
};

struct SelectorProgram {
    static constexpr std::size_t nodes_max = 512;  ///< Other than the skips.

    std::vector<SelectorNode> nodes;
    std::string characters;  ///< Of all names and texts.
    std::vector<LikePattern> patterns;

    /// The name or text of a node.
    [[nodiscard]] std::string_view text(const SelectorNode& node) const {
        return std::string_view(characters).substr(node.index, node.size);
    }
};

/// What the program's condition is for a message. Never throws but for want of memory.
[[nodiscard]] Truth evaluate(const SelectorProgram& program, const MessageHeaders& headers);

}  // namespace engine
