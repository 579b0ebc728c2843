// What the admin API shows of the configuration, the store and what is wrong.
// Copies; no secret is in them, since LoadedConfig's values have none.
#pragma once

#include "broker/admin/broker_calls.hpp"
#include "broker/server/config.hpp"
#include "broker/server/store.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace server {

/// In the order in which they are asked.
[[nodiscard]] std::vector<admin::PolicyView> policy_views(const LoadedConfig& loaded);

[[nodiscard]] std::vector<admin::ConfigValue> config_views(const std::vector<EffectiveValue>& values
);

/// Fills in what the store knows.
void show_store(admin::ServerView& view, const StoreKeeper& store);

/// Adds an alarm if the certificate of `listener` expires within two weeks. Times in ms since 1970.
void show_certificate(
    admin::ServerView& view, const std::string& listener, std::int64_t expires, std::int64_t now
);

/// Fills in `alarms`, once all else is there.
void show_alarms(admin::ServerView& view, const StoreKeeper& store);

}  // namespace server
