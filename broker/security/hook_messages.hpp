// What the HTTP hook is asked about a login, and what it may answer (S-AUTH-14).
// Pure. Answers are read strictly; their size is the HTTP client's limit.
#pragma once

#include "broker/engine/authenticator.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace security {

inline constexpr std::size_t hook_answer_octets_max = 65'536;
/// Ten years.
inline constexpr std::int64_t hook_expires_in_s_max = 315'360'000;

/// `"client_ip":...,"listener":...` to `"client_id":...`: all that the hook is told but login and
/// passcode, as members of a JSON object. Without octet 0.
[[nodiscard]] std::string hook_facts(const engine::Credentials& credentials);

/// The body of the request. `credentials` has login and passcode, both UTF-8.
[[nodiscard]] engine::Secret hook_request(
    const engine::Credentials& credentials, std::string_view facts
);

struct HookAnswer {
    enum class Result : std::uint8_t { allow, deny, ignore, malformed };

    Result result = Result::malformed;
    // With `allow`.
    std::string user = {};
    std::vector<std::string> roles = {};
    std::int64_t expires_in_s = 0;  ///< 0: does not expire.
    /// With `malformed`: what is wrong, static.
    std::string_view fault = {};
};

/// `{"result":"allow|deny|ignore","user":..,"roles":[..],"expires_in":s}`; the last three are
/// optional and count with `allow` only, others are passed over. Without `user` the login is the
/// user. Names that cannot be a user's or role's, more than 64 roles, and times other than whole
/// seconds up to ten years are malformed, as is anything but one JSON object without duplicates.
[[nodiscard]] HookAnswer parse_hook_answer(std::string_view text, std::string_view login);

}  // namespace security
