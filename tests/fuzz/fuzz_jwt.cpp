// Tokens: what is accepted a second, slow verifier accepts too, and gives a principal within
// bounds.
// Input: an octet of choices. Even: a token follows. Odd: a header up to NUL and a payload, which
// are signed here, so that claims are reached.
#include "broker/security/names.hpp"
#include "protocol/base64.hpp"
#include "tests/fuzz/choices.hpp"
#include "tests/security/jwt_reference.hpp"
#include "tests/security/token_maker.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using fuzz::require;
using security::JwtAlgorithm;

const security::JwtVerifier& verifier() {
    static const security::JwtVerifier made(
        security::test_settings(), security::key_set(security::all_algorithms())
    );
    return made;
}

std::string signed_token(std::string_view input) {
    static const security::TokenMaker maker(JwtAlgorithm::hs256);
    const std::string_view header = input.substr(0, input.find('\0'));
    const bool has_payload = header.size() < input.size();
    return maker.token(header, has_payload ? input.substr(header.size() + 1) : std::string_view());
}

void check_refusal(const security::TokenRefused& refused) {
    require(!text_of(refused.fault).empty(), "a refusal has a reason");
    const bool is_bounded = refused.key_id.size() <= security::key_id_octets_max;
    require(is_bounded, "the id of a key is bounded");
    require(
        refused.key_id.empty() || refused.fault == security::TokenFault::unknown_key,
        "an id is told only of an unknown key"
    );
}

void check_principal(const engine::Principal& principal) {
    require(security::name_fault(principal.user).empty(), "the user is a name");
    require(principal.roles.size() <= security::roles_max, "roles are bounded");
    for (const std::string& role : principal.roles) {
        require(security::name_fault(role).empty(), "a role is a name");
    }
    require(principal.claims.size() <= security::token_claims_max, "claims are bounded");
    for (const auto& [name, value] : principal.claims) {
        const std::size_t longest = std::max(name.size(), value.size());
        require(longest <= security::token_claim_octets_max, "a claim is bounded");
    }
    require(principal.expires_at > security::test_now_ms, "it has not ended");
    require(principal.voucher == engine::Voucher::token, "a token vouches");
    require(!principal.is_anonymous, "it is somebody");
}

void check_segments(std::string_view token) {
    while (!token.empty()) {
        const std::string_view segment = token.substr(0, token.find('.'));
        const auto octets = protocol::decode_base64url(segment);
        require(octets && protocol::encode_base64url(*octets) == segment, "one way to write it");
        token.remove_prefix(std::min(segment.size() + 1, token.size()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices choices(data, size);
    const bool is_signed_here = choices.octet() % 2 == 1;
    const std::string token =
        is_signed_here ? signed_token(choices.rest()) : std::string(choices.rest());
    const auto principal = verifier().verify(token, security::test_now_ms);
    if (!principal) {
        check_refusal(principal.error());
        return 0;
    }
    require(token.size() <= security::token_octets_max, "it is not too long");
    check_principal(*principal);
    check_segments(token);
    require(security::is_compact_jwt_like(token) || is_signed_here, "it looks like one");
    require(
        security::reference_accepts(token, security::test_now_ms), "the other verifier accepts it"
    );
    return 0;
}
