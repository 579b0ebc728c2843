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
    unsigned shards,
    std::uint64_t seed,
    WorkOrder order,
    const engine::RouterSettings& settings,
    engine::Instant start
)
    : shards_(shards, seed, order), settings_(settings) {
    shards_.set_now(start);
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
    if (settings_.store != nullptr) { start_store(); }
}

void TestBroker::start_store() {
    std::vector<storage::StoreListener*> listeners;
    for (auto& room : rooms_) {
        listeners.push_back(&room->router->store_listener());
    }
    auto found = settings_.store->take_recovered();
    settings_.store->start(std::move(listeners));
    shards_.on(0, [&] { router(0).restore(std::move(found)); });
    while (shards_.has_work()) {
        shards_.run_one();
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
        router(shard).end_turn();
        while (!turn.dirty.empty()) {
            engine::Outbox* const outbox = turn.dirty.front();
            turn.dirty.erase(turn.dirty.begin());
            outbox->clear_dirty();
            if (outbox->owner() != nullptr) { static_cast<TestClient*>(outbox->owner())->flush(); }
        }
        router(shard).end_turn();
    });
    turn.next_turn();
}

bool TestBroker::is_at_rest() const {
    const auto is_clean = [](const auto& room) { return room->output.dirty.empty(); };
    return !shards_.has_work() && std::all_of(rooms_.begin(), rooms_.end(), is_clean);
}

// Ends one more turn of each shard than there is output for: changes to be stored make none.
void TestBroker::settle() {
    bool is_over = false;
    for (std::size_t steps = 0; !is_over; ++steps) {
        if (steps > steps_max) { throw std::runtime_error("The broker never comes to rest."); }
        if (shards_.has_work()) {
            shards_.run_one();
            continue;
        }
        for (unsigned shard = 0; shard < shards_.size(); ++shard) {
            end_turn(shard);
        }
        is_over = is_at_rest() && !drive_store() && is_at_rest();
    }
}

/// False if there was nothing to do.
bool TestBroker::drive_store() {
    if (driven_ == nullptr) { return false; }
    std::size_t waiting = driven_->waiting_reads();
    for (unsigned shard = 0; shard < shards_.size(); ++shard) {
        waiting += driven_->waiting(shard);
    }
    driven_->commit_all();
    driven_->serve_reads();
    return waiting != 0;
}

void TestBroker::prepares_stop() {
    for (unsigned shard = 0; shard < shards_.size(); ++shard) {
        shards_.on(shard, [&] { router(shard).prepare_stop(); });
    }
    settle();
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
