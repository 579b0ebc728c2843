// How large a selector may be (P-LIM-01, row "selector").
// Values; checked while parsing, before anything grows beyond them.
#pragma once

#include <cstddef>

namespace engine {

struct SelectorLimits {
    std::size_t bytes_max = 512;
    std::size_t nodes_max = 64;  ///< Names, literals and operators; parentheses are none.
    std::size_t depth_max = 16;  ///< Parentheses, NOTs and signs around one another.
};

/// What a configuration may ask for at most; larger values count as these.
inline constexpr SelectorLimits selector_limits_max{4096, 512, 32};

}  // namespace engine
