// GET and POST /api/v1/definitions: queues that were declared, and durable subscriptions, to be
// made elsewhere: all of them or none.
#pragma once

#include "broker/admin/api.hpp"
#include "broker/admin/shards.hpp"

namespace admin {

/// Both outlive the calls.
void add_definition_calls(Api& api, const Shards& shards);

}  // namespace admin
