#include "broker/server/drain.hpp"

#include "broker/log/log.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <utility>

namespace server {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds step{5};  // Few connections are drained faster than `drain.spread`.
constexpr milliseconds poll_interval{10};
constexpr milliseconds hurried_timeout{5000};
constexpr milliseconds hurried_spread{1000};

std::minstd_rand random_of(transport::IoShard& shard) {
    std::array<std::byte, 8> octets{};
    shard.random(octets);
    std::seed_seq seed(
        reinterpret_cast<const unsigned char*>(octets.data()),
        reinterpret_cast<const unsigned char*>(octets.data()) + octets.size()
    );
    return std::minstd_rand(seed);
}

}  // namespace

Drain::Drain(
    const transport::Options& options,
    Running& running,
    transport::Census& census,
    StoreKeeper& store,
    std::function<void()> stop
)
    : running_(running),
      census_(census),
      store_(store),
      stop_(std::move(stop)),
      spread_(options.drain_spread),
      timeout_(options.drain_timeout) {}

void Drain::begin() {
    if (has_begun_) { return; }
    has_begun_ = true;
    for (const auto& listener : running_.listeners) {
        listener->stop();
    }
    for (std::size_t i = 0; i < running_.shards.size(); ++i) {
        running_.shards[i]->post([this, i, spread = spread_] { leave(i, spread); });
    }
    deadline_ = std::min(deadline_, first().now() + timeout_);
    await_connections();
}

void Drain::hurry() {
    spread_ = std::min(spread_, hurried_spread);
    deadline_ = std::min(deadline_, first().now() + hurried_timeout);
    begin();
}

// Connections leave one by one, in random order, over `spread` at most.
void Drain::leave(std::size_t index, milliseconds spread) {
    transport::IoShard& shard = *running_.shards[index];
    std::vector<std::weak_ptr<transport::Connection>> leaving;
    for (const auto& connection : running_.connections[index]->all()) {
        leaving.emplace_back(connection);
    }
    std::minstd_rand order = random_of(shard);
    std::shuffle(leaving.begin(), leaving.end(), order);
    const auto count = static_cast<std::int64_t>(std::max<std::size_t>(1, leaving.size()));
    const std::int64_t time = std::min(spread.count(), step.count() * count);
    for (std::size_t i = 0; i < leaving.size(); ++i) {
        shard.after(
            milliseconds(time * static_cast<std::int64_t>(i) / count),
            [connection = leaving[i]] {
                if (const auto open = connection.lock()) { open->shut_down(); }
            }
        );
    }
}

void Drain::await_connections() {
    if (census_.connections() == 0) {
        logging::info("drained", "All connections have left.");
        return await_store();
    }
    if (is_late()) {
        logging::warn(
            "drain-timeout",
            "Some connections did not leave in time.",
            {{"connections", census_.connections()}}
        );
        return stop_();
    }
    first().after(poll_interval, [this] { await_connections(); });
}

// What the leaving of clients has changed is stored too, if the disk still answers.
void Drain::await_store() {
    if (store_.get() == nullptr || store_.has_failed() || is_late()) { return stop_(); }
    awaited_ = running_.shards.size();
    is_idle_ = true;
    for (const auto& shard : running_.shards) {
        shard->post([this, asked = shard.get(), is_first_question = !is_prepared_] {
            if (is_first_question) { asked->router().prepare_stop(); }
            const bool is_idle = asked->router().is_store_idle();
            first().post([this, is_idle] { on_answer(is_idle); });
        });
    }
    is_prepared_ = true;
}

void Drain::on_answer(bool is_idle) {
    is_idle_ = is_idle_ && is_idle;
    if (--awaited_ != 0) { return; }
    if (is_idle_) { return stop_(); }
    first().after(poll_interval, [this] { await_store(); });
}

}  // namespace server
