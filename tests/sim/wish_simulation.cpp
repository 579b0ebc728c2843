#include "tests/sim/wish_simulation.hpp"

#include "tests/sim/parts.hpp"
#include "tests/sim/wish_checker.hpp"
#include "tests/support/test_client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace sim {

namespace {

using protocol::Command;
using support::Outgoing;
using support::Received;
using support::TestBroker;
using support::TestClient;
using support::WorkOrder;

constexpr std::size_t bound = 8;
constexpr std::array<const char*, 5> queues = {
    "/queue/plain", "/queue/ranked", "/queue/groups", "/queue/bounded", "/queue/once"};
constexpr const char* history_topic = "/topic/history";
constexpr const char* count_topic = "/topic/count";

class WishSimulation;

// One connection with some subscriptions; reads all that comes.
class Wisher {
public:
    Wisher(WishSimulation& run, unsigned number);

    void act();
    void receive();
    void leave();
    void settle_all();
    void end();

    [[nodiscard]] bool is_gone() const { return !client_->is_open(); }

private:
    struct Held {
        WishChecker::Number number = 0;
        std::string token;
    };

    struct Reading {
        unsigned who = 0;
        std::string destination;
        bool is_automatic = false;
        std::vector<Held> held;  ///< Oldest first.
    };

    void write(const Outgoing& frame);
    void send_to_queue();
    void send_to_topic();
    void subscribe_queue();
    void subscribe_topic();
    void settle_some();
    void settle(Reading& reading, std::size_t index, bool is_ack);
    void take_message(const Received& frame);

    WishSimulation& run_;
    const unsigned number_;
    std::unique_ptr<TestClient> client_;
    std::map<std::string, Reading> readings_;
    std::map<std::string, WishChecker::Number> awaited_;
    unsigned last_id_ = 0;
};

class WishSimulation : public Dice {
public:
    explicit WishSimulation(std::uint64_t seed);
    void run();
    [[nodiscard]] WishReport report();

    [[nodiscard]] std::int64_t now() {
        return static_cast<std::int64_t>(broker_.shards()[0].wall_clock_ms());
    }

    void look();

    TestBroker broker_;
    WishChecker checker_;
    unsigned last_subscriber_ = 0;
    std::uint64_t last_count_ = 0;
    std::uint64_t last_offset_ = 0;
    std::uint64_t replayed_ = 0;
    std::uint64_t retained_ = 0;

private:
    void set_policies();
    void step();
    void advance();
    void drain();
    void drain_queue(TestClient& client, const std::string& queue);

