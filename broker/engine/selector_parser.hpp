// From the text of a selector to its program (P-SEL-01, -02, -04).
// Precedence climbing; recursion is bounded by SelectorLimits::depth_max.
#pragma once

#include "broker/engine/selector_limits.hpp"
#include "broker/engine/selector_program.hpp"
#include "protocol/error.hpp"

#include <string_view>

namespace engine {

/// Refuses `bad-selector`, with the column counted in characters from 1, for what is empty, too
/// large, ungrammatical, or can be seen to have operands of the wrong type.
[[nodiscard]] protocol::Result<SelectorProgram> parse_selector(
    std::string_view text, const SelectorLimits& limits
);

}  // namespace engine
