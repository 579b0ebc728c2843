#include "broker/security/jwt.hpp"

#include "broker/security/jwt_claims.hpp"
#include "broker/security/strict_json.hpp"
#include "protocol/base64.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

namespace security {

namespace {

constexpr JsonLimits json_limits{.octets_max = token_octets_max};

/// The three segments of a compact token, still encoded.
struct Segments {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
    std::string_view signed_text;  ///< Header and payload with the dot.
};

/// Nothing if there are more or fewer (an encrypted token has five), or an empty one.
std::optional<Segments> segments_of(std::string_view token) {
    const std::size_t first = token.find('.');
    if (first == std::string_view::npos) { return std::nullopt; }
    const std::size_t second = token.find('.', first + 1);
    if (second == std::string_view::npos) { return std::nullopt; }
    const Segments segments{
        token.substr(0, first),
        token.substr(first + 1, second - first - 1),
        token.substr(second + 1),
        token.substr(0, second)};
    const bool is_whole = !segments.header.empty() && !segments.payload.empty() &&
                          !segments.signature.empty() &&
                          segments.signature.find('.') == std::string_view::npos;
    if (!is_whole) { return std::nullopt; }
    return segments;
}

/// A header that says where the key is, or that the text is not what it seems, is the attacker's.
bool tells_how_to_verify(const Json& header) {
    constexpr auto names = std::to_array<std::string_view>(
        {"crit", "jku", "x5u", "x5c", "jwk", "zip", "b64", "enc", "epk"}
    );
    return std::ranges::any_of(names, [&](std::string_view name) {
        return header.find(name) != nullptr;
    });
}

/// `typ` is free, if it is a text. `cty` says that the payload is something else than claims.
bool is_plain(const Json& header) {
    const Json* const type = header.find("typ");
    const Json* const content = header.find("cty");
    return (type == nullptr || type->string() != nullptr) && content == nullptr;
}

struct Header {
    JwtAlgorithm algorithm;
    std::optional<std::string> key_id = {};
};

boost::system::result<Header, TokenFault> header_of(std::string_view encoded) {
    const auto text = protocol::decode_base64url(encoded);
    if (!text) { return TokenFault::encoding; }
    const auto json = parse_strict_json(*text, json_limits);
    if (!json) { return TokenFault::header; }
    if (tells_how_to_verify(*json)) { return TokenFault::critical_header; }
    if (!is_plain(*json)) { return TokenFault::header; }
    const Json* const name = json->find("alg");
    if (name == nullptr || name->string() == nullptr) { return TokenFault::algorithm; }
    const auto algorithm = jwt_algorithm_named(*name->string());
    if (!algorithm) { return TokenFault::algorithm; }
    const Json* const id = json->find("kid");
    if (id == nullptr) { return Header{*algorithm}; }
    const bool is_id = id->string() != nullptr && id->string()->size() <= key_id_octets_max;
    if (!is_id) { return TokenFault::header; }
    return Header{*algorithm, *id->string()};
}

bool is_good(const TokenSettings& settings) {
    return !settings.issuer.empty() && !settings.audience.empty() && !settings.user_claim.empty() &&
           !settings.roles_claim.empty();
}

}  // namespace

std::string_view text_of(TokenFault fault) {
    static constexpr auto texts = std::to_array<std::string_view>({
        "longer than 8 KiB",
        "not three segments",
        "base64url",
        "header",
        "forbidden header",
        "algorithm",
        "unknown key",
        "signature",
        "payload",
        "issuer",
        "audience",
        "user",
        "roles",
        "times",
        "not yet valid",
        "expired",
    });
    static_assert(texts.size() == static_cast<std::size_t>(TokenFault::expired) + 1);
    return texts[static_cast<std::size_t>(fault)];
}

protocol::Error refusal_of(TokenFault fault) {
    if (fault == TokenFault::expired) {
        return {
            protocol::ErrorCode::token_expired,
            "The token has expired.",
            "Connect again with a new token.",
            "S-AUTH-12"};
    }
    return {
        protocol::ErrorCode::auth_failed,
        "The token is not accepted.",
        "Connect with a token that this broker's issuer has made for it.",
        "S-AUTH-10"};
}

JwtVerifier::JwtVerifier(TokenSettings settings, KeySetRef keys)
    : settings_(std::move(settings)), keys_(std::move(keys)) {
    if (!is_good(settings_)) {
        throw std::invalid_argument(
            "Tokens need an issuer, an audience and names of the claims for user and roles."
        );
    }
    if (settings_.skew_s < 0 || settings_.skew_s > token_skew_s_max) {
        throw std::invalid_argument("The skew of tokens must be 0 to 60 seconds.");
    }
}

boost::system::result<engine::Principal, TokenRefused> JwtVerifier::verify(
    std::string_view token, std::int64_t now_ms
) const {
    if (token.size() > token_octets_max) { return TokenRefused{TokenFault::too_long}; }
    const auto segments = segments_of(token);
    if (!segments) { return TokenRefused{TokenFault::segments}; }
    const auto header = header_of(segments->header);
    if (!header) { return TokenRefused{header.error()}; }
    const auto signature = protocol::decode_base64url(segments->signature);
    const auto payload = protocol::decode_base64url(segments->payload);
    if (!signature || !payload) { return TokenRefused{TokenFault::encoding}; }
    const KeySetRef keys = this->keys();
    const JwtKey* const key = keys ? keys->find(header->algorithm, header->key_id) : nullptr;
    if (key == nullptr) {
        return TokenRefused{TokenFault::unknown_key, header->key_id.value_or(std::string())};
    }
    if (!key->verifies(segments->signed_text, *signature)) {
        return TokenRefused{TokenFault::signature};
    }
    const auto claims = parse_strict_json(*payload, json_limits);
    if (!claims) { return TokenRefused{TokenFault::payload}; }
    auto principal = principal_of(*claims, settings_, now_ms);
    if (!principal) { return TokenRefused{principal.error()}; }
    return std::move(*principal);
}

void JwtVerifier::exchange_keys(KeySetRef keys) {
    const std::lock_guard lock(mutex_);
    keys_ = std::move(keys);
}

KeySetRef JwtVerifier::keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
}

bool is_compact_jwt_like(std::string_view text) {
    const std::size_t first = text.find('.');
    if (first == std::string_view::npos || text.find('.', first + 1) == std::string_view::npos) {
        return false;
    }
    const std::string_view encoded = text.substr(0, first);
    const auto header = protocol::decode_base64url(encoded);
    return header && header->size() >= 2 && header->front() == '{' && header->back() == '}';
}

}  // namespace security
