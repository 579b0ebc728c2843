// Whether one pattern matches whatever another one matches (S-ACL-07).
// A proof by search, of at most `inclusion_steps_max` steps: who asks may be hostile.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace security {

inline constexpr std::size_t inclusion_steps_max = 1024;

/// Every list of levels that `narrow` matches is matched by `wide`. False also where the proof
/// would be too long, or `wide` has more than 63 levels.
[[nodiscard]] bool includes(
    std::span<const std::string_view> wide, std::span<const std::string_view> narrow
);

}  // namespace security
