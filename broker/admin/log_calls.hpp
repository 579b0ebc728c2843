// The calls about the broker's own log: its level, its newest lines.
#pragma once

#include "broker/admin/api.hpp"

namespace admin {

/// GET /api/v1/logs, GET and PUT /api/v1/log-levels.
void add_log_calls(Api& api);

}  // namespace admin
