// Taking the JSON of a call apart: every member known, every type checked. Throws Refused (400)
// with a sentence that names the member.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace admin {

/// Views into a value that outlives it. `where` names it to the caller: `the body`, `messages[3]`.
class JsonInput {
public:
    /// Refuses what is no object, and members that are not `known`.
    JsonInput(
        const boost::json::value& value,
        std::string where,
        std::initializer_list<std::string_view> known
    );

    [[nodiscard]] bool has(std::string_view name) const { return object_->contains(name); }

    /// Refuses what is not there.
    [[nodiscard]] std::string text(std::string_view name) const;
    [[nodiscard]] std::optional<std::string> optional_text(std::string_view name) const;
    [[nodiscard]] std::optional<bool> optional_flag(std::string_view name) const;
    [[nodiscard]] std::optional<std::size_t> optional_number(
        std::string_view name, std::size_t least, std::size_t most
    ) const;
    /// The members of an object of texts; none if it is not there.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> texts(std::string_view name
    ) const;
    /// An array; empty if it is not there.
    [[nodiscard]] const boost::json::array& list(std::string_view name) const;

    [[nodiscard]] const std::string& where() const { return where_; }

private:
    [[nodiscard]] const boost::json::value* find(std::string_view name) const;
    [[noreturn]] void refuse(std::string_view name, std::string_view what) const;

    const boost::json::object* object_ = nullptr;
    std::string where_;
};

}  // namespace admin
