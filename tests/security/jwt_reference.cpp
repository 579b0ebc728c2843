#include "tests/security/jwt_reference.hpp"

#include "tests/security/reference_signatures.hpp"
#include "tests/security/token_maker.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace security {

namespace {

namespace json = boost::json;

/// With OpenSSL's reader, which knows the other alphabet and wants padding.
std::optional<std::string> decoded(std::string text) {
    for (const char letter : text) {
        const bool is_known = (letter >= '0' && letter <= '9') ||
                              (letter >= 'A' && letter <= 'Z') ||
                              (letter >= 'a' && letter <= 'z') || letter == '-' || letter == '_';
        if (!is_known) { return std::nullopt; }
    }
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    const std::size_t padding = (4 - text.size() % 4) % 4;
    if (padding == 3) { return std::nullopt; }
    text.append(padding, '=');
    std::string octets(text.size(), '\0');
    auto* const out = reinterpret_cast<unsigned char*>(octets.data());
    const auto* const in = reinterpret_cast<const unsigned char*>(text.data());
    const int size = EVP_DecodeBlock(out, in, static_cast<int>(text.size()));
    if (size < 0) { return std::nullopt; }
    octets.resize(static_cast<std::size_t>(size) - padding);
    return octets;
}

std::vector<std::string> split(std::string_view token) {
    std::vector<std::string> parts(1);
    for (const char letter : token) {
        if (letter == '.') {
            parts.emplace_back();
        } else {
            parts.back() += letter;
        }
    }
    return parts;
}

std::optional<json::object> object_of(const std::string& encoded) {
    const auto text = decoded(encoded);
    if (!text) { return std::nullopt; }
    json::error_code ec;
    json::value value = json::parse(*text, ec);
    if (ec.failed() || !value.is_object()) { return std::nullopt; }
    return value.as_object();
}

std::string text_in(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

bool has_audience(const json::object& claims) {
    const json::value* const value = claims.if_contains("aud");
    if (value == nullptr || !value->is_array()) { return text_in(claims, "aud") == "stampede"; }
    return std::ranges::any_of(value->as_array(), [](const json::value& one) {
        return one.is_string() && one.as_string() == "stampede";
    });
}

/// Seconds, or -1.
std::int64_t time_in(const json::object& claims, std::string_view name, std::int64_t absent) {
    const json::value* const value = claims.if_contains(name);
    if (value == nullptr) { return absent; }
    return value->is_int64() ? value->as_int64() : -1;
}

bool is_now(const json::object& claims, std::int64_t now_ms) {
    const std::int64_t now_s = now_ms / 1000;
    const std::int64_t exp = time_in(claims, "exp", -1);
    const std::int64_t nbf = time_in(claims, "nbf", 0);
    const std::int64_t iat = time_in(claims, "iat", 0);
    return exp + 30 >= now_s && nbf >= 0 && iat >= 0 && std::max(nbf, iat) - 30 <= now_s;
}

bool is_name(const std::string& name) {
    return !name.empty() && name.size() <= 128 &&
           name.find_first_of("*#+>/.:") == std::string::npos &&
           std::ranges::none_of(name, [](char letter) { return letter >= 0 && letter < ' '; });
}

bool has_forbidden(const json::object& header) {
    const std::vector<std::string_view> names{"crit", "jku", "x5u", "x5c", "jwk", "zip", "b64"};
    return std::ranges::any_of(names, [&](std::string_view name) { return header.contains(name); });
}

}  // namespace

bool reference_accepts(std::string_view token, std::int64_t now_ms) {
    const std::vector<std::string> parts = split(token);
    if (token.size() > 8192 || parts.size() != 3) { return false; }
    const auto header = object_of(parts[0]);
    const auto claims = object_of(parts[1]);
    const auto signature = decoded(parts[2]);
    if (!header || !claims || !signature || has_forbidden(*header)) { return false; }
    return text_in(*claims, "iss") == "https://id.example" && has_audience(*claims) &&
           is_name(text_in(*claims, "sub")) && is_now(*claims, now_ms) &&
           reference_verifies(text_in(*header, "alg"), parts[0] + "." + parts[1], *signature);
}

}  // namespace security
