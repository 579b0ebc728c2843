#include "tests/sim/queue_simulation.hpp"

#include "storage/memory_store.hpp"
#include "tests/sim/parts.hpp"
#include "tests/sim/queue_checker.hpp"
#include "tests/support/test_client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sim {

namespace {

using protocol::Command;
using support::Outgoing;
using support::Received;
using support::TestBroker;
using support::TestClient;
using support::WorkOrder;

constexpr std::size_t bound = 8;
constexpr std::array<const char*, 4> queues = {
    "/queue/chosen", "/queue/ranked", "/queue/groups", "/queue/bounded"};

class QueueSimulation;

// One connection with some subscriptions; reads all that comes, writes whole frames.
class Worker {
public:
    Worker(QueueSimulation& run, unsigned number);

    void act();
    void receive();
    void leave();
    void settle_all();
    void add_idle(std::set<QueueChecker::Consumer>& idle) const;

    [[nodiscard]] bool is_gone() const { return !client_->is_open(); }

private:
    struct Held {
        QueueChecker::Number number = 0;
        unsigned count = 0;
        std::string token;
    };

    struct Reading {
        unsigned who = 0;
        bool is_automatic = false;
        bool is_closed = false;
        std::vector<Held> held;
    };

    struct Delay {
        QueueChecker::Number number = 0;
        unsigned count = 0;
        std::int64_t until = 0;
    };

    void write(const Outgoing& frame);
    [[nodiscard]] std::string ask(Outgoing frame);
    void send();
    void subscribe();
    void unsubscribe();
    void settle_some();
    void settle(Reading& reading, std::size_t index, bool is_ack);
    void take_message(const Received& frame);

    QueueSimulation& run_;
    const unsigned number_;
    std::unique_ptr<TestClient> client_;
    std::map<std::string, Reading> readings_;
    std::map<std::string, QueueChecker::Number> sends_;  ///< By receipt.
    std::map<std::string, Delay> delays_;
    unsigned last_ = 0;
};

class QueueSimulation : public Dice {
public:
    explicit QueueSimulation(std::uint64_t seed);
    ~QueueSimulation();
    QueueSimulation(const QueueSimulation&) = delete;
    QueueSimulation& operator=(const QueueSimulation&) = delete;

    void run();
    [[nodiscard]] QueueReport report();

    [[nodiscard]] std::int64_t now() {
        return static_cast<std::int64_t>(broker_->shards()[0].wall_clock_ms());
    }

    /// All that was asked for has happened, and was seen.
    void settle();

    std::unique_ptr<storage::MemoryStore> store_;
    std::unique_ptr<TestBroker> broker_;
    QueueChecker checker_;
    unsigned last_consumer_ = 0;

private:
    [[nodiscard]] engine::RouterSettings settings();
    void step();
    void step_store();
    void advance();
    void look();
    void rest();
    void drain(TestClient& client, const std::string& queue);

