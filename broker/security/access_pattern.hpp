// Where a rule holds: a name, or a pattern of names, of topics, queues, user and temporary
// destinations; `%u` and `%{claim}` stand for one level each (S-ACL-03, -04).
// Cut and matched by the router's own functions; at most as long as a destination may be.
#pragma once

#include "broker/engine/principal.hpp"
#include "protocol/destination.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace security {

/// A pattern without variables.
struct NamePattern {
    std::string space;  ///< As protocol::Destination has it: aliases are one.
    std::string key;
    protocol::Separator separator = protocol::Separator::both;
    bool is_wildcard = false;

    [[nodiscard]] bool matches(const protocol::Destination& destination) const;

    /// Matches everything that `pattern`, a wildcard, can match. False also where that is so but
    /// takes too long to show, or follows only from how `/` and `.` mix (S-ACL-07).
    [[nodiscard]] bool covers(const protocol::Pattern& pattern) const;

    /// The levels before the first wildcard; a name that it matches begins with them.
    [[nodiscard]] std::string_view literal_part() const;
};

/// Why a text is no pattern: a clause that quotes it and says how to mend it.
struct PatternFault {
    std::string text;
};

template <class T>
using OrFault = boost::system::result<T, PatternFault>;

/// What a variable stands for.
struct VariableSource {
    std::optional<std::string> claim;  ///< None: the user.
};

class AccessPattern {
public:
    /// As protocol::parse_pattern, with wildcards in queues, user and temporary destinations and
    /// under `/exchange/amq.direct/` too, and `/topic/$SYS.*`. Refuses names without a leading
    /// slash, other reserved names, reply addresses, wildcards that are part of a level or in the
    /// first one, and any `%` but `%u` and `%{claim}`, which must be a level each.
    [[nodiscard]] static OrFault<AccessPattern> parse(
        std::string_view text, const protocol::Limits& limits
    );

    [[nodiscard]] bool has_variables() const { return !variables_.empty(); }

    /// With its variables replaced by what they are for `principal`. Nothing if one has no value
    /// that can be a level: none, empty, with a separator, wildcard or control character, not
    /// UTF-8, or reserved (`$`). Who is anonymous has no `%u`.
    [[nodiscard]] std::optional<NamePattern> fill(const engine::Principal& principal) const;

private:
    /// The level of `pattern_` at `level` stands for what `source` says.
    struct Variable {
        std::size_t level;
        VariableSource source;
    };

    NamePattern pattern_;  ///< With marks for variables in its key.
    std::vector<Variable> variables_;
};

}  // namespace security
