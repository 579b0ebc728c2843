// What a key is (type, range, words) and how a written value reaches the field behind it.
// Knows nothing of TOML: values come as Raw from files, the environment and flags alike.
#pragma once

#include "broker/server/config.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace server {

enum class Unit : std::uint8_t {
    boolean,
    text,
    url,   ///< Shown without what its query may hold.
    file,  ///< A path, or `credential:NAME` (S-SEC-02).
    count,
    size,      ///< Octets.
    space,     ///< Octets or a share of the file system.
    duration,  ///< Milliseconds.
    percent,
    address,
    choice,
    list
};

/// Least and greatest value, in the unit's own measure.
struct Range {
    std::uint64_t min = 0;
    std::uint64_t max = 0;
};

/// One key of the configuration, as data.
struct Key {
    std::string_view section;
    std::string_view name;
    Unit unit = Unit::text;
    Range range;               ///< Of count, size, space, duration and percent.
    std::string_view word;     ///< Stands for "not set" or 0: `unlimited`, `auto`, `off`; or none.
    std::string_view choices;  ///< `a|b|c`, in the order of the enumeration.
    std::string_view summary;
    std::string_view none = {};  ///< Stands for 0 or nothing where `word` means "not set"; or none.

    /// `limits.frame`.
    [[nodiscard]] std::string full_name() const;

    /// `STAMPEDE_LIMITS__FRAME`.
    [[nodiscard]] std::string environment_name() const;
};

using Strings = std::vector<std::string>;

/// The field that a key fills.
using Target = std::variant<
    bool*,
    std::optional<bool>*,
    std::optional<int>*,
    std::optional<std::uint32_t>*,
    std::optional<std::uint64_t>*,
    std::optional<std::chrono::milliseconds>*,
    std::optional<std::string>*,
    std::optional<engine::Overflow>*,
    std::optional<Strings>*,
    std::uint32_t*,
    std::size_t*,
    std::chrono::milliseconds*,
    std::string*,
    Strings*,
    Address*,
    DiskFloor*,
    Durability*,
    OnFailure*,
    logging::Level*,
    logging::Format*,
    transport::ListenerKind*,
    tls::ClientCertificates*,
    engine::SlowConsumerAction*>;

/// A value as written. `Other` is one of a type that no key has (a table, a date, a float).
struct Other {};

using Raw = std::variant<Other, bool, std::int64_t, std::string, Strings>;

/// The text of an environment variable or flag as a Raw of the key's type, where it can be one.
[[nodiscard]] Raw raw_from_text(const Key& key, std::string_view text);

/// Puts `raw` into `target`, or returns the sentence that says what is wrong; then `target` is as
/// before.
[[nodiscard]] std::optional<std::string> assign(
    const Key& key, const Target& target, const Raw& raw
);

/// The value in `target` as one would write it in TOML.
[[nodiscard]] std::string format_value(const Key& key, const Target& target);

/// `1 to 64MiB`, `a, b or c`; empty if any value of the type will do.
[[nodiscard]] std::string format_range(const Key& key);

/// The number in `target`, in the unit's own measure; 0 if it is no number.
[[nodiscard]] std::uint64_t number_in(const Target& target);

/// `text` in TOML's double quotes.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace server
