// What a queue or topic of a given name would get, and from where: `check-config --explain`.
// Nothing is made; what clients may add by arguments is named, not guessed.
#pragma once

#include "broker/server/config.hpp"
#include "protocol/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace server {

/// A setting in force.
struct ExplainedSetting {
    std::string key;       ///< As in [[policy]].
    std::string value;     ///< As one would write it in TOML, or a word such as `none`.
    std::string why;       ///< `default`, a key of [limits] with its place, or a policy's.
    std::string argument;  ///< What a client can set it with, since no policy does; or empty.
};

/// A policy that matches the name.
struct ExplainedPolicy {
    std::string name;   ///< `policy[0]`.
    std::string match;  ///< Its pattern.
    std::string origin;
    std::string why_not;  ///< Empty: it is the one that counts.
};

struct Explanation {
    std::string name;  ///< As asked.
    std::string canonical;
    bool is_queue = false;
    std::vector<ExplainedPolicy> policies;  ///< In the order in which they are asked.
    std::vector<ExplainedSetting> settings;
};

/// Refuses what is no name of a queue or topic, as a SEND would.
[[nodiscard]] protocol::Result<Explanation> explain(
    const LoadedConfig& loaded, std::string_view name
);

/// For people, in columns.
[[nodiscard]] std::string explanation_text(const Explanation& explanation);

}  // namespace server
