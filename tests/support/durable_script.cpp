#include "tests/support/durable_script.hpp"

#include <utility>

namespace support {

void DurableScript::ends() {
    alice.reset();
    bob.reset();
    carol.reset();
    if (broker) { dead_.push_back({std::move(store), std::move(broker)}); }
}

void DurableScript::launches() {
    settings.store = store.get();
    broker = std::make_unique<TestBroker>(GetParam(), 1, WorkOrder::posted, settings);
    broker->drives(store.get());
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

void DurableScript::restarts() {
    broker->drives(store.get());
    alice.reset();
    bob.reset();
    carol.reset();
    broker->prepares_stop();
    EXPECT_TRUE(store->close());
    crashes();
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
