#include "broker/transport/system_events.hpp"

#include "broker/log/record.hpp"

#include <utility>

namespace transport {

using protocol::SystemEvent;

namespace {

constexpr std::chrono::seconds summary_period{10};

logging::RateLimit::Time time_of(const IoShard& shard) {
    return logging::RateLimit::Time(shard.now());
}

std::string to_json(const IoShard& shard, logging::Fields fields) {
    std::string json = logging::to_object({{"at", shard.wall_clock_ms()}});
    std::string rest = logging::to_object(fields);
    if (rest.size() <= 2) { return json; }
    json.back() = ',';
    return json.append(rest, 1);
}

}  // namespace

// What flushes and fan-outs lead to is told from a turn of its own.
void SystemEvents::tell(
    const IoShard& here, SystemEvent event, std::string_view address, logging::Fields fields
) {
    first_.post([this,
                 event,
                 address = std::string(logging::without_port(address)),
                 json = to_json(here, fields)] { publish(event, address, json); });
}

void SystemEvents::publish(SystemEvent event, const std::string& address, const std::string& json) {
    logging::RateLimit& limit = limits_.at(static_cast<std::size_t>(event));
    if (address.empty() || limit.admit({}, address, time_of(first_))) {
        return first_.router().publish_event(event, json);
    }
    await_summaries();
}

void SystemEvents::await_summaries() {
    if (std::exchange(awaits_summaries_, true)) { return; }
    first_.after(summary_period, [this] { summarize(); });
}

void SystemEvents::summarize() {
    awaits_summaries_ = false;
    for (std::size_t i = 0; i < limits_.size(); ++i) {
        for (const logging::Summary& summary : limits_[i].take_summaries(time_of(first_))) {
            first_.router().publish_event(
                static_cast<SystemEvent>(i),
                to_json(first_, {{"address", summary.address}, {"suppressed", summary.suppressed}})
            );
        }
    }
}

}  // namespace transport
