// The description of the admin API, as it was when the program was built:
// broker/admin/openapi.json. Constant.
#pragma once

#include <string>

namespace admin {

/// OpenAPI 3.0, JSON.
[[nodiscard]] const std::string& openapi_document();

}  // namespace admin
