// The calls that change queues: PUT and DELETE /api/v1/queues/{name}, .../purge, .../move, and
// DELETE /api/v1/durable-subscriptions/{user}/{client}/{name}.
#pragma once

#include "broker/admin/api.hpp"
#include "broker/admin/shards.hpp"

namespace admin {

/// Both outlive the calls.
void add_queue_calls(Api& api, const Shards& shards);

}  // namespace admin