    std::vector<std::unique_ptr<Wisher>> wishers_;
};

Wisher::Wisher(WishSimulation& run, unsigned number)
    : run_(run), number_(number), client_(std::make_unique<TestClient>(run.broker_)) {
    client_->connects();
}

void Wisher::write(const Outgoing& frame) {
    client_->writes(frame.encoded(protocol::Version::v1_2));
}

void Wisher::act() {
    if (is_gone()) { return; }
    const std::size_t choice = run_.below(100);
    if (choice < 45) { return send_to_queue(); }
    if (choice < 60) { return send_to_topic(); }
    if (choice < 72 && readings_.size() < 4) {
        return run_.chance(60) ? subscribe_queue() : subscribe_topic();
    }
    if (choice < 97) { return settle_some(); }
    leave();
}

void Wisher::send_to_queue() {
    Wish wish;
    wish.publisher = number_;
    wish.destination = queues[run_.below(queues.size())];
    Outgoing frame = support::send(wish.destination);
    wish.kind = run_.chance(50) ? "red" : "blue";
    frame.header("kind", wish.kind);
    if (wish.destination == "/queue/ranked") {
        wish.priority = static_cast<int>(run_.below(7));
        frame.header("priority", std::to_string(wish.priority));
        wish.priority = std::min(wish.priority, 5);
    } else if (wish.destination == "/queue/groups" && run_.chance(80)) {
        wish.group = "g" + std::to_string(run_.below(3));
        frame.header("JMSXGroupID", wish.group);
    } else if (wish.destination == "/queue/bounded") {
        wish.is_droppable = true;
    } else if (wish.destination == "/queue/once") {
        wish.dedup_id = std::to_string(run_.below(20));
        frame.header("dedup-id", wish.dedup_id);
    }
    const bool is_timed = wish.dedup_id.empty() && wish.group.empty();
    if (is_timed && run_.chance(20)) {
        const auto ttl = static_cast<std::int64_t>(20 + run_.below(300));
        wish.expires = run_.now() + ttl;
        frame.header("expiration", std::to_string(ttl));
    } else if (is_timed && run_.chance(15)) {
        const auto delay = static_cast<std::int64_t>(20 + run_.below(200));
        wish.due = run_.now() + delay;
        frame.header("x-delay", std::to_string(delay));
    }
    const auto number = run_.checker_.sent(wish);
    const std::string id = "r" + std::to_string(number);
    awaited_[id] = number;
    write(frame.body(std::to_string(number)).receipt(id));
}

void Wisher::send_to_topic() {
    if (run_.chance(50)) {
        Wish wish;
        wish.publisher = number_;
        wish.destination = history_topic;
        wish.is_droppable = true;
        const auto number = run_.checker_.sent(wish);
        return write(support::send(history_topic, std::to_string(number)));
    }
    // One publisher counts.
    if (number_ != 0) { return; }
    write(support::send(count_topic, std::to_string(++run_.last_count_)).header("retain", "set"));
}

void Wisher::subscribe_queue() {
    const std::string id = std::to_string(++last_id_);
    const std::string queue = queues[run_.below(queues.size())];
    Reading reading{++run_.last_subscriber_, queue, run_.chance(25), {}};
    Outgoing frame =
        support::subscribe(id, queue, reading.is_automatic ? "auto" : "client-individual");
    std::string kind;
    // Who holds a group and who selects a message may be two.
    if (queue != "/queue/groups" && run_.chance(40)) {
        kind = run_.chance(50) ? "red" : "blue";
        const bool is_simple = run_.chance(50);
        frame.header("selector", is_simple ? "kind = '" + kind + "'" : "kind IN ('" + kind + "')");
    }
    if (run_.chance(30)) { frame.header("prefetch-count", std::to_string(1 + run_.below(3))); }
    run_.checker_.subscribed(reading.who, kind);
    readings_.emplace(id, std::move(reading));
    write(frame);
}

void Wisher::subscribe_topic() {
    const std::string id = std::to_string(++last_id_);
    const bool is_history = run_.chance(50);
    Reading reading{++run_.last_subscriber_, is_history ? history_topic : count_topic, true, {}};
    Outgoing frame = support::subscribe(id, reading.destination);
    if (is_history) {
        const std::array<std::string, 4> starts = {
            "first", "last", "next", "offset=" + std::to_string(run_.below(60))};
        frame.header("x-stream-offset", starts[run_.below(starts.size())]);
    } else if (run_.chance(30)) {
        frame = support::subscribe(id, "/topic/count/#");
    }
    readings_.emplace(id, std::move(reading));
    write(frame);
}

void Wisher::settle(Reading& reading, std::size_t index, bool is_ack) {
    const Held held = reading.held[index];
    reading.held.erase(reading.held.begin() + static_cast<std::ptrdiff_t>(index));
    if (is_ack) {
        run_.checker_.settled(held.number, reading.who);
        return write(support::ack(held.token));
    }
    run_.checker_.returned(held.number, reading.who);
    Outgoing frame = support::nack(held.token);
    if (run_.chance(30)) { frame.header("delay", std::to_string(1 + run_.below(60))); }
    write(frame);
}

void Wisher::settle_some() {
    for (auto& [id, reading] : readings_) {
        while (!reading.held.empty() && run_.chance(70)) {
            settle(reading, run_.below(reading.held.size()), run_.chance(80));
        }
    }
}

void Wisher::settle_all() {
    for (auto& [id, reading] : readings_) {
        while (!is_gone() && !reading.held.empty()) {
            settle(reading, 0, true);
        }
    }
}

void Wisher::take_message(const Received& frame) {
    const auto found = readings_.find(frame.value("subscription"));
    if (found == readings_.end()) {
        return run_.checker_.fails("not subscribed: " + frame.describe());
    }
    Reading& reading = found->second;
    const std::uint64_t number = std::stoull("0" + frame.body);
    if (reading.destination == count_topic) {
        const bool is_retained = frame.find("retained").has_value();
        run_.retained_ += is_retained ? 1U : 0U;
        return run_.checker_.counted(reading.who, number, is_retained);
    }
    if (reading.destination == history_topic) {
        const std::uint64_t offset = std::stoull("0" + frame.value("x-stream-offset"));
        run_.last_offset_ = std::max(run_.last_offset_, offset);
        ++run_.replayed_;
        return run_.checker_.replayed(reading.who, offset, number);
    }
    run_.checker_.received(number, reading.who, run_.now());
    if (reading.is_automatic) { return run_.checker_.settled(number, reading.who); }
    reading.held.push_back({number, frame.token()});
}

void Wisher::receive() {
    while (!client_->received().empty()) {
        const Received frame = client_->take();
        if (frame.command == Command::receipt) {
            const auto found = awaited_.find(frame.value("receipt-id"));
            if (found != awaited_.end()) { run_.checker_.accepted(found->second); }
        } else if (frame.command == Command::message) {
            take_message(frame);
        } else {
            run_.checker_.fails(frame.describe());
        }
    }
}

void Wisher::leave() {
    if (is_gone()) { return; }
    // What was written must not be cut off: its effect would be unknown.
    run_.broker_.settle();
    run_.look();
    for (const auto& [id, reading] : readings_) {
        run_.checker_.left(reading.who);
    }
    readings_.clear();
    client_->vanishes();
}

void Wisher::end() {
    if (is_gone()) { return; }
    for (const auto& [id, reading] : readings_) {
        if (reading.destination == history_topic) {
            run_.checker_.replay_ended(reading.who, run_.last_offset_);
        } else if (reading.destination == count_topic) {
            run_.checker_.count_ended(reading.who, run_.last_count_);
        }
    }
}

WishSimulation::WishSimulation(std::uint64_t seed)
    : Dice(seed), broker_(static_cast<unsigned>(1 + seed % 3), seed, WorkOrder::random) {
    set_policies();
}

void WishSimulation::set_policies() {
    const auto policy = [this](const std::string& match) -> engine::Policy& {
        broker_.policies().push_back({match, {}, {}, {}, {}});
        return broker_.policies().back();
    };
    policy("/queue/ranked").queue.priority_max = 5;
    engine::QueuePolicy& bounded = policy("/queue/bounded").queue;
    bounded.messages_max = bound;
    bounded.overflow = engine::Overflow::drop_head;
    policy(history_topic).history.messages = 1000;
    broker_.limits().delivery_limit = 1'000'000;
    broker_.limits().window_messages = 1 + below(20);
}

void WishSimulation::run() {
    const std::size_t steps = 300 + below(700);
    for (std::size_t i = 0; i < steps; ++i) {
        step();
        look();
    }
    broker_.settle();
    look();
    for (bool is_busy = true; is_busy;) {
        const std::uint64_t before = broker_.counters().messages_delivered();
        for (const auto& wisher : wishers_) {
            wisher->settle_all();
        }
        broker_.settle();
        look();
        is_busy = broker_.counters().messages_delivered() != before;
    }
    for (const auto& wisher : wishers_) {
        wisher->end();
    }
    for (const auto& wisher : wishers_) {
        wisher->leave();
    }
    drain();
    checker_.finish(now());
    wishers_.clear();
}

void WishSimulation::step() {
    if (wants_member(wishers_, *this, 6)) {
        wishers_.push_back(std::make_unique<Wisher>(*this, static_cast<unsigned>(wishers_.size())));
    }
    const std::size_t choice = below(100);
    if (choice < 50) { return wishers_[below(wishers_.size())]->act(); }
    if (choice < 75 && broker_.shards().has_work()) { return broker_.shards().run_one(); }
    if (choice < 95) {
        return broker_.end_turn(static_cast<unsigned>(below(broker_.shards().size())));
    }
    advance();
}

// Time passes only when nothing is on its way: what comes is what the broker let go at that time.
void WishSimulation::advance() {
    broker_.settle();
    look();
    const auto deadline = broker_.shards().now() + engine::Instant(1 + below(60));
    while (broker_.shards().run_timer(deadline)) {
        broker_.settle();
        look();
    }
}

void WishSimulation::look() {
    for (const auto& wisher : wishers_) {
        wisher->receive();
    }
}

void WishSimulation::drain() {
    broker_.settle();
    // All delays are over then.
    broker_.advance(std::chrono::seconds(2));
    TestClient client(broker_);
    client.connects();
    for (const char* const queue : queues) {
        drain_queue(client, queue);
    }
}

void WishSimulation::drain_queue(TestClient& client, const std::string& queue) {
    std::vector<WishChecker::Number> numbers;
    const std::string other = sim::drain(
        client,
        support::subscribe(queue, queue, "client-individual").header("prefetch-count", "1"),
        [&](const Received& frame) { numbers.push_back(std::stoull("0" + frame.body)); }
    );
    if (!other.empty()) { checker_.fails(other); }
    checker_.drained(numbers, queue == "/queue/ranked", queue == "/queue/bounded" ? bound : 0);
}

WishReport WishSimulation::report() {
    const engine::Counters counters = broker_.counters();
    return {
        checker_.violations(),
        checker_.size(),
        counters.messages_delivered(),
        counters.messages_expired,
        counters.messages_overflowed,
        replayed_,
        retained_};
}

}  // namespace

WishReport simulate_wishes(std::uint64_t seed) {
    return report_of<WishSimulation>(seed);
}

}  // namespace sim
