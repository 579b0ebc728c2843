#include "broker/security/jwks.hpp"

#include "broker/security/strict_json.hpp"
#include "protocol/base64.hpp"
#include "protocol/error.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>

namespace security {

namespace {

/// Why a key is left out, which harms nobody.
struct LeftOut {
    std::string why;
};

using Parsed = std::variant<JwtKey, LeftOut, KeyFault>;

Parsed parsed(KeyResult<JwtKey> key) {
    if (!key) { return key.error(); }
    return std::move(*key);
}

KeyFault bad_member(std::string_view name) {
    return {"has no valid `" + std::string(name) + "`"};
}

/// The text of a member; nothing if there is none. One that is no string is a fault.
struct Text {
    const std::string* text = nullptr;
    bool is_bad = false;

    [[nodiscard]] bool is(std::string_view expected) const {
        return text != nullptr && *text == expected;
    }
};

Text text_of(const Json& key, std::string_view name) {
    const Json* const member = key.find(name);
    if (member == nullptr) { return {}; }
    return {member->string(), member->string() == nullptr};
}

/// The octets that a member writes in base64url.
std::optional<std::string> octets_of(const Json& key, std::string_view name) {
    const Text member = text_of(key, name);
    if (member.text == nullptr || member.text->empty()) { return std::nullopt; }
    return protocol::decode_base64url(*member.text);
}

std::string shown(const std::string* text) {
    return "`" + protocol::quoted(*text) + "`";
}

/// "key 3 (kid `x`)", counted from 1.
std::string place_of(const Json& key, std::size_t index) {
    std::string place = "key " + std::to_string(index + 1);
    const Text id = text_of(key, "kid");
    if (id.text != nullptr) { place += " (kid " + shown(id.text) + ")"; }
    return place;
}

bool is_known_type(const Text& type) {
    return type.is("RSA") || type.is("EC") || type.is("OKP") || type.is("oct");
}

/// `key_ops` is absent or names `verify`.
bool may_verify(const Json& key) {
    const Json* const operations = key.find("key_ops");
    return operations == nullptr ||
           std::ranges::any_of(operations->items(), [](const Json& operation) {
               return operation.string() != nullptr && *operation.string() == "verify";
           });
}

/// A member that describes the key is there and is not what it has to be; empty if none is.
std::string_view misshapen_member(const Json& key) {
    for (const std::string_view name : {"kty", "kid", "alg", "use", "crv"}) {
        if (text_of(key, name).is_bad) { return name; }
    }
    const Json* const operations = key.find("key_ops");
    const bool is_list = operations == nullptr || operations->kind() == Json::Kind::array;
    return is_list ? std::string_view() : "key_ops";
}

/// What makes the key none of ours; nothing if it is one.
std::optional<LeftOut> reason_to_leave(const Json& key, const JwksOptions& options) {
    const Text type = text_of(key, "kty");
    const Text use = text_of(key, "use");
    if (!is_known_type(type)) { return LeftOut{"is of kind " + shown(type.text)}; }
    if (use.text != nullptr && !use.is("sig")) { return LeftOut{"is for " + shown(use.text)}; }
    if (!may_verify(key)) { return LeftOut{"is not for verifying (`key_ops`)"}; }
    if (type.is("oct") && !options.allows_secrets) {
        return LeftOut{"is a secret, which is taken only from a file"};
    }
    return std::nullopt;
}

/// The algorithm that a key without `alg` is for.
std::variant<JwtAlgorithm, LeftOut, KeyFault> implied_algorithm(
    const Json& key, const JwksOptions& options
) {
    const Text type = text_of(key, "kty");
    if (type.is("RSA")) { return options.rsa; }
    if (type.is("oct")) { return KeyFault{"needs an `alg`: HS256, HS384 or HS512"}; }
    const Text curve = text_of(key, "crv");
    if (curve.text == nullptr) { return bad_member("crv"); }
    const auto found = jwt_algorithm_of_curve(*type.text, *curve.text);
    if (found) { return *found; }
    return LeftOut{"has curve " + shown(curve.text)};
}

std::variant<JwtAlgorithm, LeftOut, KeyFault> algorithm_of(
    const Json& key, const JwksOptions& options
) {
    const Text name = text_of(key, "alg");
    if (name.text == nullptr) { return implied_algorithm(key, options); }
    const auto named = jwt_algorithm_named(*name.text);
    if (!named) { return LeftOut{"is for algorithm " + shown(name.text)}; }
    const JwtAlgorithmTraits& is = traits(*named);
    const bool fits =
        text_of(key, "kty").is(is.type) && (is.curve.empty() || text_of(key, "crv").is(is.curve));
    if (fits) { return *named; }
    return KeyFault{"is not of the kind and curve that its `alg` " + shown(name.text) + " needs"};
}

Parsed rsa_from(const Json& key, JwtAlgorithm algorithm, std::string id) {
    const auto n = octets_of(key, "n");
    const auto e = octets_of(key, "e");
    if (!n) { return bad_member("n"); }
    if (!e) { return bad_member("e"); }
    return parsed(JwtKey::from_rsa(algorithm, *n, *e, std::move(id)));
}

Parsed point_from(const Json& key, JwtAlgorithm algorithm, std::string id) {
    const auto x = octets_of(key, "x");
    const auto y = octets_of(key, "y");
    if (!x) { return bad_member("x"); }
    if (!y) { return bad_member("y"); }
    return parsed(JwtKey::from_point(algorithm, *x, *y, std::move(id)));
}

Parsed ed25519_from(const Json& key, std::string id) {
    const auto x = octets_of(key, "x");
    if (!x) { return bad_member("x"); }
    return parsed(JwtKey::from_ed25519(*x, std::move(id)));
}

Parsed secret_from(const Json& key, JwtAlgorithm algorithm, std::string id) {
    auto octets = octets_of(key, "k");
    if (!octets) { return bad_member("k"); }
    engine::Secret secret(*octets);
    OPENSSL_cleanse(octets->data(), octets->size());
    return parsed(JwtKey::from_secret(algorithm, std::move(secret), std::move(id)));
}

Parsed key_from(const Json& key, JwtAlgorithm algorithm) {
    const Text name = text_of(key, "kid");
    std::string id = name.text == nullptr ? std::string() : *name.text;
    switch (traits(algorithm).family) {
        case JwtFamily::rsa_pkcs1:
        case JwtFamily::rsa_pss:
            return rsa_from(key, algorithm, std::move(id));
        case JwtFamily::ecdsa:
            return point_from(key, algorithm, std::move(id));
        case JwtFamily::ed25519:
            return ed25519_from(key, std::move(id));
        case JwtFamily::hmac:
            return secret_from(key, algorithm, std::move(id));
    }
    return bad_member("alg");
}

Parsed parse_key(const Json& key, const JwksOptions& options) {
    if (key.kind() != Json::Kind::object) { return KeyFault{"is not a JSON object"}; }
    const std::string_view misshapen = misshapen_member(key);
    if (!misshapen.empty()) { return bad_member(misshapen); }
    if (key.find("kty") == nullptr) { return bad_member("kty"); }
    if (auto reason = reason_to_leave(key, options)) { return std::move(*reason); }
    if (key.find("d") != nullptr) {
        return KeyFault{"is a private key: the broker needs only the public one"};
    }
    const auto algorithm = algorithm_of(key, options);
    if (const auto* const why = std::get_if<LeftOut>(&algorithm)) { return *why; }
    if (const auto* const why = std::get_if<KeyFault>(&algorithm)) { return *why; }
    const auto found = std::get<JwtAlgorithm>(algorithm);
    const bool is_wanted = options.algorithms.empty() ||
                           std::ranges::find(options.algorithms, found) != options.algorithms.end();
    if (!is_wanted) {
        return LeftOut{"is for " + std::string(traits(found).name) + ", which is not configured"};
    }
    return key_from(key, found);
}

KeyResult<Jwks> parse_keys(std::vector<const Json*> list, const JwksOptions& options) {
    if (list.size() > keys_max) { return KeyFault{"the set has more than 64 keys"}; }
    std::vector<JwtKey> keys;
    Jwks result;
    for (std::size_t i = 0; i < list.size(); ++i) {
        Parsed key = parse_key(*list[i], options);
        const std::string place = place_of(*list[i], i) + " ";
        if (const auto* const why = std::get_if<KeyFault>(&key)) {
            return KeyFault{place + why->what};
        }
        if (const auto* const left = std::get_if<LeftOut>(&key)) {
            result.left_out.push_back(place + left->why);
        } else {
            keys.push_back(std::get<JwtKey>(std::move(key)));
        }
    }
    auto set = KeySet::from(std::move(keys));
    if (!set) { return KeyFault{"the set " + set.error().what}; }
    result.keys = std::move(*set);
    return result;
}

}  // namespace

KeyResult<Jwks> parse_jwks(std::string_view text, const JwksOptions& options) {
    if (text.size() > jwks_octets_max) { return KeyFault{"the set is larger than 256 KiB"}; }
    const auto json = parse_strict_json(text, {.octets_max = jwks_octets_max});
    if (!json) {
        return KeyFault{
            "the set is not a JSON object, has two members of one name, or is nested deeper than "
            "8"};
    }
    const Json* const members = json->find("keys");
    if (members == nullptr) {
        if (json->find("kty") != nullptr) { return parse_keys({&*json}, options); }
        return KeyFault{"the set has no array `keys`"};
    }
    if (members->kind() != Json::Kind::array) { return KeyFault{"the set has no array `keys`"}; }
    std::vector<const Json*> list;
    for (const Json& key : members->items()) {
        list.push_back(&key);
    }
    return parse_keys(std::move(list), options);
}

}  // namespace security
