#include "tests/support/durable_script.hpp"

#include <utility>

namespace support {

void DurableScript::ends() {
    alice.reset();
    bob.reset();
    carol.reset();
    if (broker) { clock_ = broker->shards().now(); }
    if (broker) { dead_.push_back({std::move(store), std::move(broker)}); }
}

void DurableScript::launches(bool is_driven) {
    settings.store = store.get();
    clock_ += std::exchange(downtime_, std::chrono::milliseconds(0));
    broker = std::make_unique<TestBroker>(GetParam(), 1, WorkOrder::posted, settings, clock_);
    broker->drives(is_driven ? store.get() : nullptr);
    alice = std::make_unique<TestClient>(*broker);
    bob = std::make_unique<TestClient>(*broker);
    carol = std::make_unique<TestClient>(*broker);
    alice->connects();
    bob->connects();
    carol->connects();
}

void DurableScript::starts() {
    ends();
    store = std::make_unique<storage::MemoryStore>();
    launches();
}

void DurableScript::crashes() {
    auto survivor = store->crash();
    ends();
    store = std::move(survivor);
    launches();
}

void DurableScript::crashes_and_holds() {
    auto survivor = store->crash();
    ends();
    store = std::move(survivor);
    launches(false);
}

void DurableScript::restarts() {
    broker->drives(store.get());
    alice.reset();
    bob.reset();
    carol.reset();
    broker->prepares_stop();
    EXPECT_TRUE(store->close());
    crashes();
}

void DurableScript::crashes_at_every_point(
    const std::function<void()>& scenario, const std::function<void()>& check
) {
    std::vector<std::size_t> chosen(shards(), 0);
    for (bool is_over = false; !is_over;) {
        starts();
        scenario();
        is_over = !stores_and_counts(chosen);
        crashes();
        check();
        if (HasFailure()) { FAIL() << "stored: " << ::testing::PrintToString(chosen); }
    }
}

// Stores as `chosen` says and moves on to the next choice; false after the last.
bool DurableScript::stores_and_counts(std::vector<std::size_t>& chosen) {
    std::vector<std::size_t> waiting;
    for (unsigned shard = 0; shard < shards(); ++shard) {
        waiting.push_back(store->waiting(shard));
    }
    for (unsigned shard = 0; shard < shards(); ++shard) {
        // A transaction of another shard may have taken more along already.
        const std::size_t done = waiting[shard] - store->waiting(shard);
        if (chosen[shard] > done) { (void)store->commit(shard, chosen[shard] - done); }
    }
    for (unsigned shard = 0; shard < shards(); ++shard) {
        if (++chosen[shard] <= waiting[shard]) { return true; }
        chosen[shard] = 0;
    }
    return false;
}

void DurableScript::commits() {
    broker->drives(store.get());
    broker->settle();
    broker->drives(nullptr);
}

void DurableScript::commits_one(unsigned shard) {
    (void)store->commit(shard, 1);
    broker->settle();
}

std::string DurableScript::name_at(const std::string& text, unsigned shard) {
    for (int i = 0;; ++i) {
        std::string name = text + std::to_string(i);
        if (broker->router(0).home_of(name) == shard % shards()) { return name; }
    }
}

std::string DurableScript::queue_at(unsigned shard, const std::string& prefix) {
    return name_at("/queue/" + prefix, shard);
}

std::string DurableScript::topic_at(unsigned shard, const std::string& prefix) {
    return name_at("/topic/" + prefix, shard);
}

std::unique_ptr<TestClient> DurableScript::connected_client(
    const std::string& client_id, const std::string& login
) {
    auto client = std::make_unique<TestClient>(*broker);
    Outgoing frame = connect();
    if (!client_id.empty()) { frame.header("client-id", client_id); }
    if (!login.empty()) { frame.header("login", login).header("passcode", login); }
    client->sends(frame);
    client->expects(connected("1.2"));
    return client;
}

Texts DurableScript::bodies(TestClient& client) {
    Texts texts;
    while (!client.received().empty()) {
        const Received frame = client.take();
        if (frame.command != protocol::Command::message) {
            ADD_FAILURE() << "expected MESSAGE, got " << frame.describe();
            continue;
        }
        texts.push_back(frame.body + (frame.find("redelivered") ? "*" : ""));
    }
    return texts;
}

Texts DurableScript::drained(const std::string& destination) {
    broker->drives(store.get());
    const auto client = connected_client();
    client->sends(subscribe("drain", destination, "client-individual"));
    Texts texts;
    while (!client->received().empty()) {
        const Received frame = client->take();
        texts.push_back(frame.body + (frame.find("redelivered") ? "*" : ""));
        if (frame.command != protocol::Command::message) {
            ADD_FAILURE() << "expected MESSAGE, got " << frame.describe();
            break;
        }
        client->sends(ack(frame.token()));
    }
    return texts;
}

Texts DurableScript::stored_names() {
    Texts names;
    for (const storage::RecoveredQueue& queue : store->take_recovered()) {
        names.push_back(queue.definition.name);
    }
    return names;
}

}  // namespace support
