#include "broker/server/admin_views.hpp"

#include "broker/server/alarms.hpp"

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
    const auto show = [&view](const char* name, AlarmKind kind, int level) {
        view.alarms.push_back({name, 2, std::string(alarm_text(kind, level))});
    };
    if (view.memory_alarm > 0) { show("memory", AlarmKind::memory, view.memory_alarm); }
    if (view.has_store_failed) {
        show("store", AlarmKind::store, 1);
    } else if (store.get() != nullptr && store.get()->state().is_disk_low) {
        show("disk", AlarmKind::disk, 1);
    }
    if (view.state == "draining") {
        view.alarms.push_back(
            {"draining", 1, "The broker is about to end: clients are told to leave."}
        );
    }
}

}  // namespace server
