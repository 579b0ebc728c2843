// What a token says, claim by claim, and what the broker would make of it.
// Pure; the verdict is that of the verifier which the broker uses (security::JwtVerifier).
#pragma once

#include "broker/security/jwt.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// A member of the header or the payload.
struct TokenLine {
    std::string name;
    std::string value;  ///< As JSON.
    std::string note;   ///< What it means to this broker; may be empty.
};

struct TokenReport {
    std::vector<TokenLine> header;
    std::vector<TokenLine> claims;
    std::optional<engine::Principal> principal;  ///< Who it vouches for, if it is good.
    std::string refusal;                         ///< Why not, and what to do, in one line.
};

/// What the broker expects of tokens.
struct TokenExpectation {
    security::TokenSettings settings;
    const security::JwtVerifier* verifier = nullptr;  ///< Null: no keys, nothing is verified.
};

[[nodiscard]] TokenReport explain_token(
    std::string_view token, const TokenExpectation& expectation, std::int64_t now_ms
);

/// `2026-01-31T12:00:00Z`.
[[nodiscard]] std::string utc_text(std::int64_t seconds);

}  // namespace cli
