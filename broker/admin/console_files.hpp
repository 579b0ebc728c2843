// The files of the web console, as answers (S-WEB-08). They need no token.
#pragma once

#include "broker/admin/response.hpp"

#include <optional>
#include <string_view>

namespace admin {

[[nodiscard]] std::optional<Response> find_console_file(std::string_view path);

}  // namespace admin
