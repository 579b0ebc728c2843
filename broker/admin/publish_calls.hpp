// POST /api/v1/publish: messages without a STOMP client, one or many, all or none of them.
#pragma once

#include "broker/admin/api.hpp"
#include "broker/admin/shards.hpp"

#include <cstddef>

namespace admin {

/// `frame_max`: what a frame may have; a call's body may have a third more and some, since octets
/// that are no text come in Base64. The others outlive the calls.
void add_publish_calls(Api& api, const Shards& shards, std::size_t frame_max);

}  // namespace admin
