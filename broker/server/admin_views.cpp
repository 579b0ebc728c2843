#include "broker/server/admin_views.hpp"

namespace server {

std::vector<admin::PolicyView> policy_views(const LoadedConfig& loaded) {
    std::vector<admin::PolicyView> views;
    for (std::size_t i = 0; i < loaded.policy_places.size(); ++i) {
        const PolicyPlace& place = loaded.policy_places[i];
        views.push_back(
            {place.name,
             loaded.config.policies.at(i).match,
             place.origin,
             config_views(place.settings)}
        );
    }
    return views;
}

std::vector<admin::ConfigValue> config_views(const std::vector<EffectiveValue>& values) {
    std::vector<admin::ConfigValue> views;
    for (const EffectiveValue& value : values) {
        views.push_back({value.key, value.value, value.origin});
    }
    return views;
}

void show_store(admin::ServerView& view, const StoreKeeper& store) {
    view.durability = store.durability();
    if (store.get() == nullptr) { return; }
    const storage::StoreState state = store.get()->state();
    view.disk_free = state.disk_free;
    view.store_bytes = state.size;
    view.has_store_failed = store.has_failed();
}

void show_certificate(
    admin::ServerView& view, const std::string& listener, std::int64_t expires, std::int64_t now
) {
    constexpr std::int64_t day = 24 * 60 * 60 * 1000;
    const std::int64_t days = (expires - now) / day;
    if (days >= 14) { return; }
    const bool is_over = expires <= now;
    view.alarms.push_back(
        {"certificate",
         is_over ? 2 : 1,
         "The certificate of " + listener +
             (is_over ? " has expired: clients refuse it."
                      : " expires in " + std::to_string(days) + " days.") +
             " Put a new one in its place: it is taken over at once."}
    );
}

void show_alarms(admin::ServerView& view, const StoreKeeper& store) {
    if (view.memory_alarm == 1) {
        view.alarms.push_back(
            {"memory",
             2,
             "Messages and output use much of limits.memory: publishers pause until consumers have "
             "caught up. Add consumers, purge queues or raise limits.memory."}
        );
    } else if (view.memory_alarm >= 2) {
        view.alarms.push_back(
            {"memory",
             2,
             "limits.memory is nearly used up: publishers pause and no new connection is taken. "
             "Add consumers, purge queues or raise limits.memory."}
        );
    }
    if (view.has_store_failed) {
        view.alarms.push_back(
            {"store",
             2,
             "The message store has failed: nothing durable is taken. The log says why; mend the "
             "disk and restart the broker."}
        );
    } else if (store.get() != nullptr && store.get()->state().is_disk_low) {
        view.alarms.push_back(
            {"disk",
             2,
             "Free space is below storage.disk_floor: no durable message is taken. Make room on "
             "the disk, or consume or purge stored queues."}
        );
    }
    if (view.state == "draining") {
        view.alarms.push_back(
            {"draining", 1, "The broker is about to end: clients are told to leave."}
        );
    }
}

}  // namespace server
