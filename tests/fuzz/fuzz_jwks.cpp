// Sets of keys: what is taken is JSON for others too, counted, bounded, and without secrets unless
// they are allowed.
// Input: an octet of choices, then the set.
#include "broker/security/jwks.hpp"
#include "tests/fuzz/choices.hpp"

#include <boost/json.hpp>

#include <string>
#include <string_view>

namespace {

using fuzz::require;
using security::JwtAlgorithm;
using security::JwtFamily;

security::JwksOptions options_from(std::uint8_t choice) {
    security::JwksOptions options;
    options.allows_secrets = choice % 2 == 1;
    if (choice % 4 >= 2) { options.rsa = JwtAlgorithm::ps256; }
    if (choice % 8 >= 4) { options.algorithms = {JwtAlgorithm::es256, JwtAlgorithm::hs256}; }
    return options;
}

/// How many keys another reader sees.
std::size_t keys_in(std::string_view text) {
    boost::json::error_code ec;
    const boost::json::value value = boost::json::parse(text, ec);
    require(!ec.failed() && value.is_object(), "it is a JSON object");
    const boost::json::value* const keys = value.as_object().if_contains("keys");
    if (keys == nullptr) { return 1; }
    require(keys->is_array(), "the keys are an array");
    return keys->as_array().size();
}

void check_keys(const security::KeySet& keys, const security::JwksOptions& options) {
    for (std::size_t i = 0; i < security::jwt_algorithm_count; ++i) {
        const auto algorithm = static_cast<JwtAlgorithm>(i);
        const security::JwtKey* const key = keys.find(algorithm, std::nullopt);
        if (key == nullptr) { continue; }
        require(key->algorithm() == algorithm, "it is for what it is found by");
        require(key->id().size() <= security::key_id_octets_max, "its id is bounded");
        const bool is_secret = security::traits(algorithm).family == JwtFamily::hmac;
        require(!is_secret || options.allows_secrets, "no secrets from strangers");
        require(!key->verifies("text", std::string(64, '\0')), "nothing is no signature");
        require(!key->verifies("text", ""), "nor is less");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices choices(data, size);
    const security::JwksOptions options = options_from(choices.octet());
    const auto set = security::parse_jwks(choices.rest(), options);
    if (!set) {
        require(!set.error().what.empty(), "a refusal says why");
        return 0;
    }
    require(choices.rest().size() <= security::jwks_octets_max, "it is not too long");
    const std::size_t count = set->keys.size() + set->left_out.size();
    require(count <= security::keys_max, "keys are bounded");
    require(count == keys_in(choices.rest()), "each key is taken or left out");
    check_keys(set->keys, options);
    return 0;
}
