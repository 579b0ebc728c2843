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

std::vector<const transport::IoShard*> Running::all_shards() const {
    std::vector<const transport::IoShard*> all;
    for (const auto& shard : shards) {
        all.push_back(shard.get());
    }
    return all;
}

DrainPace DrainPace::ordinary(const Config& config) {
    return {
        config.drain_pre_stop_delay,
        config.transport.drain_spread,
        config.transport.drain_timeout,
        false};
}

DrainPace DrainPace::lame_duck(const Config& config) {
    const milliseconds spread = config.drain_lame_duck;
    return {config.drain_pre_stop_delay, spread, spread + config.transport.drain_timeout, true};
}

DrainPace DrainPace::hurried(const Config& config) {
    return {
        milliseconds(0),
        std::min(config.transport.drain_spread, hurried_spread),
        hurried_timeout,
        false};
}

Drain::Drain(
    Running& running, transport::Census& census, StoreKeeper& store, std::function<void()> stop
)
    : running_(running), census_(census), store_(store), stop_(std::move(stop)) {}

bool Drain::begin(const DrainPace& pace) {
    // Who waits at the door no more has no use for the delay.
    const milliseconds delay = has_closed_ ? milliseconds(0) : pace.delay;
    const engine::Instant deadline = first().now() + delay + pace.timeout;
    if (deadline >= deadline_) { return false; }
    deadline_ = deadline;
    ++pace_number_;
    first().after(std::max(delay, milliseconds(1)), [this, pace, number = pace_number_] {
        if (number != pace_number_) { return; }
        close_listeners();
        for (std::size_t i = 0; i < running_.shards.size(); ++i) {
            running_.shards[i]->post([this, i, pace] { leave(i, pace); });
        }
    });
    return true;
}

void Drain::close_listeners() {
    if (has_closed_) { return; }
    has_closed_ = true;
    for (const auto& listener : running_.listeners) {
        listener->stop();
    }
    await_connections();
}

// Connections leave one by one, in random order.
void Drain::leave(std::size_t index, const DrainPace& pace) {
    transport::IoShard& shard = *running_.shards[index];
    std::vector<std::weak_ptr<transport::Connection>> leaving;
    for (const auto& connection : running_.connections[index]->all()) {
        leaving.emplace_back(connection);
    }
    std::minstd_rand order = random_of(shard);
    std::shuffle(leaving.begin(), leaving.end(), order);
    const auto count = static_cast<std::int64_t>(std::max<std::size_t>(1, leaving.size()));
    const std::int64_t time = pace.fills_spread
                                  ? pace.spread.count()
                                  : std::min(pace.spread.count(), step.count() * count);
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
