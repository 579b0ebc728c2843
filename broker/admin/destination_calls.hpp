// The calls that look at destinations: GET /api/v1/destinations, .../{name} and
// /api/v1/queues/{name}/messages.
#pragma once

#include "broker/admin/api.hpp"
#include "broker/admin/shards.hpp"

namespace admin {

/// Both outlive the calls.
void add_destination_calls(Api& api, const Shards& shards);

}  // namespace admin
