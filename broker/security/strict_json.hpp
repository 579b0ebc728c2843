// JSON objects from strangers, read strictly: what other readers would understand differently is
// refused. Memory is bounded by the size of the text and by `JsonLimits`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace security {

class JsonReader;

/// A value, with its name if it is the member of an object.
class Json {
public:
    enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };

    Json() = default;

    [[nodiscard]] Kind kind() const { return kind_; }

    [[nodiscard]] const std::string& name() const { return name_; }

    /// The text of a string; null for anything else.
    [[nodiscard]] const std::string* string() const;

    /// A number written without fraction and exponent that fits; nothing for anything else.
    [[nodiscard]] std::optional<std::int64_t> integer() const;

    /// The elements of an array, the members of an object in the order of their names.
    [[nodiscard]] const std::vector<Json>& items() const { return items_; }

    /// The member of an object; null if there is none.
    [[nodiscard]] const Json* find(std::string_view name) const;

private:
    friend class JsonReader;

    Kind kind_ = Kind::null;
    std::int64_t integer_ = 0;
    std::string name_;
    std::string text_;
    std::vector<Json> items_;
};

struct JsonLimits {
    std::size_t octets_max;
    std::size_t depth_max = 8;
    std::size_t values_max = 16'384;
};

/// The object that `text` is, and nothing but it; nothing if it is no JSON object in UTF-8, is
/// beyond a limit, has two members of one name (after unescaping), or writes an ASCII character of
/// a name as `\uXXXX`, which hides the name from others.
[[nodiscard]] std::optional<Json> parse_strict_json(
    std::string_view text, const JsonLimits& limits
);

}  // namespace security
