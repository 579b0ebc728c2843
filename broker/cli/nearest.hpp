// What somebody who wrote another word may have meant, for "did you mean".
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// The name that `written` is a longer or shorter form of (`subscribe` of `sub`), or else differs
/// from in one short stretch; empty if none is near.
[[nodiscard]] std::string nearest(std::string_view written, const std::vector<std::string>& names);

}  // namespace cli
