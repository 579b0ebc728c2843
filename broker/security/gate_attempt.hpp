// One CONNECT on its way through the gate, from its credentials to its answer.
// Used by the gate's own files only.
#pragma once

#include "broker/security/gate.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace security {

/// The one refusal of all wrong credentials (P-CONN-07).
[[nodiscard]] protocol::Error login_failed();

/// `key`: of the limit that is reached.
[[nodiscard]] protocol::Error logins_overload(
    std::string_view key, protocol::LimitKey limit = protocol::LimitKey::none
);

struct Gate::Attempt {
    engine::Shard* shard = nullptr;
    engine::Credentials credentials;
    Answer answer;
    Sources from;                  ///< Those of when it came.
    std::uint64_t generation = 0;  ///< Of the cache, then.
    Standing standing = Standing::within_budget;
    std::string facts;          ///< hook_facts(), if there is a hook.
    unsigned asked = 0;         ///< Back ends that have been asked.
    std::string_view why = {};  ///< What the last of them said, if it knew nothing of the user.
};

}  // namespace security
