// Notes are said claim by claim even where the verifier stops at the first fault.
#include "broker/cli/token_check.hpp"

#include "protocol/base64.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace cli {
namespace {

namespace json = boost::json;
using security::TokenFault;

constexpr std::size_t token_shown_max = 64 * 1024;

std::string span_text(std::int64_t seconds) {
    const std::int64_t size = seconds < 0 ? -seconds : seconds;
    std::string text = std::to_string(size) + " s";
    if (size >= 2 * 86'400) {
        text = std::to_string(size / 86'400) + " days";
    } else if (size >= 2 * 3600) {
        text = std::to_string(size / 3600) + " hours";
    } else if (size >= 2 * 60) {
        text = std::to_string(size / 60) + " minutes";
    }
    return seconds < 0 ? text + " ago" : "in " + text;
}

class Notes {
public:
    Notes(const security::TokenSettings& settings, std::int64_t now_ms)
        : settings_(settings), now_s_(now_ms / 1000) {}

    [[nodiscard]] std::string of(std::string_view name, const json::value& value) const {
        if (name == "iss") {
            return match("issuer", settings_.issuer, is(value, settings_.issuer));
        }
        if (name == "aud") { return match("audience", settings_.audience, has(value)); }
        if (name == settings_.user_claim) { return "the user"; }
        const std::string& roles = settings_.roles_claim;
        if (name == roles.substr(0, roles.find('.')) || name == roles) { return "the roles"; }
        if (name == "exp" || name == "nbf" || name == "iat") { return time_note(name, value); }
        return {};
    }

private:
    static bool is(const json::value& value, const std::string& expected) {
        return value.is_string() && value.as_string() == expected;
    }

    [[nodiscard]] bool has(const json::value& value) const {
        if (!value.is_array()) { return is(value, settings_.audience); }
        return std::ranges::any_of(value.as_array(), [this](const json::value& item) {
            return is(item, settings_.audience);
        });
    }

    static std::string match(const char* what, const std::string& expected, bool is_good) {
        if (expected.empty()) { return {}; }
        const std::string name = std::string(what) + " " + expected;
        return is_good ? "ok: " + name : "WRONG: this broker wants the " + name;
    }

    [[nodiscard]] std::string time_note(std::string_view name, const json::value& value) const {
        if (!value.is_int64()) { return "WRONG: it must be whole seconds since 1970"; }
        const std::int64_t left = value.as_int64() - now_s_;
        const bool is_end = name == "exp";
        const bool is_good = is_end ? left + settings_.skew_s > 0 : left <= settings_.skew_s;
        const char* const fault = is_end ? "EXPIRED: " : "NOT YET VALID: ";
        return (is_good ? "ok: " : fault) + utc_text(value.as_int64()) + ", " + span_text(left);
    }

    const security::TokenSettings& settings_;
    const std::int64_t now_s_;
};

json::object object_of(std::string_view segment) {
    const auto text = protocol::decode_base64url(segment);
    if (!text) { return {}; }
    boost::system::error_code ec;
    const json::value value = json::parse(*text, ec);
    return !ec && value.is_object() ? value.as_object() : json::object();
}

std::vector<TokenLine> lines_of(const json::object& object, const Notes* notes) {
    std::vector<TokenLine> lines;
    for (const auto& member : object) {
        const std::string name(member.key());
        lines.push_back(
            {name,
             json::serialize(member.value()),
             notes == nullptr ? "" : notes->of(name, member.value())}
        );
    }
    return lines;
}

std::string_view remedy_for(TokenFault fault) {
    switch (fault) {
        case TokenFault::too_long:
            return "leave out claims that the broker does not need";
        case TokenFault::segments:
        case TokenFault::encoding:
        case TokenFault::header:
        case TokenFault::payload:
            return "is it whole, and a signed JSON Web Token (not an encrypted or opaque one)?";
        case TokenFault::critical_header:
            return "its header tells how to verify it, which is not for the sender to say";
        case TokenFault::algorithm:
            return "sign with RS256, PS256, ES256, EdDSA or HS256 or their longer kinds";
        case TokenFault::unknown_key:
            return "no key of this kid and alg is among the broker's: is jwt.keys_file up to date?";
        case TokenFault::signature:
            return "it was changed, or signed with another key than the broker's of that kid";
        case TokenFault::issuer:
            return "iss must be jwt.issuer, octet for octet (mind the last slash)";
        case TokenFault::audience:
            return "aud must be or hold jwt.audience";
        case TokenFault::user:
            return "the claim that jwt.user_claim names must be a string without odd characters";
        case TokenFault::roles:
            return "the claim that jwt.roles_claim names must be at most 64 strings";
        case TokenFault::times:
            return "exp is required; exp, nbf and iat are whole seconds since 1970";
        case TokenFault::not_yet_valid:
            return "are the clocks right? jwt.skew allows up to 60 s";
        case TokenFault::expired:
            return "connect with a new one";
    }
    return {};
}

}  // namespace

std::string utc_text(std::int64_t seconds) {
    std::tm date{};
    const std::time_t time = seconds;
    if (::gmtime_r(&time, &date) == nullptr) { return "?"; }
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &date)};
}

TokenReport explain_token(
    std::string_view token, const TokenExpectation& expectation, std::int64_t now_ms
) {
    TokenReport report;
    const std::string_view shown = token.substr(0, token_shown_max);
    const std::size_t dot = shown.find('.');
    if (dot != std::string_view::npos) {
        const std::string_view rest = shown.substr(dot + 1);
        const Notes notes(expectation.settings, now_ms);
        report.header = lines_of(object_of(shown.substr(0, dot)), nullptr);
        report.claims = lines_of(object_of(rest.substr(0, rest.find('.'))), &notes);
    }
    if (expectation.verifier == nullptr) {
        report.refusal =
            "not verified: name the broker's --config, or --keys, --issuer, --audience";
        return report;
    }
    auto verdict = expectation.verifier->verify(token, now_ms);
    if (verdict) {
        report.principal = std::move(*verdict);
    } else {
        const TokenFault fault = verdict.error().fault;
        report.refusal = std::string(text_of(fault)) + ": " + std::string(remedy_for(fault));
    }
    return report;
}

}  // namespace cli
