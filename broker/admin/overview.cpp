#include "broker/admin/overview.hpp"

#include "broker/admin/rounded.hpp"
#include "broker/admin/time_text.hpp"
#include "broker/engine/session.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <unistd.h>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Clock = std::chrono::steady_clock;

ShardView look_at(const transport::Post& post, Clock::time_point asked_at) {
    ShardView view;
    view.answered_ms = std::chrono::duration<double, std::milli>(Clock::now() - asked_at).count();
    engine::Destinations& router = post.shard->router();
    view.connections = post.connections->all().size();
    view.queues = router.queue_count();
    view.topics = router.topic_count();
    view.memory_bytes = engine::accounted_bytes();
    router.for_each_queue([&view](const engine::Queue& queue) {
        view.waiting += queue.waiting();
        view.unacked += queue.depth() - std::min(queue.depth(), queue.waiting());
    });
    for (const auto& connection : post.connections->all()) {
        ++view.by_listener[connection->listener()];
        view.subscriptions += connection->session().subscription_count();
    }
    return view;
}

template <class T>
T sum(const std::vector<ShardView>& shards, T ShardView::*figure) {
    T total = 0;
    for (const ShardView& shard : shards) {
        total += shard.*figure;
    }
    return total;
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

json::object rates_json(const Sample& sample) {
    return {
        {"published", rounded(sample.published)},
        {"delivered", rounded(sample.delivered)},
        {"acked", rounded(sample.acked)},
        {"received_bytes", rounded(sample.received_bytes)},
        {"sent_bytes", rounded(sample.sent_bytes)}};
}

json::array alarms_json(const std::vector<Alarm>& alarms) {
    json::array items;
    for (const Alarm& alarm : alarms) {
        items.push_back(json::object{
            {"kind", alarm.kind}, {"level", alarm.level}, {"text", alarm.text}});
    }
    return items;
}

json::array listeners_json(
    const std::vector<ListenerView>& listeners, const std::vector<ShardView>& shards
) {
    json::array items;
    for (const ListenerView& listener : listeners) {
        std::size_t connections = 0;
        for (const ShardView& shard : shards) {
            const auto found = shard.by_listener.find(listener.name);
            if (found != shard.by_listener.end()) { connections += found->second; }
        }
        items.push_back(json::object{
            {"name", listener.name},
            {"kind", listener.is_web_socket ? "web_socket" : "tcp"},
            {"url", listener.url},
            {"tls", listener.is_tls},
            {"connections", connections}});
    }
    return items;
}

json::array shards_json(const std::vector<ShardView>& shards) {
    json::array items;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        const ShardView& shard = shards[i];
        items.push_back(json::object{
            {"index", i},
            {"connections", shard.connections},
            {"queues", shard.queues},
            {"topics", shard.topics},
            {"memory_bytes", shard.memory_bytes},
            {"answered_ms", rounded(shard.answered_ms)}});
    }
    return items;
}

json::object memory_json(const ServerView& server, const std::vector<ShardView>& shards) {
    const std::int64_t used = sum(shards, &ShardView::memory_bytes);
    return {
        {"used_bytes", std::max<std::int64_t>(0, used)},
        {"limit_bytes", server.memory_limit},
        {"alarm", server.memory_alarm},
        {"resident_bytes", resident_bytes()}};
}

}  // namespace

asio::awaitable<std::vector<ShardView>> ask_shards(const Shards& shards) {
    return shards.ask_all([asked_at = Clock::now()](const transport::Post& post) {
        return look_at(post, asked_at);
    });
}

json::object overview_json(
    const ServerView& server, const Sampler& sampler, const std::vector<ShardView>& shards
) {
    const std::chrono::duration<double> uptime =
        Clock::now().time_since_epoch() - server.started_at;
    return {
        {"version", STAMPEDE_VERSION},
        {"commit", STAMPEDE_COMMIT},
        {"node", host_name()},
        {"state", server.state},
        {"started", time_text(server.started_at)},
        {"uptime_seconds", rounded(uptime.count())},
        {"durability", server.durability},
        {"connections", server.connections},
        {"connections_unauthenticated", server.unauthenticated},
        {"subscriptions", sum(shards, &ShardView::subscriptions)},
        {"queues", sum(shards, &ShardView::queues)},
        {"topics", sum(shards, &ShardView::topics)},
        {"queue_messages", sum(shards, &ShardView::waiting)},
        {"queue_unacked", sum(shards, &ShardView::unacked)},
        {"totals", to_json(sampler.totals())},
        {"rates", rates_json(sampler.latest())},
        {"memory", memory_json(server, shards)},
        {"disk",
         json::object{
             {"free_bytes", server.disk_free},
             {"store_bytes", server.store_bytes},
             {"failed", server.has_store_failed}}},
        {"alarms", alarms_json(server.alarms)},
        {"listeners", listeners_json(server.listeners, shards)},
        {"shards", shards_json(shards)}};
}

}  // namespace admin
