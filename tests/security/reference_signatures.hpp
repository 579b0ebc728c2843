// Signatures verified by the formulas of RFC 8017, FIPS 186-4, RFC 8032 and RFC 2104, with the
// published keys. Slow: tens of milliseconds.
#pragma once

#include <string>
#include <string_view>

namespace security {

/// `signature` is one of `text` by the published key of the algorithm of this name.
[[nodiscard]] bool reference_verifies(
    std::string_view algorithm, std::string_view text, const std::string& signature
);

}  // namespace security
