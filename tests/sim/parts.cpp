#include "tests/sim/parts.hpp"

namespace sim {

using support::TestClient;

TestClient::Options random_options(Dice& dice, support::TestBroker& broker) {
    TestClient::Options options;
    options.shard = static_cast<unsigned>(dice.below(broker.shards().size()));
    if (dice.chance(50)) { options.framing = engine::Framing::web_socket; }
    return options;
}

void write_some(Dice& dice, TestClient& client, std::string& unwritten) {
    const std::size_t size = dice.chance(60) ? unwritten.size() : dice.below(unwritten.size() + 1);
    const std::string part = unwritten.substr(0, size);
    unwritten.erase(0, size);
    client.writes(part);
}

void read_some(Dice& dice, TestClient& client) {
    const std::size_t choice = dice.below(10);
    client.allows(choice < 2 ? 0 : choice < 6 ? dice.below(3000) : TestClient::unlimited);
}

std::string drain(
    support::TestClient& client,
    const support::Outgoing& frame,
    const std::function<void(const support::Received&)>& take
) {
    client.sends(frame);
    while (!client.received().empty()) {
        const support::Received received = client.take();
        if (received.command != protocol::Command::message) {
            return "draining: " + received.describe();
        }
        take(received);
        client.sends(support::ack(received.token()));
    }
    return {};
}

}  // namespace sim
