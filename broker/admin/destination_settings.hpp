// What is in force for one destination, by the keys of policies.
// Texts as a policy would say them.
#pragma once

#include "broker/engine/policy.hpp"
#include "broker/engine/queue_settings.hpp"

#include <boost/json/object.hpp>

namespace admin {

[[nodiscard]] boost::json::object settings_of_queue(const engine::QueueSettings& settings);
/// `policy` may be null. `is_durable`: the topic keeps a history in the store.
[[nodiscard]] boost::json::object settings_of_topic(const engine::Policy* policy, bool is_durable);

}  // namespace admin
