// What all simulations do alike: choosing, counting who is still there, emptying a queue, and the
// reckoning of what a run left behind.
#pragma once

#include "broker/engine/counters.hpp"
#include "tests/support/test_client.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace sim {

/// Choices under a seed.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] std::size_t below(std::size_t limit) { return random_() % limit; }

    [[nodiscard]] bool chance(unsigned percent) { return below(100) < percent; }

    template <class T>
    [[nodiscard]] const T& any_of(const std::vector<T>& values) {
        return values[below(values.size())];
    }

private:
    std::mt19937_64 random_;
};

/// Whether one more of `members` is to come: two at least are there, and rarely up to `most`.
template <class Members>
[[nodiscard]] bool wants_member(const Members& members, Dice& dice, std::ptrdiff_t most) {
    const auto living = std::count_if(members.begin(), members.end(), [](const auto& member) {
        return !member->is_gone();
    });
    return living < 2 || (living < most && dice.chance(3));
}

/// Any shard, TCP or WebSocket.
[[nodiscard]] support::TestClient::Options random_options(Dice& dice, support::TestBroker& broker);

/// Some of `unwritten` goes out, frames cut anywhere; or all of it.
void write_some(Dice& dice, support::TestClient& client, std::string& unwritten);

/// The client's socket takes nothing more, some octets, or everything.
void read_some(Dice& dice, support::TestClient& client);

/// Takes and acknowledges what `frame`, a subscription in mode client-individual, brings. Returns
/// what came instead of a message; empty: nothing.
[[nodiscard]] std::string drain(
    support::TestClient& client,
    const support::Outgoing& frame,
    const std::function<void(const support::Received&)>& take
);

/// The report of a run of `Simulation`; octets that are still accounted for after it are a
/// violation.
template <class Simulation, class... Arguments>
[[nodiscard]] auto report_of(const Arguments&... arguments) {
    const std::int64_t before = engine::accounted_bytes();
    auto report = [&] {
        Simulation simulation(arguments...);
        simulation.run();
        return simulation.report();
    }();
    const std::int64_t left = engine::accounted_bytes() - before;
    if (left != 0) { report.violations.push_back("octets not released: " + std::to_string(left)); }
    return report;
}

}  // namespace sim
