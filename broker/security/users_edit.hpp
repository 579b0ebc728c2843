// Changes to the text of a users file that leave every other line as it is.
// Pure. Takes files with errors too, so that a bad line can be mended by setting its user anew.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace security {

struct EditedUsers {
    std::string text;
    bool was_there = false;  ///< The user had a line.
    /// Why nothing was changed: a clause with line numbers. The text is empty then.
    std::string error = {};
};

/// The text with this user's line replaced, or with a line for it at the end. Without `roles` it
/// keeps those that it has. Name, hash and roles must be without fault.
[[nodiscard]] EditedUsers with_user(
    std::string_view text,
    std::string_view name,
    std::string_view hash,
    const std::optional<std::vector<std::string>>& roles
);

/// The text without this user's line.
[[nodiscard]] EditedUsers without_user(std::string_view text, std::string_view name);

}  // namespace security
