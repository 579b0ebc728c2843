// GET /connections/{id}/trace: a connection's frames as they pass, as server-sent events (O-6).
#pragma once

#include "broker/admin/api.hpp"
#include "broker/admin/shards.hpp"

namespace admin {

/// `shards` outlives the calls.
void add_trace_calls(Api& api, const Shards& shards);

}  // namespace admin
