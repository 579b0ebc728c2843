#include "tests/support/test_broker.hpp"

#include "tests/support/test_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace support {

namespace {

constexpr std::size_t steps_max = 2'000'000;

}  // namespace

TestBroker::TestBroker(
    unsigned shards, std::uint64_t seed, WorkOrder order, const engine::RouterSettings& settings
)
    : shards_(shards, seed, order), settings_(settings) {
    std::vector<engine::Destinations*> routers;
    for (unsigned index = 0; index < shards; ++index) {
        auto room = std::make_unique<Room>();
        room->router =
            std::make_unique<engine::Destinations>(shards_[index], room->output, settings_);
        routers.push_back(room->router.get());
        rooms_.push_back(std::move(room));
    }
    for (auto& room : rooms_) {
        room->router->set_peers(routers);
    }
}

TestBroker::~TestBroker() {
    shards_.clear();
    for (unsigned index = 0; index < shards_.size(); ++index) {
        shards_.on(index, [&] { rooms_[index]->router.reset(); });
    }
}

void TestBroker::end_turn(unsigned shard) {
    engine::TurnOutput& turn = output(shard);
    shards_.on(shard, [&] {
        while (!turn.dirty.empty()) {
            engine::Outbox* const outbox = turn.dirty.front();
            turn.dirty.erase(turn.dirty.begin());
            outbox->clear_dirty();
            if (outbox->owner() != nullptr) { static_cast<TestClient*>(outbox->owner())->flush(); }
        }
    });
    turn.next_turn();
}

bool TestBroker::is_at_rest() const {
    const auto is_clean = [](const auto& room) { return room->output.dirty.empty(); };
    return !shards_.has_work() && std::all_of(rooms_.begin(), rooms_.end(), is_clean);
}

void TestBroker::settle() {
    for (std::size_t steps = 0; !is_at_rest(); ++steps) {
        if (steps > steps_max) { throw std::runtime_error("The broker never comes to rest."); }
        if (shards_.has_work()) {
            shards_.run_one();
            continue;
        }
        for (unsigned shard = 0; shard < shards_.size(); ++shard) {
            end_turn(shard);
        }
    }
}

void TestBroker::advance(std::chrono::milliseconds time) {
    settle();
    const engine::Instant deadline = shards_.now() + time;
    while (shards_.run_timer(deadline)) {
        settle();
    }
}

engine::Counters TestBroker::counters() const {
    engine::Counters sum;
    for (const auto& room : rooms_) {
        sum.add(room->output.counters);
    }
    return sum;
}

}  // namespace support
