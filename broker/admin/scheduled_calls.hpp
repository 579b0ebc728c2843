// The calls about delayed messages: GET /api/v1/scheduled, DELETE /api/v1/scheduled/{id}
// (P-QOS-03).
#pragma once

#include "broker/admin/api.hpp"
#include "broker/admin/shards.hpp"

namespace admin {

/// Both outlive the calls.
void add_scheduled_calls(Api& api, const Shards& shards);

}  // namespace admin
