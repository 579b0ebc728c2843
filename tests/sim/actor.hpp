// One random client of the simulation: what it does, and what it remembers having done.
// Everything that it sends is legal; only limits may be crossed.
#pragma once

#include "tests/sim/checker.hpp"
#include "tests/sim/parts.hpp"
#include "tests/support/test_broker.hpp"
#include "tests/support/test_client.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sim {

/// What one run is like, drawn from its seed.
struct Scene : Dice {
    support::TestBroker& broker;
    Checker& checker;
    bool rejects = true;           ///< NACK with requeue:false.
    bool is_settling_sure = true;  ///< No ack time runs out: who settled in time is sure of it.
    std::vector<std::string> queues;
    std::vector<std::string> topics;
    std::vector<std::string> patterns;
    unsigned last_publisher = 0;
    unsigned last_subscription = 0;
    unsigned last_transaction = 0;
};

class Actor {
public:
    explicit Actor(Scene& scene);
    Actor(const Actor&) = delete;
    Actor& operator=(const Actor&) = delete;

    /// One random act.
    void act();
    /// Notes what the session has come to; before any actor looks at what it received.
    void observe();
    /// Looks at what was received.
    void receive();

    /// All was written, and the session has taken it.
    [[nodiscard]] bool is_quiet() const;

    [[nodiscard]] bool is_gone() const { return is_over_ || !client_.is_open(); }

    // The end of the run.

    void write_all();
    void read_all();
    void abort_all();
    /// Acknowledges all that is outstanding; false if there was nothing.
    bool settle_all();
    /// It lived to the end: what it sent was accepted, and its topics are complete.
    void account();
    void leave();

private:
    struct Subscription {
        unsigned number = 0;  ///< Unique over the run.
        std::string destination;
        std::string mode;           ///< As far as RECEIPTs tell.
        unsigned incarnation = 0;   ///< How often it was replaced.
        unsigned replacements = 0;  ///< How often that was asked for.
        bool is_queue = false;
        std::optional<std::uint64_t> since;  ///< The stamp when its RECEIPT came.
    };

    struct Outstanding {
        std::string token;
        std::string subscription;
        unsigned incarnation = 0;
        bool is_cumulative = false;
        MessageNumber message = 0;
        bool is_queue = false;
    };

    struct Transaction {
        unsigned number = 0;
        std::vector<MessageNumber> sends;
        std::vector<Outstanding> taken;
        std::vector<Outstanding> acked;
    };

    using Granted = std::function<void()>;

    void send();
    void subscribe();
    void resubscribe();
    void unsubscribe();
    void settle();
    void may_have_settled(const Outstanding& named);
    void begin();
    void end_transaction(bool commits);
    void writes(support::Outgoing frame, Granted granted = {});
    void asks(support::Outgoing frame, Granted granted);
    void receive_message(const support::Received& frame);
    void check_memory();
    void is_leaving();

    Scene& scene_;
    const unsigned number_;
    support::TestClient client_;
    const std::string version_;
    std::string unwritten_;
    bool is_over_ = false;
    bool is_disturbed_ = false;
    std::map<std::string, Subscription> subscriptions_;
    std::map<std::string, Subscription> all_subscriptions_;
    std::vector<Outstanding> outstanding_;
    std::vector<Outstanding> delivered_;  ///< All deliveries to queues' subscriptions so far.
    std::map<std::string, Transaction> transactions_;
    std::deque<std::pair<std::string, Granted>> receipts_;
    std::vector<MessageNumber> sends_;  ///< That took effect.
    unsigned last_receipt_ = 0;
};

}  // namespace sim