    std::vector<std::unique_ptr<Worker>> workers_;
};

Worker::Worker(QueueSimulation& run, unsigned number)
    : run_(run), number_(number), client_(std::make_unique<TestClient>(*run.broker_)) {
    client_->writes(support::connect().encoded(protocol::Version::v1_2));
}

void Worker::write(const Outgoing& frame) {
    client_->writes(frame.encoded(protocol::Version::v1_2));
}

std::string Worker::ask(Outgoing frame) {
    std::string id = "r" + std::to_string(++last_);
    write(frame.receipt(id));
    return id;
}

void Worker::act() {
    if (is_gone()) { return; }
    const std::size_t choice = run_.below(100);
    if (choice < 45) { return send(); }
    if (choice < 55 && readings_.size() < 4) { return subscribe(); }
    if (choice < 57) { return unsubscribe(); }
    if (choice < 98) { return settle_some(); }
    leave();
}

void Worker::send() {
    Item item;
    item.publisher = number_;
    item.queue = queues[run_.below(queues.size())];
    item.kind = run_.chance(70) ? "red" : run_.chance(80) ? "blue" : "rare";
    Outgoing frame = support::send(item.queue);
    frame.header("kind", item.kind);
    if (item.queue == "/queue/ranked") {
        item.priority = static_cast<int>(run_.below(6));
        frame.header("priority", std::to_string(item.priority));
    } else if (item.queue == "/queue/groups" && run_.chance(80)) {
        item.group = "g" + std::to_string(run_.below(4));
        frame.header("JMSXGroupID", item.group);
    } else if (item.queue == "/queue/bounded") {
        item.is_droppable = true;
    }
    if (!item.is_droppable && run_.chance(20)) {
        const auto ttl = static_cast<std::int64_t>(20 + run_.below(300));
        item.expires = run_.now() + ttl;
        frame.header("expiration", std::to_string(ttl));
    }
    if (run_.chance(20)) { frame.header("persistent", "false"); }
    const auto number = run_.checker_.sent(item);
    frame.body(std::to_string(number) + ";" + std::string(run_.below(200), '.'));
    sends_[ask(frame)] = number;
}

void Worker::subscribe() {
    const std::string id = std::to_string(++last_);
    const std::string queue = queues[run_.below(queues.size())];
    Reading reading{++run_.last_consumer_, run_.chance(20), false, {}};
    Outgoing frame =
        support::subscribe(id, queue, reading.is_automatic ? "auto" : "client-individual");
    std::string kind;
    if (queue == "/queue/chosen" && run_.chance(60)) {
        kind = run_.chance(50) ? "blue" : "rare";
        const bool is_simple = run_.chance(50);
        frame.header("selector", is_simple ? "kind = '" + kind + "'" : "kind LIKE '" + kind + "'");
    }
    if (run_.chance(80)) { frame.header("prefetch-count", std::to_string(1 + run_.below(3))); }
    if (run_.chance(30)) { frame.header("x-priority", std::to_string(run_.below(3))); }
    run_.checker_.subscribed(reading.who, queue, kind);
    readings_.emplace(id, std::move(reading));
    write(frame);
}

void Worker::unsubscribe() {
    if (readings_.empty()) { return; }
    auto any = readings_.begin();
    std::advance(any, run_.below(readings_.size()));
    if (any->second.is_closed) { return; }
    any->second.is_closed = true;
    run_.checker_.closed(any->second.who);
    write(support::unsubscribe(any->first));
}

void Worker::settle(Reading& reading, std::size_t index, bool is_ack) {
    const Held held = reading.held[index];
    reading.held.erase(reading.held.begin() + static_cast<std::ptrdiff_t>(index));
    if (is_ack) {
        run_.checker_.settled(held.number, reading.who);
        return write(support::ack(held.token));
    }
    run_.checker_.returned(held.number, reading.who);
    Outgoing frame = support::nack(held.token);
    if (!run_.chance(40)) { return write(frame); }
    const auto delay = static_cast<std::int64_t>(1 + run_.below(80));
    frame.header("delay", std::to_string(delay));
    delays_[ask(frame)] = {held.number, held.count, run_.now() + delay};
}

void Worker::settle_some() {
    for (auto& [id, reading] : readings_) {
        while (!reading.held.empty() && run_.chance(60)) {
            settle(reading, run_.below(reading.held.size()), run_.chance(75));
        }
    }
}

void Worker::settle_all() {
    for (auto& [id, reading] : readings_) {
        while (!is_gone() && !reading.held.empty()) {
            settle(reading, 0, true);
        }
    }
}

void Worker::take_message(const Received& frame) {
    const auto found = readings_.find(frame.value("subscription"));
    if (found == readings_.end()) {
        return run_.checker_.fails("not subscribed: " + frame.describe());
    }
    Reading& reading = found->second;
    const QueueChecker::Number number = std::stoull("0" + frame.body);
    const std::string text = frame.value("x-delivery-count");
    const unsigned count = text.empty() ? 1U : static_cast<unsigned>(std::stoul(text));
    run_.checker_.received(number, reading.who, count, run_.now());
    if (reading.is_automatic) { return run_.checker_.settled(number, reading.who); }
    reading.held.push_back({number, count, frame.token()});
}

void Worker::receive() {
    while (!client_->received().empty()) {
        const Received frame = client_->take();
        if (frame.command == Command::receipt) {
            const std::string id = frame.value("receipt-id");
            const auto send = sends_.find(id);
            if (send != sends_.end()) { run_.checker_.accepted(send->second); }
            const auto delay = delays_.find(id);
            if (delay == delays_.end()) { continue; }
            const Delay& put_off = delay->second;
            run_.checker_.put_off(put_off.number, put_off.count, put_off.until);
        } else if (frame.command == Command::message) {
            take_message(frame);
        } else if (frame.command != Command::connected) {
            run_.checker_.fails(frame.describe());
        }
    }
}

void Worker::leave() {
    if (is_gone()) { return; }
    // What was written must not be cut off: its effect would be unknown.
    run_.settle();
    for (const auto& [id, reading] : readings_) {
        run_.checker_.left(reading.who);
    }
    readings_.clear();
    client_->vanishes();
}

void Worker::add_idle(std::set<QueueChecker::Consumer>& idle) const {
    for (const auto& [id, reading] : readings_) {
        if (reading.held.empty() && !reading.is_closed) { idle.insert(reading.who); }
    }
}

QueueSimulation::QueueSimulation(std::uint64_t seed) : Dice(seed) {
    if (seed % 2 == 0) { store_ = std::make_unique<storage::MemoryStore>(); }
    broker_ = std::make_unique<TestBroker>(
        static_cast<unsigned>(1 + seed % 3), seed, WorkOrder::random, settings()
    );
}

QueueSimulation::~QueueSimulation() {
    workers_.clear();
}

engine::RouterSettings QueueSimulation::settings() {
    engine::RouterSettings made;
    made.store = store_.get();
    const auto policy = [&](const std::string& match) -> engine::QueuePolicy& {
        made.policies.push_back({match, {}, {}, {}, {}});
        return made.policies.back().queue;
    };
    policy("/queue/ranked").priority_max = 5;
    engine::QueuePolicy& bounded = policy("/queue/bounded");
    bounded.messages_max = bound;
    bounded.overflow = engine::Overflow::drop_head;
    made.limits.delivery_limit = 1'000'000;
    made.limits.queue_memory_bytes = 500 + below(4000);
    return made;
}

void QueueSimulation::run() {
    const std::size_t steps = 300 + below(900);
    for (std::size_t i = 0; i < steps; ++i) {
        step();
        look();
    }
    settle();
    for (bool is_busy = true; is_busy;) {
        const std::uint64_t before = broker_->counters().messages_delivered();
        for (const auto& worker : workers_) {
            worker->settle_all();
        }
        rest();
        is_busy = broker_->counters().messages_delivered() != before;
    }
    for (const auto& worker : workers_) {
        worker->leave();
    }
    settle();
    workers_.clear();
    broker_->drives(store_.get());
    broker_->advance(std::chrono::seconds(1));
    TestClient client(*broker_);
    client.connects();
    for (const char* const queue : queues) {
        drain(client, queue);
    }
    checker_.finish(now());
}

void QueueSimulation::step() {
    if (wants_member(workers_, *this, 6)) {
        workers_.push_back(std::make_unique<Worker>(*this, static_cast<unsigned>(workers_.size())));
    }
    const std::size_t choice = below(100);
    if (choice < 40) { return workers_[below(workers_.size())]->act(); }
    if (choice < 65 && broker_->shards().has_work()) { return broker_->shards().run_one(); }
    if (choice < 80) {
        return broker_->end_turn(static_cast<unsigned>(below(broker_->shards().size())));
    }
    if (choice < 92) { return step_store(); }
    if (choice < 96) { return rest(); }
    advance();
}

void QueueSimulation::step_store() {
    if (!store_) { return; }
    if (chance(50)) { return store_->serve_reads(); }
    (void)store_->commit(static_cast<unsigned>(below(broker_->shards().size())), 1);
}

void QueueSimulation::settle() {
    broker_->drives(store_.get());
    broker_->settle();
    look();
    broker_->drives(nullptr);
}

void QueueSimulation::rest() {
    settle();
    std::set<QueueChecker::Consumer> idle;
    for (const auto& worker : workers_) {
        if (!worker->is_gone()) { worker->add_idle(idle); }
    }
    checker_.rest(now(), std::move(idle));
}

// Time passes only when nothing is on its way: what comes is what the broker let go at that time.
void QueueSimulation::advance() {
    settle();
    const auto deadline = broker_->shards().now() + engine::Instant(1 + below(60));
    while (broker_->shards().run_timer(deadline)) {
        settle();
    }
    rest();
}

void QueueSimulation::look() {
    for (const auto& worker : workers_) {
        worker->receive();
    }
}

void QueueSimulation::drain(TestClient& client, const std::string& queue) {
    std::size_t number = 0;
    const auto take = [&](const Received& frame) {
        ++number;
        checker_.drained(std::stoull("0" + frame.body), now());
    };
    const std::string other =
        sim::drain(client, support::subscribe(queue, queue, "client-individual"), take);
    if (!other.empty()) { checker_.fails(other); }
    if (queue == "/queue/bounded" && number > bound) {
        checker_.fails(std::to_string(number) + " messages waited in a queue for few");
    }
}

QueueReport QueueSimulation::report() {
    const engine::Counters counters = broker_->counters();
    return {
        checker_.violations(),
        checker_.size(),
        counters.messages_delivered(),
        counters.messages_redelivered,
        counters.messages_expired,
        counters.messages_overflowed};
}

}  // namespace

QueueReport simulate_queues(std::uint64_t seed) {
    return report_of<QueueSimulation>(seed);
}

}  // namespace sim
