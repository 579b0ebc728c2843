#include "broker/security/hook_messages.hpp"

#include "broker/security/names.hpp"
#include "broker/security/strict_json.hpp"

#include <openssl/crypto.h>

#include <optional>
#include <utility>

namespace security {

namespace {

using Result = HookAnswer::Result;

constexpr std::size_t octets_per_octet_max = 6;  ///< `\u0000`.
constexpr std::size_t answer_depth_max = 8;
constexpr std::size_t answer_values_max = 1024;

// Everything but controls, quotes and backslashes stands for itself.
void append_text(std::string& json, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    json += '"';
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (code < 0x20) {
            json.append("\\u00").append(1, hex[code >> 4U]).append(1, hex[code & 15U]);
            continue;
        }
        if (c == '"' || c == '\\') { json += '\\'; }
        json += c;
    }
    json += '"';
}

void append_member(std::string& json, std::string_view name, std::string_view text) {
    json.append(",\"").append(name).append("\":");
    append_text(json, text);
}

HookAnswer malformed(std::string_view fault) {
    HookAnswer answer;
    answer.fault = fault;
    return answer;
}

std::optional<Result> result_named(const Json* member) {
    const std::string* const text = member != nullptr ? member->string() : nullptr;
    if (text == nullptr) { return std::nullopt; }
    if (*text == "allow") { return Result::allow; }
    if (*text == "deny") { return Result::deny; }
    if (*text == "ignore") { return Result::ignore; }
    return std::nullopt;
}

bool take_name(const Json& member, std::string& name) {
    if (member.string() == nullptr || !name_fault(*member.string()).empty()) { return false; }
    name = *member.string();
    return true;
}

bool take_roles(const Json& member, std::vector<std::string>& roles) {
    const bool is_list = member.kind() == Json::Kind::array && member.items().size() <= roles_max;
    if (!is_list) { return false; }
    for (const Json& role : member.items()) {
        if (!take_name(role, roles.emplace_back())) { return false; }
    }
    return true;
}

HookAnswer read_allow(const Json& json, std::string_view login) {
    HookAnswer answer;
    answer.user = std::string(login);
    const Json* const user = json.find("user");
    const bool is_user =
        user != nullptr ? take_name(*user, answer.user) : name_fault(login).empty();
    if (!is_user) { return malformed("its user cannot be a name"); }
    const Json* const roles = json.find("roles");
    if (roles != nullptr && !take_roles(*roles, answer.roles)) {
        return malformed("its roles are no list of at most 64 names");
    }
    if (const Json* const expires_in = json.find("expires_in")) {
        answer.expires_in_s = expires_in->integer().value_or(0);
        if (answer.expires_in_s < 1 || answer.expires_in_s > hook_expires_in_s_max) {
            return malformed("its expires_in is no number of seconds");
        }
    }
    answer.result = Result::allow;
    return answer;
}

}  // namespace

std::string hook_facts(const engine::Credentials& credentials) {
    const engine::Peer& peer = credentials.peer;
    std::string facts = "\"client_ip\":";
    append_text(facts, peer.address);
    append_member(facts, "listener", peer.listener);
    facts.append(",\"tls\":").append(peer.is_tls ? "true" : "false");
    append_member(facts, "origin", peer.origin);
    append_member(facts, "host", credentials.host);
    append_member(facts, "client_id", credentials.client_id);
    return facts;
}

engine::Secret hook_request(const engine::Credentials& credentials, std::string_view facts) {
    const std::string_view login = *credentials.login;
    const std::string_view passcode = credentials.passcode->reveal();
    std::string json;
    // Never moved while it grows: the octets that it left would not be wiped.
    json.reserve(octets_per_octet_max * (login.size() + passcode.size()) + facts.size() + 64);
    json += "{\"user\":";
    append_text(json, login);
    append_member(json, "passcode", passcode);
    json.append(",").append(facts).append("}");
    engine::Secret request(json);
    OPENSSL_cleanse(json.data(), json.size());
    return request;
}

HookAnswer parse_hook_answer(std::string_view text, std::string_view login) {
    const auto json =
        parse_strict_json(text, {hook_answer_octets_max, answer_depth_max, answer_values_max});
    if (!json) { return malformed("it is no JSON object"); }
    const auto result = result_named(json->find("result"));
    if (!result) { return malformed("its result is not allow, deny or ignore"); }
    if (*result == Result::allow) { return read_allow(*json, login); }
    HookAnswer answer;
    answer.result = *result;
    return answer;
}

}  // namespace security
