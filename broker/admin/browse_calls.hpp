// GET /api/v1/queues/{name}/messages: looking at messages, those that consumers hold first.
#pragma once

#include "broker/admin/api.hpp"
#include "broker/admin/shards.hpp"

namespace admin {

/// Both outlive the calls.
void add_browse_calls(Api& api, const Shards& shards);

}  // namespace admin
