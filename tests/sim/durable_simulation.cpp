#include "tests/sim/durable_simulation.hpp"

#include "tests/sim/durable_actor.hpp"
#include "tests/sim/parts.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace sim {

namespace {

using support::TestBroker;
using support::TestClient;
using support::WorkOrder;

constexpr std::chrono::milliseconds delay_max(100);

class DurableSimulation {
public:
    DurableSimulation(std::uint64_t seed, Fault fault);
    ~DurableSimulation();
    DurableSimulation(const DurableSimulation&) = delete;
    DurableSimulation& operator=(const DurableSimulation&) = delete;

    void run();
    [[nodiscard]] DurableReport report();

private:
    void set_limits();
    void make_places();
    void launch();
    void crash();
    void stop();
    void replace_broker();
    void step();
    void step_store();
    void look();
    void note_rest();
    void come_to_rest();
    void finish_clients();
    void drain();
    void drain_from(TestClient& client, std::size_t place, const support::Outgoing& subscribe);

    DurableScene scene_;
    const std::uint64_t seed_;
    const std::size_t commits_;  ///< Steps of the store among a thousand.
    engine::RouterSettings settings_;
    std::unique_ptr<DoctoredStore> store_;
    std::unique_ptr<TestBroker> broker_;
    std::vector<std::unique_ptr<DurableActor>> actors_;
    DurableReport report_;
};

DurableSimulation::DurableSimulation(std::uint64_t seed, Fault fault)
    : scene_{Dice(seed), {}, {}, {}},
      seed_(seed),
      commits_(5 + scene_.below(95)),
      store_(std::make_unique<DoctoredStore>(fault, std::make_unique<storage::MemoryStore>())) {
    set_limits();
    scene_.places = {
        {"/queue/a", "/queue/a", true, {"/queue/a"}},
        {"/queue/b", "/queue/b", true, {"/queue/b"}},
        {"/queue/c", "/queue/c", true, {"/queue/c"}},
        {"exact", "/topic/a.x", false, {"/topic/a.x"}},
        {"wild", "/topic/a.*", false, {"/topic/a.x", "/topic/a.y"}},
        {"all", "/topic/#", false, {"/topic/a.x", "/topic/a.y", "/topic/b"}}};
    scene_.destinations = {
        "/queue/a", "/queue/a", "/queue/b", "/queue/c", "/topic/a.x", "/topic/a.y", "/topic/b"};
    launch();
    make_places();
}

DurableSimulation::~DurableSimulation() {
    actors_.clear();
}

void DurableSimulation::set_limits() {
    engine::Limits& limits = settings_.limits;
    limits.queue_memory_bytes = 200 + scene_.below(scene_.chance(50) ? 3000 : 100'000);
    limits.window_messages = 1 + scene_.below(40);
    limits.outbound_ahead_max = 2000 + scene_.below(20'000);
    limits.large_body = 50 + scene_.below(500);
    limits.transaction_idle = std::chrono::hours(100);
    limits.delivery_limit = 1'000'000;
    limits.idle_topics_max = 1 + scene_.below(4);
    // Queues that nobody uses leave the store and come back.
    if (scene_.chance(40)) {
        limits.unused_destination_life = std::chrono::milliseconds(5 + scene_.below(60));
    }
    if (scene_.chance(15)) {
        // What was seen early may be lost with a crash: a transaction in part.
        limits.early_delivery = true;
        scene_.has_transactions = false;
    }
}

void DurableSimulation::launch() {
    settings_.store = store_.get();
    broker_ = std::make_unique<TestBroker>(
        static_cast<unsigned>(1 + (seed_ + report_.crashes / 3) % 3),
        seed_ + report_.crashes + report_.stops,
        WorkOrder::random,
        settings_
    );
}

// Durable subscriptions keep from the beginning on.
void DurableSimulation::make_places() {
    broker_->drives(&store_->real());
    TestClient client(*broker_);
    client.connects();
    for (const Place& place : scene_.places) {
        if (place.is_queue) { continue; }
        client.sends(subscribe_to(place, place.name, "auto").receipt("s"));
        if (client.received().empty() || client.take().command != protocol::Command::receipt) {
            scene_.checker.fails("a durable subscription was not made");
        }
    }
    client.drops();
    broker_->drives(nullptr);
}

void DurableSimulation::run() {
    const std::size_t steps = 300 + scene_.below(1500);
    for (std::size_t i = 0; i < steps; ++i) {
        step();
        look();
    }
    finish_clients();
    scene_.chance(50) ? crash() : stop();
    drain();
    scene_.checker.finish();
}

void DurableSimulation::step() {
    const auto living = std::count_if(actors_.begin(), actors_.end(), [](const auto& actor) {
        return !actor->is_gone();
    });
    if (living < 2 || (living < 6 && scene_.chance(2))) {
        actors_.push_back(std::make_unique<DurableActor>(scene_, *broker_));
    }
    const std::size_t choice = scene_.below(1000);
    if (choice < 450) {
        DurableActor& actor = *actors_[scene_.below(actors_.size())];
        for (std::size_t acts = 1 + scene_.below(3); acts > 0; --acts) {
            actor.act();
        }
        return;
    }
    if (choice < 700 && broker_->shards().has_work()) { return broker_->shards().run_one(); }
    if (choice < 860) {
        return broker_->end_turn(static_cast<unsigned>(scene_.below(broker_->shards().size())));
    }
    // Slow stores have more to lose.
    if (choice < 860 + commits_) { return step_store(); }
    if (choice < 960) { return; }
    if (choice < 970) {
        const auto deadline = broker_->shards().now() + engine::Instant(scene_.below(50));
        while (broker_->shards().run_timer(deadline)) {}
        return;
    }
    if (choice < 990) {
        broker_->settle();
        return note_rest();
    }
    if (choice < 992) { return store_->real().set_disk_low(scene_.chance(15)); }
    if (choice < 996) { return crash(); }
    if (choice < 997) { return stop(); }
    come_to_rest();
    note_rest();
}

void DurableSimulation::step_store() {
    storage::MemoryStore& store = store_->real();
    if (scene_.chance(30)) { store.serve_reads(); }
    const auto shard = static_cast<unsigned>(scene_.below(broker_->shards().size()));
    (void)store.commit(shard, 1 + scene_.below(3));
}

void DurableSimulation::look() {
    for (const auto& actor : actors_) {
        actor->observe();
    }
    for (const auto& actor : actors_) {
        actor->receive();
    }
}

// Order is checked again only when nothing of a disturbance is under way.
void DurableSimulation::note_rest() {
    look();
    const bool is_quiet = std::all_of(actors_.begin(), actors_.end(), [](const auto& actor) {
        return actor->is_quiet();
    });
    if (is_quiet && broker_->is_at_rest()) { scene_.checker.rests(); }
}

void DurableSimulation::come_to_rest() {
    broker_->drives(&store_->real());
    broker_->settle();
    broker_->drives(nullptr);
    look();
}

// What clients have received so far they have looked at; the rest never was.
void DurableSimulation::crash() {
    ++report_.crashes;
    auto survivor = store_->crash();
    actors_.clear();
    replace_broker();
    store_ = std::move(survivor);
    launch();
}

void DurableSimulation::stop() {
    ++report_.stops;
    for (const auto& actor : actors_) {
        actor->leave();
    }
    come_to_rest();
    actors_.clear();
    broker_->drives(&store_->real());
    broker_->prepares_stop();
    if (!store_->close()) { scene_.checker.fails("the store was not closed well"); }
    auto survivor = store_->crash();
    replace_broker();
    store_ = std::move(survivor);
    launch();
}

void DurableSimulation::replace_broker() {
    report_.redelivered += broker_->counters().messages_redelivered;
    broker_.reset();
    for (const Place& place : scene_.places) {
        disturb_order(scene_.checker, place);
    }
    scene_.checker.restarted();
}

void DurableSimulation::finish_clients() {
    store_->real().set_disk_low(false);
    come_to_rest();
    for (const auto& actor : actors_) {
        actor->finish_writing();
    }
    come_to_rest();
    broker_->advance(delay_max * 2);
    come_to_rest();
    for (const auto& actor : actors_) {
        actor->account();
    }
}

void DurableSimulation::drain() {
    broker_->drives(&store_->real());
    TestClient client(*broker_);
    client.connects();
    for (std::size_t i = 0; i < scene_.places.size(); ++i) {
        const Place& place = scene_.places[i];
        drain_from(client, i, subscribe_to(place, place.name, "client-individual"));
        if (!place.is_queue) { continue; }
        const std::string dead = "/queue/DLQ." + place.name.substr(7);
        drain_from(client, i, support::subscribe(dead, dead, "client-individual"));
    }
}

void DurableSimulation::drain_from(
    TestClient& client, std::size_t place, const support::Outgoing& subscribe
) {
    const unsigned subscription = ++scene_.last_subscription;
    const auto take = [&](const support::Received& frame) {
        const auto number = opened_body(frame.body);
        if (!number) { return scene_.checker.fails("draining: " + frame.describe()); }
        const MessageNumber copy = scene_.copies[*number].at(place);
        // A letter is a message of its own: delivered for the first time.
        const bool is_marked = frame.find("redelivered") || frame.find("x-death-queue");
        scene_.checker.received(copy, subscription, is_marked ? 1'000'000 : 1, false);
        scene_.checker.drained(copy);
        ++report_.drained;
    };
    const std::string other = sim::drain(client, subscribe, take);
    if (!other.empty()) { scene_.checker.fails(other); }
}

DurableReport DurableSimulation::report() {
    report_.violations = scene_.checker.violations();
    report_.messages = scene_.checker.size();
    report_.confirmed = scene_.confirmed;
    report_.refused = scene_.refused;
    return report_;
}

}  // namespace

DurableReport simulate_durably(std::uint64_t seed, Fault fault) {
    return report_of<DurableSimulation>(seed, fault);
}

}  // namespace sim
