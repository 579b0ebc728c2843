#include "tests/sim/simulation.hpp"

#include "tests/sim/actor.hpp"
#include "tests/sim/checker.hpp"
#include "tests/sim/parts.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>

namespace sim {

namespace {

using support::TestBroker;
using support::TestClient;
using support::WorkOrder;

constexpr std::chrono::milliseconds delay_max(200);

class Simulation {
public:
    Simulation(std::uint64_t seed, Sabotage sabotage);
    void run();

    [[nodiscard]] Report report();

private:
    void set_limits();
    void step();
    void look();
    void note_rest();
    void come_to_rest();
    void finish_clients();
    void do_harm();
    void drain();
    void drain_queue(TestClient& client, const std::string& queue);

    Checker checker_;
    TestBroker broker_;
    Scene scene_;
    Sabotage sabotage_;
    std::vector<std::unique_ptr<Actor>> actors_;
};

Simulation::Simulation(std::uint64_t seed, Sabotage sabotage)
    : broker_(static_cast<unsigned>(1 + seed % 3), seed, WorkOrder::random),
      scene_{Dice(seed), broker_, checker_, true, true, {}, {}, {}, 0, 0, 0},
      sabotage_(sabotage) {
    set_limits();
    scene_.queues = {"/queue/a", "/queue/b", "/queue/c"};
    scene_.topics = {"/topic/a.x", "/topic/a.y", "/topic/b"};
    scene_.patterns = {"/topic/a.x", "/topic/a.y", "/topic/b", "/topic/a.*", "/topic/#"};
}

void Simulation::set_limits() {
    engine::Limits& limits = broker_.limits();
    limits.outbound_ahead_max = 2000 + scene_.below(20'000);
    limits.outbound_bytes_max = 30'000 + scene_.below(60'000);
    limits.large_body = 500 + scene_.below(5000);
    limits.window_messages = 1 + scene_.below(40);
    limits.window_bytes = limits.outbound_bytes_max / 2;
    limits.transaction_idle = std::chrono::hours(100);
    const std::size_t kind = scene_.below(5);
    if (kind == 0) {
        // Queues run full; then nothing may depend on room in a dead-letter queue.
        limits.queue_messages_max = 5 + scene_.below(40);
        limits.delivery_limit = 1'000'000;
        scene_.rejects = false;
    } else if (kind == 1) {
        limits.ack_time = std::chrono::milliseconds(100 + scene_.below(400));
        limits.delivery_limit = 1'000'000;
        scene_.is_settling_sure = false;
    } else if (kind == 2) {
        limits.delivery_limit = static_cast<std::uint32_t>(2 + scene_.below(4));
    }
}

void Simulation::run() {
    const std::size_t steps = 500 + scene_.below(2000);
    for (std::size_t i = 0; i < steps; ++i) {
        step();
        look();
    }
    do_harm();
    finish_clients();
    actors_.clear();
    drain();
    checker_.finish();
}

// What a broken broker would do, done by a client that the checker does not know.
void Simulation::do_harm() {
    if (sabotage_ == Sabotage::none) { return; }
    TestClient stranger(broker_);
    stranger.connects();
    for (const std::string& queue : scene_.queues) {
        if (sabotage_ == Sabotage::eats) {
            stranger.sends(support::subscribe(queue, queue).header("x-priority", "9"));
        }
    }
    for (MessageNumber number = 0; number < checker_.size(); ++number) {
        const Published& message = checker_.message(number);
        const bool is_repeated = sabotage_ == Sabotage::repeats && message.is_seen &&
                                 message.is_queue && number % 7 == 0;
        if (is_repeated) {
            stranger.sends(support::send(message.destination, std::to_string(number) + ";"));
        }
    }
    look();
}

void Simulation::step() {
    if (wants_member(actors_, scene_, 7)) { actors_.push_back(std::make_unique<Actor>(scene_)); }
    const std::size_t choice = scene_.below(100);
    if (choice < 45) { return actors_[scene_.below(actors_.size())]->act(); }
    if (choice < 75 && broker_.shards().has_work()) { return broker_.shards().run_one(); }
    if (choice < 95) {
        return broker_.end_turn(static_cast<unsigned>(scene_.below(broker_.shards().size())));
    }
    if (choice < 97) {
        const auto deadline = broker_.shards().now() + engine::Instant(scene_.below(50));
        while (broker_.shards().run_timer(deadline)) {}
        return;
    }
    broker_.settle();
    note_rest();
}

void Simulation::look() {
    for (const auto& actor : actors_) {
        actor->observe();
    }
    for (const auto& actor : actors_) {
        actor->receive();
    }
}

// Order in queues is checked again only when nothing of a disturbance is under way.
void Simulation::note_rest() {
    look();
    const bool is_quiet = std::all_of(actors_.begin(), actors_.end(), [](const auto& actor) {
        return actor->is_quiet();
    });
    if (is_quiet && broker_.is_at_rest()) { checker_.rests(); }
}

void Simulation::come_to_rest() {
    broker_.settle();
    look();
}

void Simulation::finish_clients() {
    for (const auto& actor : actors_) {
        actor->abort_all();
        actor->write_all();
        actor->read_all();
    }
    come_to_rest();
    broker_.advance(delay_max * 2);
    look();
    for (bool is_busy = true; is_busy;) {
        is_busy = false;
        for (const auto& actor : actors_) {
            is_busy = actor->settle_all() || is_busy;
        }
        come_to_rest();
    }
    for (const auto& actor : actors_) {
        actor->account();
    }
    for (const auto& actor : actors_) {
        actor->leave();
    }
    come_to_rest();
}

void Simulation::drain() {
    broker_.settle();
    broker_.advance(delay_max * 2);
    TestClient client(broker_);
    client.connects();
    for (const std::string& queue : scene_.queues) {
        drain_queue(client, queue);
        drain_queue(client, "/queue/DLQ." + queue.substr(7));
    }
}

void Simulation::drain_queue(TestClient& client, const std::string& queue) {
    const auto take = [this](const support::Received& frame) {
        checker_.drained(std::stoull("0" + frame.body));
    };
    const std::string other =
        sim::drain(client, support::subscribe(queue, queue, "client-individual"), take);
    if (!other.empty()) { checker_.fails(other); }
}

Report Simulation::report() {
    const engine::Counters counters = broker_.counters();
    return {
        checker_.violations(),
        checker_.size(),
        counters.messages_delivered(),
        std::accumulate(counters.refusals.begin(), counters.refusals.end(), std::uint64_t{0})};
}

}  // namespace

Report simulate(std::uint64_t seed, Sabotage sabotage) {
    return report_of<Simulation>(seed, sabotage);
}

}  // namespace sim
