// The query of an admin call: taken apart once, every value checked, what is unknown refused.
// Bounded by the request's head. Throws Refused.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace admin {

/// `text` without percent-encoding; nothing if that is malformed. `+` is a blank if `is_form`.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, bool is_form);

class Query {
public:
    /// Refuses malformed encoding, and a name that comes twice.
    explicit Query(std::string_view text);

    /// Call first: refuses (400) whatever is not among `known`.
    void allow(std::initializer_list<std::string_view> known) const;

    /// Empty if it is not given.
    [[nodiscard]] const std::string& text(std::string_view name) const;
    /// Refuses what is not a number from `least` to `most`.
    [[nodiscard]] std::size_t number(
        std::string_view name, std::size_t least, std::size_t most, std::size_t otherwise
    ) const;
    /// `true` or `false`; false if it is not given.
    [[nodiscard]] bool flag(std::string_view name) const;
    /// One of `choices`, the first if it is not given.
    [[nodiscard]] std::string choice(
        std::string_view name, const std::vector<std::string_view>& choices
    ) const;

private:
    std::map<std::string, std::string, std::less<>> values_;
};

/// Where a page of a sorted list begins and how long it is: `limit`, `cursor`.
struct Page {
    static constexpr std::size_t limit_default = 100;
    static constexpr std::size_t limit_max = 1000;
    static constexpr std::size_t offset_max = 1'000'000;

    explicit Page(const Query& query);

    std::size_t offset = 0;
    std::size_t limit = limit_default;

    [[nodiscard]] std::size_t end() const { return offset + limit; }

    /// Of the page behind this one, if there are `total` items.
    [[nodiscard]] std::optional<std::string> next(std::size_t total) const;
};

}  // namespace admin
