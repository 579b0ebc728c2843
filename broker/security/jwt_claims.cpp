#include "broker/security/jwt_claims.hpp"

#include "broker/security/names.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace security {

namespace {

/// Seconds beyond this (the year 9999) are a mistake or an attack; milliseconds of those below fit.
constexpr std::int64_t time_s_max = 253'402'300'799;

using Roles = std::vector<std::string>;

bool is_string(const Json* value, std::string_view expected) {
    return value != nullptr && value->string() != nullptr && *value->string() == expected;
}

bool has_audience(const Json* value, std::string_view expected) {
    if (value == nullptr) { return false; }
    if (value->kind() != Json::Kind::array) { return is_string(value, expected); }
    const std::vector<Json>& items = value->items();
    const bool is_list_of_strings =
        std::ranges::all_of(items, [](const Json& item) { return item.string() != nullptr; });
    return is_list_of_strings &&
           std::ranges::any_of(items, [&](const Json& item) { return is_string(&item, expected); });
}

/// The claim of that name, or, since a name may have dots of its own, what it leads to: Keycloak's
/// `realm_access.roles` is `roles` in `realm_access`.
const Json* claim_at(const Json& object, std::string_view path) {
    if (const Json* const claim = object.find(path)) { return claim; }
    const std::size_t dot = path.find('.');
    if (dot == std::string_view::npos) { return nullptr; }
    const Json* const inner = object.find(path.substr(0, dot));
    const bool is_object = inner != nullptr && inner->kind() == Json::Kind::object;
    return is_object ? claim_at(*inner, path.substr(dot + 1)) : nullptr;
}

/// A name that no rule can have is none that counts.
void add_role(Roles& roles, std::string_view name) {
    const bool counts = name_fault(name).empty() && std::ranges::find(roles, name) == roles.end();
    if (counts) { roles.emplace_back(name); }
}

Roles words_of(std::string_view text) {
    Roles roles;
    while (!text.empty() && roles.size() <= roles_max) {
        const std::string_view word = text.substr(0, text.find(' '));
        add_role(roles, word);
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    return roles;
}

/// Nothing if the claim is there and is neither a string nor an array of strings.
std::optional<Roles> roles_of(const Json* value) {
    if (value == nullptr) { return Roles(); }
    if (value->string() != nullptr) { return words_of(*value->string()); }
    if (value->kind() != Json::Kind::array) { return std::nullopt; }
    Roles roles;
    for (const Json& item : value->items()) {
        if (item.string() == nullptr) { return std::nullopt; }
        add_role(roles, *item.string());
        if (roles.size() > roles_max) { break; }
    }
    return roles;
}

std::vector<std::pair<std::string, std::string>> claims_of(const Json& payload) {
    std::vector<std::pair<std::string, std::string>> claims;
    for (const Json& member : payload.items()) {
        const std::string* const text = member.string();
        const bool fits = text != nullptr && text->size() <= token_claim_octets_max &&
                          member.name().size() <= token_claim_octets_max;
        if (fits && claims.size() < token_claims_max) { claims.emplace_back(member.name(), *text); }
    }
    return claims;
}

/// A claim of time in seconds.
struct Time {
    std::optional<std::int64_t> s = {};
    bool is_bad = false;
};

Time time_of(const Json& payload, std::string_view name) {
    const Json* const value = payload.find(name);
    if (value == nullptr) { return {}; }
    const auto s = value->integer();
    if (!s || *s < 0 || *s > time_s_max) { return {{}, true}; }
    return {s, false};
}

/// When the token ends, in milliseconds, the skew included.
boost::system::result<std::int64_t, TokenFault> end_of(
    const Json& payload, std::int64_t skew_s, std::int64_t now_ms
) {
    const Time exp = time_of(payload, "exp");
    const Time nbf = time_of(payload, "nbf");
    const Time iat = time_of(payload, "iat");
    if (!exp.s || exp.is_bad || nbf.is_bad || iat.is_bad) { return TokenFault::times; }
    for (const Time& begin : {nbf, iat}) {
        if (begin.s && (*begin.s - skew_s) * 1000 > now_ms) { return TokenFault::not_yet_valid; }
    }
    const std::int64_t end_ms = (*exp.s + skew_s) * 1000;
    if (end_ms <= now_ms) { return TokenFault::expired; }
    return end_ms;
}

}  // namespace

boost::system::result<engine::Principal, TokenFault> principal_of(
    const Json& payload, const TokenSettings& settings, std::int64_t now_ms
) {
    if (!is_string(payload.find("iss"), settings.issuer)) { return TokenFault::issuer; }
    if (!has_audience(payload.find("aud"), settings.audience)) { return TokenFault::audience; }
    const Json* const user = payload.find(settings.user_claim);
    const bool has_user =
        user != nullptr && user->string() != nullptr && name_fault(*user->string()).empty();
    if (!has_user) { return TokenFault::user; }
    auto roles = roles_of(claim_at(payload, settings.roles_claim));
    if (!roles || roles->size() > roles_max) { return TokenFault::roles; }
    const auto end_ms = end_of(payload, settings.skew_s, now_ms);
    if (!end_ms) { return end_ms.error(); }
    engine::Principal principal;
    principal.user = *user->string();
    principal.roles = std::move(*roles);
    principal.claims = claims_of(payload);
    principal.voucher = engine::Voucher::token;
    principal.expires_at = *end_ms;
    return principal;
}

}  // namespace security
